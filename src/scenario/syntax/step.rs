//! The steps of a history.
//!
//! A step is one word, or a map with one key. There is no step whose arguments are all optional:
//! written as a bare word, YAML would take the next item for them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    AmendImage, AttachDisk, Background, BackupBegin, BitmapAdd, BitmapDamage, BitmapMerge,
    BitmapName, BlockCommit, BlockCopy, BlockJobAbort, BlockPull, CheckpointCreate,
    CheckpointDelete, CheckpointDump, CheckpointRedefine, ConvertImage, CopyImage, DirectoryName,
    DiskName, EditMetadata, FileNamed, ImageDamage, Join, OverlayImage, Port, RemoveMetadata,
    ResizeDisk, RestoreImage, ServerPlace, SmallFileSystem, SnapshotCreate, SnapshotName, Spanned,
    TruncateImage, Word, WriteBytes,
};
use crate::model::{Api, ErrorCode, Size};

/// A step: one word, or a map with one key.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Step {
    /// Starts the domain; the guest runs.
    Start,
    /// Starts the domain; the guest stays paused.
    StartPaused,
    /// Pauses the domain.
    Pause,
    /// Resumes the domain.
    Resume,
    /// Asks the guest to shut down, and waits for it.
    Shutdown,
    /// Ends the domain's QEMU process; QEMU closes its images cleanly.
    Destroy,
    /// Kills the domain's QEMU process, as a crash or a loss of power does.
    KillEmulator,
    /// Saves the domain's memory and stops it (managed save).
    Save,
    /// Starts the domain from its saved memory.
    Restore,
    /// Stops libvirt's daemon and starts it again; domains keep running.
    RestartDaemon,
    /// Kills libvirt's daemon and starts it again; domains keep running.
    KillDaemon,
    /// Removes the domain's definition; libvirt refuses where it has checkpoints.
    Undefine,
    /// Removes the domain's definition together with all metadata of checkpoints and snapshots.
    UndefineWithMetadata,
    /// Defines the domain again, as it was at first.
    Define,
    /// The guest writes one byte value over a range of a disk.
    GuestWrite(Write),
    /// The guest writes to a disk, and QEMU refuses it: nothing of it reaches the disk.
    GuestWriteFails(FailedWrite),
    /// Creates a checkpoint.
    CheckpointCreate(CheckpointCreate),
    /// Dumps a checkpoint's XML and keeps it under a label.
    CheckpointDump(CheckpointDump),
    /// Redefines a checkpoint from an earlier dump.
    CheckpointRedefine(CheckpointRedefine),
    /// Deletes a checkpoint.
    CheckpointDelete(CheckpointDelete),
    /// Starts a backup job.
    BackupBegin(BackupBegin),
    /// Waits until the running push backup has ended.
    AwaitBackup,
    /// Waits until the running push backup has failed.
    AwaitFailedBackup,
    /// Ends the running pull backup after its data was read.
    BackupEnd,
    /// Aborts the running backup.
    BackupAbort,
    /// Takes a snapshot.
    SnapshotCreate(SnapshotCreate),
    /// Goes back to a snapshot.
    SnapshotRevert(SnapshotName),
    /// Deletes a snapshot.
    SnapshotDelete(SnapshotName),
    /// Merges layers of a disk downwards.
    BlockCommit(BlockCommit),
    /// Copies layers of a disk upwards into the top one.
    BlockPull(BlockPull),
    /// Copies a disk to another image.
    BlockCopy(BlockCopy),
    /// Changes the size of a disk of the running domain.
    BlockResize(ResizeDisk),
    /// Waits until the block job of a disk has ended, or is ready to change over.
    AwaitBlockJob(DiskName),
    /// Ends the block job of a disk.
    BlockJobAbort(BlockJobAbort),
    /// Adds a disk to the domain: to its definition, and to what runs of it.
    AttachDisk(AttachDisk),
    /// Takes a disk from the domain: from its definition, and from what runs of it.
    DetachDisk(DiskName),
    /// Makes the disk's image anew, empty and without bitmaps.
    RecreateImage(DiskName),
    /// Changes the size of the closed image.
    ResizeImage(ResizeDisk),
    /// Copies an image with `qemu-img convert` and puts the copy in its place.
    ConvertImage(ConvertImage),
    /// Changes the version of the qcow2 format.
    AmendImage(AmendImage),
    /// Puts an overlay on an image behind libvirt's back.
    OverlayImage(OverlayImage),
    /// Commits an overlay that was put on behind libvirt's back, and removes it.
    CommitImage(DiskName),
    /// Writes to an image while no QEMU runs (`qemu-io`).
    ImageWrite(Write),
    /// Keeps a copy of an image's file.
    CopyImage(CopyImage),
    /// Puts a copy that was kept back in the image's place.
    RestoreImage(RestoreImage),
    /// Cuts the end of an image's file off.
    TruncateImage(TruncateImage),
    /// Opens the image for writing in another process and kills that.
    CrashImageWriter(DiskName),
    /// Adds an empty bitmap.
    BitmapAdd(BitmapAdd),
    /// Removes a bitmap.
    BitmapRemove(BitmapName),
    /// Clears all bits of a bitmap.
    BitmapClear(BitmapName),
    /// Makes a bitmap record.
    BitmapEnable(BitmapName),
    /// Makes a bitmap stop recording.
    BitmapDisable(BitmapName),
    /// Merges one bitmap into another.
    BitmapMerge(BitmapMerge),
    /// Changes one field of a bitmap in the closed image.
    DamageBitmap(BitmapDamage),
    /// Changes one field of the closed image that is about all its bitmaps.
    DamageImage(ImageDamage),
    /// Overwrites bytes of the closed image.
    WriteBytes(WriteBytes),
    /// Makes a directory.
    MakeDirectory(DirectoryName),
    /// Removes a directory.
    RemoveDirectory(DirectoryName),
    /// Makes a plain, empty file.
    MakeFile(FileNamed),
    /// Removes a file.
    RemoveFile(FileNamed),
    /// Mounts a file system of limited size on a new directory.
    SmallFileSystem(SmallFileSystem),
    /// Fills a file system of limited size up to its last byte.
    FillFileSystem(DirectoryName),
    /// Gives a filled file system its space back.
    FreeFileSystem(DirectoryName),
    /// Listens on a TCP port, so that nobody else can.
    OccupyPort(Port),
    /// Stops listening on a TCP port.
    ReleasePort(Port),
    /// Starts an NBD server in QEMU behind libvirt's back.
    NbdServerStart(ServerPlace),
    /// Stops the NBD server of QEMU behind libvirt's back.
    NbdServerStop,
    /// Makes libvirt's store of checkpoint metadata unwritable.
    BlockMetadataStore,
    /// Makes libvirt's store of checkpoint metadata writable again.
    UnblockMetadataStore,
    /// Removes the file of a checkpoint from that store, behind libvirt's back.
    RemoveMetadata(RemoveMetadata),
    /// Changes that file, behind libvirt's back.
    EditMetadata(EditMetadata),
    /// Issues a call and does not wait for its answer.
    Background(Background),
    /// Waits for the answer of a call in the background.
    Join(Join),
    /// Any call, with raw XML and flags.
    Call(Box<Call>),
}

impl Step {
    /// The word that names the step.
    #[must_use]
    pub fn name(&self) -> String {
        match serde_json::to_value(self) {
            Ok(Value::String(word)) => word,
            Ok(Value::Object(map)) => map.keys().next().cloned().unwrap_or_default(),
            Ok(_) | Err(_) => String::new(),
        }
    }
}

/// One byte value over a range of a disk.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Write {
    /// Target device.
    pub disk: Spanned<String>,
    /// First byte.
    pub offset: Spanned<Word<Size>>,
    /// Number of bytes.
    pub length: Spanned<Word<Size>>,
    /// The byte value.
    pub pattern: u8,
}

/// A range of a disk.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FailedWrite {
    /// Target device.
    pub disk: Spanned<String>,
    /// First byte.
    pub offset: Spanned<Word<Size>>,
    /// Number of bytes.
    pub length: Spanned<Word<Size>>,
}

/// A call as libvirt takes it. In its texts `[DIR]` stands for the scenario's directory, and
/// `[DOMAIN]`, `[UUID]` and `[EMULATOR]` for what its domain is defined with.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Call {
    /// The function.
    pub api: Spanned<Api>,
    /// Name of the checkpoint, where the function is about one.
    pub checkpoint: Option<Spanned<String>>,
    /// Target device, where the function is about one disk.
    pub disk: Option<Spanned<String>>,
    /// The document; NULL where it is not given.
    pub xml: Option<Spanned<String>>,
    /// The second document of `virDomainBackupBegin`; NULL where it is not given.
    pub checkpoint_xml: Option<Spanned<String>>,
    /// Name of the snapshot, where the function is about one.
    pub snapshot: Option<Spanned<String>>,
    /// Path of the lower end of a block job; NULL where it is not given.
    pub base: Option<Spanned<String>>,
    /// Path of the upper end of a commit; NULL where it is not given.
    pub top: Option<Spanned<String>>,
    /// A size or a speed, in the unit of the function; 0 where it is not given.
    pub size: Option<Spanned<u64>>,
    /// A new name, a file or a destination, where the function takes one.
    pub to: Option<Spanned<String>>,
    /// The flags, as a number; 0 where they are not given.
    pub flags: Option<Spanned<u32>>,
    /// Over a connection of its own that may only read (`virConnectOpenReadOnly`).
    #[serde(default)]
    pub read_only: bool,
    /// In a history: the call must be refused with this error. Without the key it must succeed.
    pub refused: Option<Spanned<Word<ErrorCode>>>,
}

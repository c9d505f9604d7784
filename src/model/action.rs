//! What a scenario does to the host beside libvirt calls, and what it sees, as data.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Answer, BitmapTable, Call, Compat, Content, Damage, DiskFormat, JobEnd, NbdServer, Size,
};

/// An image file and the format it is read as.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct ImageRef {
    /// Absolute path.
    pub path: String,
    /// Format; never probed.
    pub format: DiskFormat,
}

/// One thing done to the host, or asked of it.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// `qemu-img create`: makes an empty image; a file of that name is replaced.
    CreateImage {
        /// Path and format of the image.
        image: ImageRef,
        /// Virtual size.
        size: Size,
    },
    /// The guest writes one byte value over a range of a disk, through QEMU's block layer. The
    /// write has reached the image, though not its bitmaps, when this returns.
    GuestWrite {
        /// Name of the domain; it must be active.
        domain: String,
        /// Target device.
        disk: String,
        /// First byte.
        offset: Size,
        /// Number of bytes.
        length: Size,
        /// The byte value.
        pattern: u8,
    },
    /// The same, and QEMU must refuse the write: nothing of it reaches the disk.
    FailGuestWrite {
        /// Name of the domain; it must be active.
        domain: String,
        /// Target device.
        disk: String,
        /// First byte.
        offset: Size,
        /// Number of bytes.
        length: Size,
    },
    /// The bitmaps of an active domain as QEMU has them in memory
    /// (`query-named-block-nodes` through the monitor pass-through).
    LiveBitmaps {
        /// Name of the domain.
        domain: String,
    },
    /// The formats of a domain's disks, as its XML gives them (`virDomainGetXMLDesc`).
    DiskFormats {
        /// Name of the domain.
        domain: String,
    },
    /// The images of a domain's disks, top layer first: those of its XML (`virDomainGetXMLDesc`), and
    /// what each names itself as the one below it (`qemu-img info --backing-chain`).
    DiskLayers {
        /// Name of the domain.
        domain: String,
    },
    /// The bitmaps stored in closed images (`qemu-img info`).
    StoredBitmaps {
        /// Target device and image of each disk.
        disks: Vec<(String, ImageRef)>,
    },
    /// Waits until the backup job of a domain has ended and QEMU has let go of its targets.
    AwaitBackup {
        /// Name of the domain.
        domain: String,
        /// Target devices of the disks that take part.
        disks: Vec<String>,
    },
    /// Waits, for a moment at most, until a backup that libvirt itself is ending has ended: the call
    /// that began it was refused, and comes back earlier.
    SettleBackup {
        /// Name of the domain.
        domain: String,
    },
    /// Reads what a chain of images holds, top layer first; backing files named inside the
    /// images are ignored. Waits for image locks.
    ReadChain {
        /// The layers, top first.
        layers: Vec<ImageRef>,
    },
    /// `qemu-img check` on a closed image.
    CheckImage {
        /// The image.
        image: ImageRef,
    },
    /// The names of the files in the scenario's directory.
    ListFiles {
        /// Absolute path of the directory.
        directory: String,
    },
    /// Kills the domain's QEMU process, as a crash or a loss of power does, and waits until
    /// libvirt says that the domain is shut off.
    KillEmulator {
        /// Name of the domain; it must be active.
        domain: String,
    },
    /// `qemu-img bitmap`: changes one bitmap of a closed image.
    ChangeBitmap {
        /// The image.
        image: ImageRef,
        /// Name of the bitmap.
        bitmap: String,
        /// What is done to it.
        change: BitmapChange,
    },
    /// QEMU's monitor command `nbd-server-start`, behind libvirt's back.
    StartNbdServer {
        /// Name of the domain; it must be active.
        domain: String,
        /// Where the server listens.
        server: NbdServer,
    },
    /// QEMU's monitor command `nbd-server-stop`.
    StopNbdServer {
        /// Name of the domain; it must be active.
        domain: String,
    },
    /// What a client of a pull backup does: reads an export over NBD into a new image of its own.
    ReadExport {
        /// Where the server listens.
        server: NbdServer,
        /// Name of the export.
        export: String,
        /// Name of the exported bitmap whose dirty extents are read; `None` reads everything.
        bitmap: Option<String>,
        /// The image that is made; what is not read is not allocated in it.
        image: ImageRef,
    },
    /// Waits until a disk's block job has ended or is ready to change over.
    AwaitBlockJob {
        /// Name of the domain; it must be active.
        domain: String,
        /// Target device.
        disk: String,
    },
    /// Whether an NBD server could listen there; nothing is left behind.
    ProbeServer {
        /// Where.
        server: NbdServer,
        /// It is to use TLS.
        tls: bool,
    },
    /// Whether libvirt could store the metadata of a domain's checkpoints; nothing is left behind.
    ProbeMetadataStore {
        /// Name of the domain.
        domain: String,
    },
    /// Which of these files are there.
    FindFiles {
        /// Absolute paths.
        paths: Vec<String>,
    },
    /// The versions of these qcow2 images, which may be open (`qemu-img info -U`).
    ImageVersions {
        /// Target device and image of each disk.
        disks: Vec<(String, ImageRef)>,
    },
    /// `qemu-img create -b`: makes an overlay on a closed image.
    CreateOverlay {
        /// The overlay, a qcow2 image.
        image: ImageRef,
        /// The image below it.
        backing: ImageRef,
        /// It gets empty bitmaps of the names and the granularities of those below.
        bitmaps: bool,
    },
    /// `qemu-img commit`: writes what a closed overlay holds into the image below it.
    CommitImage {
        /// The overlay.
        image: ImageRef,
    },
    /// Changes one bitmap of a running QEMU through its monitor, behind libvirt's back.
    ChangeLiveBitmap {
        /// Name of the domain; it must be active.
        domain: String,
        /// Target device.
        disk: String,
        /// Layer of the disk; 0 is the top one.
        layer: u32,
        /// Name of the bitmap.
        bitmap: String,
        /// What is done to it.
        change: BitmapChange,
    },
    /// `qemu-img amend`: changes the version of a closed qcow2 image.
    AmendImage {
        /// The image.
        image: ImageRef,
        /// The new version.
        compat: Compat,
    },
    /// Changes bytes of a closed qcow2 image.
    DamageImage {
        /// The image.
        image: ImageRef,
        /// What is changed.
        damage: Damage,
    },
    /// `qemu-img resize`: changes the virtual size of a closed image.
    ResizeImage {
        /// The image.
        image: ImageRef,
        /// The new virtual size.
        size: Size,
    },
    /// `qemu-img convert`: puts a copy of a closed image in its place.
    ConvertImage {
        /// The image.
        image: ImageRef,
        /// The bitmaps are copied too.
        bitmaps: bool,
    },
    /// `qemu-img bitmap --merge`: adds the bits of one bitmap of a closed image to another.
    MergeBitmaps {
        /// The image.
        image: ImageRef,
        /// The bitmap that receives the bits.
        bitmap: String,
        /// The bitmap whose bits are added.
        from: String,
    },
    /// `qemu-io`: writes one byte value over a range of a closed image.
    WriteImage {
        /// The image.
        image: ImageRef,
        /// First byte.
        offset: Size,
        /// Number of bytes.
        length: Size,
        /// The byte value.
        pattern: u8,
    },
    /// Copies a closed image's file.
    CopyImage {
        /// The image.
        image: ImageRef,
        /// Absolute path of the copy.
        copy: String,
    },
    /// Puts such a copy in the image's place.
    RestoreImage {
        /// The image.
        image: ImageRef,
        /// Absolute path of the copy.
        copy: String,
    },
    /// Cuts the end of a closed image's file off.
    TruncateImage {
        /// The image.
        image: ImageRef,
        /// The number of bytes that are lost.
        by: Size,
    },
    /// Opens a closed image for writing in a process of its own, and kills that.
    CrashImageWriter {
        /// The image.
        image: ImageRef,
    },
    /// Keeps libvirt from storing the metadata of a domain's checkpoints.
    BlockMetadataStore {
        /// Name of the domain.
        domain: String,
    },
    /// Lets it store them again.
    UnblockMetadataStore {
        /// Name of the domain.
        domain: String,
    },
    /// Removes the file in which libvirt stores a checkpoint's metadata.
    RemoveMetadata {
        /// Name of the domain.
        domain: String,
        /// Name of the checkpoint.
        checkpoint: String,
    },
    /// Changes the text of that file.
    EditMetadata {
        /// Name of the domain.
        domain: String,
        /// Name of the checkpoint.
        checkpoint: String,
        /// Texts that must be there, and what stands there afterwards.
        edits: Vec<(String, String)>,
    },
    /// Ends libvirt's daemon as a service manager does and starts it again; without a daemon, the
    /// process that libvirt's driver runs in. QEMU goes on, and the client connects anew.
    RestartDaemon,
    /// The same, and the daemon is killed.
    KillDaemon,
    /// Waits until a disk that was detached has left the domain.
    AwaitDetach {
        /// Name of the domain; it must be active.
        domain: String,
        /// Target device.
        disk: String,
    },
    /// The guest switches itself off by ACPI, as it does when it is asked to shut down; waits until
    /// libvirt says that the domain is shut off.
    PowerOffGuest {
        /// Name of the domain; it must be active.
        domain: String,
    },
    /// Mounts a file system of limited size on a new directory.
    MountFileSystem {
        /// Absolute path of the directory.
        path: String,
        /// How many bytes it holds.
        size: Size,
    },
    /// Fills such a file system up to its last byte.
    FillFileSystem {
        /// Absolute path of the directory.
        path: String,
    },
    /// Gives it its space back.
    FreeFileSystem {
        /// Absolute path of the directory.
        path: String,
    },
    /// Issues a libvirt call and does not wait for its answer.
    BeginCall {
        /// What the answer is asked for by.
        label: String,
        /// The call.
        call: Box<Call>,
    },
    /// Waits for the answer of such a call.
    JoinCall {
        /// Its label.
        label: String,
    },
    /// Makes a directory.
    MakeDirectory {
        /// Absolute path.
        path: String,
    },
    /// Removes an empty directory.
    RemoveDirectory {
        /// Absolute path.
        path: String,
    },
    /// Makes a plain, empty file; nothing of that name may be there.
    MakeFile {
        /// Absolute path.
        path: String,
    },
    /// Removes a file.
    RemoveFile {
        /// Absolute path.
        path: String,
    },
    /// Listens on a TCP port of the loopback address until it is released or the scenario ends.
    OccupyPort {
        /// The port.
        port: u16,
    },
    /// Stops listening on a TCP port.
    ReleasePort {
        /// The port.
        port: u16,
    },
}

impl Action {
    /// The same done to another image, where it is about one.
    #[must_use]
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the others are about no image of a disk"
    )]
    pub fn on(mut self, other: ImageRef) -> Self {
        match &mut self {
            Self::CreateImage { image, .. }
            | Self::ChangeBitmap { image, .. }
            | Self::AmendImage { image, .. }
            | Self::DamageImage { image, .. }
            | Self::ResizeImage { image, .. }
            | Self::ConvertImage { image, .. }
            | Self::MergeBitmaps { image, .. }
            | Self::WriteImage { image, .. }
            | Self::CopyImage { image, .. }
            | Self::RestoreImage { image, .. }
            | Self::TruncateImage { image, .. }
            | Self::CrashImageWriter { image } => *image = other,
            _ => {}
        }
        self
    }
}

/// What `qemu-img bitmap` does to a bitmap (`docs/tools/qemu-img.rst`).
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BitmapChange {
    /// `--add`: an empty bitmap that records.
    Add {
        /// Bytes that one bit covers; `None` leaves it to the tool.
        granularity: Option<Size>,
    },
    /// `--remove`.
    Remove,
    /// `--clear`: no bit is set any more.
    Clear,
    /// `--enable`: it records.
    Enable,
    /// `--disable`: it does not record.
    Disable,
}

/// What an action showed.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Observation {
    /// It was done.
    Done,
    /// Bitmaps of a domain.
    Bitmaps(BitmapTable),
    /// Events of a backup job in the order they came.
    Events(Vec<JobEvent>),
    /// What a disk holds.
    Content(Content),
    /// What `qemu-img check` found; `None` is a clean image.
    Check(Option<String>),
    /// Why something of the host cannot be used; `None` where it can.
    Usable(Option<String>),
    /// File names, sorted.
    Files(Vec<String>),
    /// Images of disks by target device, top layer first.
    Layers(BTreeMap<String, Vec<ImageRef>>),
    /// Formats of disks, by target device.
    Formats(BTreeMap<String, DiskFormat>),
    /// Versions of qcow2 images, by target device.
    Versions(BTreeMap<String, Compat>),
    /// What a call in the background came back with.
    Answer(Answer),
}

/// An event of a domain job.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobEvent {
    /// `VIR_DOMAIN_EVENT_ID_JOB_COMPLETED`.
    JobCompleted {
        /// The parameter `success`.
        success: bool,
        /// The parameter `errmsg`.
        message: Option<String>,
    },
    /// `VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2` of a backup.
    BlockJob {
        /// Target device.
        disk: String,
        /// How the disk's part ended.
        end: JobEnd,
    },
}

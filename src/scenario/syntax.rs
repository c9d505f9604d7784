//! What a scenario file says, typed.

use std::ops::Range;

use crate::model::{Api, Decision, DiskFormat, ErrorCode, ErrorDomain, Size};

/// The version of the scenario format that this build reads and writes.
pub const FORMAT: i128 = 1;

/// A value and the bytes of the file it stands at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its place in the file.
    pub span: Range<usize>,
}

/// One scenario: disks, a history, the call under test and what must come of it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name, equal to the file's; stable, since reports and snapshots depend on it.
    pub name: Spanned<String>,
    /// What it shows, in a sentence or two.
    pub summary: String,
    /// Bug reports, commits and documents it comes from.
    pub refs: Vec<String>,
    /// The domain's disks, in the order of the domain's XML.
    pub disks: Vec<Disk>,
    /// What happens before the call under test, in order.
    pub history: Vec<Step>,
    /// The call under test.
    pub when: Step,
    /// What must come of it.
    pub then: Expectation,
}

/// A disk of the domain.
#[derive(Clone, Debug)]
pub struct Disk {
    /// Target device, such as `vda`.
    pub target: Spanned<String>,
    /// Format of the image.
    pub format: DiskFormat,
    /// Virtual size of the image.
    pub size: Spanned<Size>,
}

/// One step of a history, and its place.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is done.
    pub kind: StepKind,
    /// Its place in the file.
    pub span: Range<usize>,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// Starts the domain.
    Start,
    /// Pauses the domain.
    Pause,
    /// Resumes the domain.
    Resume,
    /// Ends the domain's QEMU process.
    Destroy,
    /// Waits until the running backup job has ended.
    AwaitBackup,
    /// The guest writes one byte value over a range of a disk.
    GuestWrite {
        /// Target device.
        disk: Spanned<String>,
        /// First byte.
        offset: Spanned<Size>,
        /// Number of bytes.
        length: Spanned<Size>,
        /// The byte value.
        pattern: u8,
    },
    /// Makes the disk's image anew, empty and without bitmaps.
    RecreateImage {
        /// Target device.
        disk: Spanned<String>,
    },
    /// Creates a checkpoint.
    CheckpointCreate(CheckpointRequest),
    /// Dumps a checkpoint's XML and keeps it under a label.
    CheckpointDump {
        /// Name of the checkpoint.
        name: String,
        /// Leave the nested `<domain>` out.
        no_domain: bool,
        /// The label that a later step names.
        label: Spanned<String>,
    },
    /// Redefines a checkpoint from an earlier dump.
    CheckpointRedefine {
        /// Label of the dump.
        from: Spanned<String>,
        /// Also check the bitmaps (`VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE`).
        validate: bool,
    },
    /// Deletes a checkpoint.
    CheckpointDelete {
        /// Name of the checkpoint.
        name: String,
        /// Only libvirt's metadata, not the bitmaps.
        metadata_only: bool,
    },
    /// Starts a backup job.
    BackupBegin(BackupRequest),
    /// Any call, with raw XML and flags.
    Call(RawCall),
}

/// The checkpoint document, as intent.
#[derive(Clone, Debug)]
pub struct CheckpointRequest {
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// The disks that get a bitmap; `None` writes no `<disks>`, so libvirt takes all.
    pub disks: Option<Vec<Spanned<String>>>,
}

/// The backup document, as intent.
#[derive(Clone, Debug)]
pub struct BackupRequest {
    /// Name of the checkpoint that the backup is based on.
    pub incremental: Option<String>,
    /// The disks that take part.
    pub disks: Vec<BackupDisk>,
    /// The checkpoint that is created with the backup.
    pub checkpoint: Option<CheckpointRequest>,
}

/// One disk of a push backup.
#[derive(Clone, Debug)]
pub struct BackupDisk {
    /// Target device.
    pub disk: Spanned<String>,
    /// File name of the target, in the scenario's directory.
    pub target: String,
    /// Format of the target; `None` leaves it to libvirt (qcow2).
    pub driver: Option<DiskFormat>,
    /// Usage name of the secret of a LUKS-encrypted target.
    pub luks_secret_usage: Option<String>,
}

/// A call as libvirt takes it. In its texts `[DIR]` stands for the scenario's directory.
#[derive(Clone, Debug)]
pub struct RawCall {
    /// The function.
    pub api: Api,
    /// Name of the checkpoint, where the function is about one.
    pub checkpoint: Option<String>,
    /// Target device, where the function is about one disk.
    pub disk: Option<String>,
    /// The document; `None` is NULL.
    pub xml: Option<String>,
    /// The second document of `virDomainBackupBegin`; `None` is NULL.
    pub checkpoint_xml: Option<String>,
    /// The flags, as a number.
    pub flags: u32,
}

/// What must come of the call under test.
#[derive(Clone, Debug)]
pub enum Expectation {
    /// The call succeeds.
    Success,
    /// The call is refused.
    Refusal(Refusal),
}

/// How a call must be refused, and what a client must then do.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The error's number.
    pub error: ErrorCode,
    /// The part of libvirt that raises it.
    pub error_domain: Option<ErrorDomain>,
    /// A part of the message.
    pub message: Option<Spanned<String>>,
    /// The documented decision.
    pub decision: Decision,
    /// The operator's part of the recovery, which only the author knows.
    pub remedy: Vec<Step>,
}

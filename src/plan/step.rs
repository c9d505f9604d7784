//! What a plan is made of.

use super::xml::{BackupXml, backup_xml};
use crate::model::{Action, Api, Call, Compat, DiskFormat, ErrorCode, ImageRef, Size};

/// A scenario, ready to be executed in one place.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The domain's disks, in the order of its XML.
    pub disks: Vec<PlannedDisk>,
    /// Makes images and the domain; not part of the scenario's own story.
    pub setup: Vec<Step>,
    /// What happens before the call under test.
    pub history: Vec<Step>,
    /// The call under test.
    pub when: Step,
    /// The operator's part of the recovery.
    pub remedy: Vec<Step>,
}

/// A disk of the domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PlannedDisk {
    /// Target device.
    pub target: String,
    /// Its image: the top layer, to which the guest writes.
    pub image: ImageRef,
    /// The layers below it, from the top.
    pub below: Vec<ImageRef>,
    /// Virtual size.
    pub size: Size,
    /// Version of its format, where that is not the newest one.
    pub compat: Option<Compat>,
}

/// One step: a line of the transcript.
#[derive(Clone, Debug)]
pub struct Step {
    /// The step in one line, such as `guest-write vda 0 1M 0xA1`.
    pub label: String,
    /// What it does.
    pub operation: Operation,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Issues a libvirt call.
    Call(PlannedCall),
    /// Does something to the host.
    Act(Action),
    /// Does something to one image of a disk, as the disk is by then; the image of the action is a
    /// placeholder.
    ActOnLayer {
        /// Target device.
        disk: String,
        /// 0 is the top layer.
        layer: u32,
        /// What is done.
        action: Action,
    },
    /// Puts an overlay on a disk's image behind libvirt's back, and has the domain use it.
    PutOverlay {
        /// Target device.
        disk: String,
        /// The overlay.
        image: ImageRef,
        /// With empty bitmaps of the names that the image below has.
        bitmaps: bool,
    },
    /// Commits such an overlay, removes it, and has the domain use the image below.
    CommitOverlay {
        /// Target device.
        disk: String,
    },
    /// Waits for the backup job that the last `virDomainBackupBegin` started.
    AwaitBackup,
    /// Waits until that has failed.
    AwaitFailure,
    /// Reads what the running pull backup exports, then ends it as its client does, by
    /// `virDomainAbortJob`.
    EndBackup,
    /// Aborts the running backup, and waits for its end.
    AbortBackup,
    /// Asks the guest to shut down; it does so, and the domain ends.
    Shutdown(PlannedCall),
    /// Makes a disk's image and adds it to the domain.
    AttachDisk(PlannedDisk, PlannedCall),
    /// Issues a call under a label and does not wait for its answer.
    BeginCall(String, Call),
    /// Waits for the answer of the call of this label.
    JoinCall(String),
}

/// A call whose XML may come from an earlier answer.
#[derive(Clone, Debug)]
pub struct PlannedCall {
    /// The call; its `xml` is a placeholder where `xml_from` is set.
    pub call: Call,
    /// Label of the earlier answer that is sent as XML.
    pub xml_from: Option<String>,
    /// Texts of that answer, and what is sent instead of each.
    pub edits: Vec<(String, String)>,
    /// The layers of the call's disk whose paths are sent as `base` and `top`; 0 is the top one.
    pub ends: Ends,
    /// Label under which the answer is kept.
    pub keep_as: Option<String>,
    /// The error that it must be refused with; `None` where it must succeed.
    pub refused: Option<ErrorCode>,
}

/// The ends of a block job, as layers of its disk by then.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Ends {
    /// The lower one; `None` leaves it to libvirt.
    pub base: Option<u32>,
    /// The upper one.
    pub top: Option<u32>,
}

/// A scenario has something that no driver can execute yet.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not supported: no driver can execute this yet: {}", .missing.join(", "))]
pub struct NotSupported {
    /// What it is, in the order of the file.
    pub missing: Vec<String>,
}

impl Step {
    /// A step of this name.
    #[must_use]
    pub fn of(label: impl Into<String>, operation: Operation) -> Self {
        Self {
            label: label.into(),
            operation,
        }
    }

    /// A call that is complete.
    #[must_use]
    pub fn call(label: &str, call: Call) -> Self {
        Self {
            label: label.to_owned(),
            operation: Operation::Call(PlannedCall::literal(call)),
        }
    }

    /// Does something to one image of a disk; layer 0 is the top one.
    #[must_use]
    pub fn act_on(label: String, disk: &str, layer: u32, action: Action) -> Self {
        let disk = disk.to_owned();
        let operation = Operation::ActOnLayer {
            disk,
            layer,
            action,
        };
        Self::of(label, operation)
    }

    /// The guest writes one byte value over a range of a disk.
    #[must_use]
    pub fn guest_write(
        domain: &str,
        disk: &str,
        (offset, length): (Size, Size),
        pattern: u8,
    ) -> Self {
        Self {
            label: format!("guest-write {disk} {offset} {length} {pattern:#04X}"),
            operation: Operation::Act(Action::GuestWrite {
                domain: domain.to_owned(),
                disk: disk.to_owned(),
                offset,
                length,
                pattern,
            }),
        }
    }

    /// A backup begins, together with a checkpoint where its name and document are given.
    #[must_use]
    pub fn backup(
        domain: &str,
        backup: &BackupXml<'_>,
        checkpoint: Option<(&str, String)>,
        disks: &[PlannedDisk],
    ) -> Self {
        let mode = if backup.is_pull { "pull" } else { "push" };
        let base = backup.incremental;
        let kind = base.map_or_else(|| "full".to_owned(), |base| format!("incremental={base}"));
        let mut label = format!("backup-begin {mode} {kind}");
        for disk in &backup.disks {
            if let Some(own) = disk.incremental.or(disk.mode) {
                label = format!("{label} {}={own}", disk.disk);
            }
        }
        let mut call = Call::new(Api::DomainBackupBegin, domain).xml(backup_xml(backup, disks));
        if let Some((name, document)) = checkpoint {
            label = format!("{label} checkpoint={name}");
            call.checkpoint_xml = Some(document);
        }
        Self {
            label,
            operation: Operation::Call(PlannedCall::literal(call)),
        }
    }
}

impl PlannedCall {
    /// A call that is complete.
    #[must_use]
    pub fn literal(call: Call) -> Self {
        Self {
            call,
            xml_from: None,
            edits: Vec::new(),
            ends: Ends::default(),
            keep_as: None,
            refused: None,
        }
    }
}

impl PlannedDisk {
    /// True when it is on a bus that it can leave while the domain runs, without the guest's help.
    #[must_use]
    pub fn is_scsi(&self) -> bool {
        self.target.starts_with("sd")
    }

    /// All its images, top layer first.
    pub fn layers(&self) -> impl Iterator<Item = &ImageRef> {
        std::iter::once(&self.image).chain(&self.below)
    }

    /// True when the disk's image can store bitmaps.
    #[must_use]
    pub fn can_have_bitmaps(&self) -> bool {
        self.image.format == DiskFormat::Qcow2 && self.compat != Some(Compat::V2)
    }
}

//! What a plan is made of.

use crate::model::{Action, Call, DiskFormat, ImageRef, Size};

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
#[derive(Clone, Debug)]
pub struct PlannedDisk {
    /// Target device.
    pub target: String,
    /// Its image.
    pub image: ImageRef,
    /// Virtual size.
    pub size: Size,
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
    /// Waits for the backup job that the last `virDomainBackupBegin` started.
    AwaitBackup,
}

/// A call whose XML may come from an earlier answer.
#[derive(Clone, Debug)]
pub struct PlannedCall {
    /// The call; its `xml` is a placeholder where `xml_from` is set.
    pub call: Call,
    /// Label of the earlier answer that is sent as XML.
    pub xml_from: Option<String>,
    /// Label under which the answer is kept.
    pub keep_as: Option<String>,
}

impl PlannedCall {
    /// A call that is complete.
    #[must_use]
    pub fn literal(call: Call) -> Self {
        Self {
            call,
            xml_from: None,
            keep_as: None,
        }
    }
}

impl PlannedDisk {
    /// True when the disk's image can store bitmaps.
    #[must_use]
    pub fn can_have_bitmaps(&self) -> bool {
        self.image.format == DiskFormat::Qcow2
    }
}

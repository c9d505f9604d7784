//! Domains: their definition, and their QEMU process while they are active.

use super::backup::Ended;
use super::{BackupJob, Bitmaps, CheckpointTree};
use crate::model::{DiskFormat, DomainState};

/// A defined domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Domain {
    /// Its UUID, as text.
    pub uuid: String,
    /// Its disks, in the order of its XML.
    pub disks: Vec<Disk>,
    /// Its checkpoints.
    pub checkpoints: CheckpointTree,
    /// Its QEMU process.
    pub active: Option<Active>,
}

/// A disk of a domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Disk {
    /// Target device, such as `vda`.
    pub target: String,
    /// Absolute path of its image.
    pub source: String,
    /// The format that the domain's XML gives.
    pub format: DiskFormat,
}

/// What lives and dies with a QEMU process.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Active {
    /// True while the guest does not run.
    pub paused: bool,
    /// The bitmaps in memory: for each disk, its layers from the top.
    pub bitmaps: Vec<Vec<Bitmaps>>,
    /// The running backup job.
    pub job: Option<BackupJob>,
    /// Events of the last backup job, until they are taken.
    pub ended: Ended,
}

impl Domain {
    /// The domain's state.
    #[must_use]
    pub const fn state(&self) -> DomainState {
        match &self.active {
            None => DomainState::Shutoff,
            Some(Active { paused: true, .. }) => DomainState::Paused,
            Some(_) => DomainState::Running,
        }
    }

    /// The place of the disk with this target device.
    #[must_use]
    pub fn disk_index(&self, target: &str) -> Option<usize> {
        self.disks.iter().position(|disk| disk.target == target)
    }
}

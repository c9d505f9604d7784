//! Backup jobs.

use super::Extents;
use crate::model::{Content, DiskFormat, JobEvent};

/// A push backup that runs. What it will write was fixed when it began.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BackupJob {
    /// The disks that take part, in the order of the document.
    pub disks: Vec<JobDisk>,
}

/// One disk of a backup job.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JobDisk {
    /// Target device.
    pub disk: String,
    /// Absolute path of the target.
    pub target: String,
    /// Format of the target.
    pub format: DiskFormat,
    /// What is copied: everything, or what the base's bitmaps mark.
    pub extents: Extents,
    /// The disk's content when the job began.
    pub content: Content,
}

/// How the last backup job of a domain ended: its events, in the order libvirt emits them.
pub(super) type Ended = Vec<JobEvent>;

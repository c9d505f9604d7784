//! Backup jobs.

use super::host::{defined, impossible};
use super::{Extents, Image, Impossible, World};
use crate::model::{Content, DiskFormat, JobEnd, JobEvent};

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

impl World {
    /// Starts a backup job, and makes its targets, as libvirt formats them before the job.
    pub fn begin_backup(&mut self, name: &str, job: BackupJob) -> Result<(), Impossible> {
        let domain = defined(&mut self.domains, name)?;
        let Some(active) = &mut domain.active else {
            return impossible("a backup of an inactive domain".to_owned());
        };
        for disk in &job.disks {
            let target = Image::empty(disk.format, disk.content.size());
            self.images.insert(disk.target.clone(), target);
        }
        active.ended.clear();
        active.job = Some(job);
        Ok(())
    }

    /// Lets a running push job finish: its targets are written and its events emitted.
    /// `JOB_COMPLETED` comes before the last disk's `BLOCK_JOB_2`
    /// (`qemu_backup.c:qemuBackupNotifyBlockjobEnd`).
    pub fn finish_backup(&mut self, name: &str) -> Result<Vec<JobEvent>, Impossible> {
        let domain = defined(&mut self.domains, name)?;
        let Some(active) = &mut domain.active else {
            return impossible("waiting for a backup of an inactive domain".to_owned());
        };
        if let Some(job) = active.job.take() {
            for disk in &job.disks {
                let Some(target) = self.images.get_mut(&disk.target) else {
                    return impossible(format!("writing the removed target {}", disk.target));
                };
                for (offset, length) in disk.extents.ranges() {
                    target.copy_from(&disk.content, offset, length);
                }
            }
            let end = |disk: &JobDisk| JobEvent::BlockJob {
                disk: disk.disk.clone(),
                end: JobEnd::Completed,
            };
            active.ended = job.disks.iter().map(end).collect();
            let before_last = active.ended.len().saturating_sub(1);
            active.ended.insert(
                before_last,
                JobEvent::JobCompleted {
                    success: true,
                    message: None,
                },
            );
        }
        if active.ended.is_empty() {
            return impossible("waiting for a backup where none was started".to_owned());
        }
        Ok(std::mem::take(&mut active.ended))
    }
}

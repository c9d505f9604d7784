//! Backup jobs: what they will write or offer, and how they end.

use super::bitmap::GRANULARITY;
use super::host::{defined, impossible};
use super::{Bitmap, Extents, File, Image, Impossible, World};
use crate::model::{Content, DiskFormat, JobEnd, JobEvent, NbdServer};

/// A backup that runs. What it copies or offers was fixed when it began.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BackupJob {
    /// The `<incremental>` of its document.
    pub incremental: Option<String>,
    /// The server of a pull backup; `None` for a push.
    pub server: Option<PullServer>,
    /// All disks of the domain, in the order of the job: those of the document first.
    pub order: Vec<String>,
    /// The disks that take part, in that order.
    pub disks: Vec<JobDisk>,
    /// What libvirt knows of it.
    pub standing: Standing,
    /// The names of its exports that libvirt has made up.
    pub names: MadeUp,
}

/// What becomes of the names that libvirt has made up for exports. They are made up after the backup
/// was noted with the domain, which is noted again when its state changes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MadeUp {
    /// They are in memory alone.
    #[default]
    InMemory,
    /// They were noted with the domain.
    Noted,
    /// libvirt has started again since, and tells them no more.
    Lost,
}

/// What libvirt knows of a backup that runs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Standing {
    /// It is registered, and its job holds the domain.
    #[default]
    Job,
    /// It is registered, and nothing holds the domain: the call that began it has failed since
    /// (`qemu_backup.c:qemuBackupBegin`, when the checkpoint's metadata cannot be stored).
    Orphan,
    /// Not even that: another call has released the registration.
    Forgotten,
}

/// The `<server>` of a pull backup.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PullServer {
    /// Where it listens.
    pub place: NbdServer,
    /// The host's name, as the document has it.
    pub name: Option<String>,
}

/// One disk of a backup job.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JobDisk {
    /// Target device.
    pub disk: String,
    /// Its place in the domain.
    pub index: usize,
    /// Absolute path of the target of a push, or of the scratch file of a pull.
    pub store: String,
    /// Whether the client has made that file: libvirt neither makes it nor removes it.
    pub is_given: bool,
    /// Format of that file.
    pub format: DiskFormat,
    /// The number in that file's node name.
    pub node: u32,
    /// The checkpoint that the disk's part is based on; `None` for a full one.
    pub base: Option<String>,
    /// The attribute `exportname`.
    pub given_export: Option<String>,
    /// The attribute `exportbitmap`.
    pub given_bitmap: Option<String>,
    /// Everything, or what the base's bitmaps mark.
    pub dirty: Extents,
    /// The disk's content when the job began.
    pub content: Content,
    /// False once the guest has written to the disk.
    pub is_idle: bool,
}

impl JobDisk {
    /// The name of the export (`qemu_backup.c:qemuBackupBeginPullExportDisks`).
    #[must_use]
    pub fn export_name(&self) -> &str {
        self.given_export.as_deref().unwrap_or(&self.disk)
    }

    /// The name of the bitmap that is exported: only an incremental backup has one.
    #[must_use]
    pub fn exported_bitmap(&self) -> Option<&str> {
        self.base.as_ref()?;
        self.given_bitmap.as_deref()
    }

    /// The name of the bitmap that lies on the disk itself while an incremental push runs.
    #[must_use]
    pub fn temporary_bitmap(&self) -> String {
        format!("backup-{}", self.disk)
    }
}

/// How a job that is told to end does end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cancelling {
    /// By `virDomainAbortJob`, or by the end of one disk's job.
    Aborted,
    /// By libvirt itself, because its exports could not be made: nobody is told of the job's end.
    Orphaned,
}

/// What `errmsg` says of a job whose target could not grow: `strerror(ENOSPC)`.
const NO_SPACE: &str = "No space left on device";

/// What `errmsg` says of a job that was told to end.
const CANCELLED: &str = "Operation canceled";

impl World {
    /// What a base's bitmaps mark in any layer
    /// (`src/qemu/qemu_block.c:qemuBlockGetBitmapMergeActions`); everything where there is no
    /// base. `None` where the image is gone.
    #[must_use]
    pub fn to_copy(&self, name: &str, index: usize, base: Option<&str>) -> Option<Extents> {
        let domain = self.domains.get(name)?;
        let size = self.image(&domain.disks[index].source)?.content.size();
        let Some(base) = base else {
            return Some(Extents::all(size));
        };
        let mut merged = Extents::none(size);
        let layers = domain.active.as_ref()?.bitmaps[index].iter();
        for bitmap in layers.filter_map(|layer| layer.get(base)) {
            merged.merge(&bitmap.dirty);
        }
        Some(merged)
    }

    /// Starts a backup job whose server, if it has one, runs already. Its files are made, as
    /// libvirt formats them before the job.
    pub fn begin_backup(&mut self, name: &str, job: BackupJob) -> Result<(), Impossible> {
        for disk in job.disks.iter().filter(|disk| !disk.is_given) {
            let store = Image::empty(disk.format, disk.content.size());
            self.files.insert(disk.store.clone(), File::Image(store));
        }
        let Some(active) = &mut defined(&mut self.domains, name)?.active else {
            return impossible("a backup of an inactive domain");
        };
        for disk in &job.disks {
            let top = active.bitmaps[disk.index].first_mut();
            if let (None, Some(base), Some(top)) = (&job.server, &disk.base, top) {
                let granularity = top.get(base).map_or(GRANULARITY, |base| base.granularity);
                let merged = Bitmap {
                    persistent: false,
                    recording: false,
                    inconsistent: false,
                    busy: true,
                    granularity,
                    dirty: disk.dirty.clone(),
                };
                top.insert(disk.temporary_bitmap(), merged);
            }
        }
        active.job = Some(job);
        self.events.remove(name);
        Ok(())
    }

    /// Waits for the end of a domain's backup job, and takes its events. A push finishes by
    /// itself; a pull would run for ever.
    pub fn await_backup(&mut self, name: &str) -> Result<Vec<JobEvent>, Impossible> {
        let active = defined(&mut self.domains, name)?.active.as_mut();
        if let Some(job) = active.and_then(|active| active.job.as_ref()) {
            if job.server.is_some() {
                return impossible("waiting for a pull backup that nobody has ended");
            }
            self.finish_push(name)?;
        }
        match self.events.remove(name) {
            Some(events) => Ok(events),
            None => impossible("waiting for a backup where none was started"),
        }
    }

    /// A push job has copied everything.
    fn finish_push(&mut self, name: &str) -> Result<(), Impossible> {
        let Some(job) = self.take_job(name)? else {
            return Ok(());
        };
        for disk in &job.disks {
            if !self.has_room(&disk.store, disk.dirty.bytes())? {
                return self.fail_push(name, &job);
            }
        }
        for disk in &job.disks {
            let Some(target) = self.image_mut(&disk.store) else {
                return impossible(format!("writing the removed target {}", disk.store));
            };
            for (offset, length) in disk.dirty.ranges() {
                target.copy_from(&disk.content, offset, length);
            }
        }
        let completed = JobEvent::JobCompleted {
            success: true,
            message: None,
        };
        let completed = (job.standing == Standing::Job).then_some(completed);
        self.tell(name, &job, JobEnd::Completed, completed);
        Ok(())
    }

    /// A push job has found no room: all its targets go.
    fn fail_push(&mut self, name: &str, job: &BackupJob) -> Result<(), Impossible> {
        if job.disks.len() > 1 || job.standing != Standing::Job {
            return impossible("a push of several disks, or an orphaned one, without room");
        }
        self.remove_stores(job);
        let failed = JobEvent::JobCompleted {
            success: false,
            message: Some(NO_SPACE.to_owned()),
        };
        self.tell(name, job, JobEnd::Failed, Some(failed));
        Ok(())
    }

    /// Ends a job before its time. The files that libvirt made go; a pull counts as a success
    /// (`qemu_backup.c:qemuBackupNotifyBlockjobEnd`, `qemuBackupJobTerminate`).
    pub fn cancel_backup(&mut self, name: &str, cancelling: Cancelling) -> Result<(), Impossible> {
        let Some(job) = self.take_job(name)? else {
            return impossible("ending a backup that is not there");
        };
        if job.standing == Standing::Forgotten {
            // Nobody is left who would remove the files and stop the server.
            self.tell(name, &job, JobEnd::Cancelled, None);
            return Ok(());
        }
        if job.server.is_some() {
            // libvirt does not mind when somebody else has stopped it.
            let _not_running = self.stop_nbd(name)?;
        }
        self.remove_stores(&job);
        let completed = JobEvent::JobCompleted {
            success: job.server.is_some(),
            message: Some(CANCELLED.to_owned()),
        };
        let completed = (cancelling == Cancelling::Aborted).then_some(completed);
        self.tell(name, &job, JobEnd::Cancelled, completed);
        Ok(())
    }

    /// The call that began the backup has failed after its job had started.
    pub fn orphan_backup(&mut self, name: &str) -> Result<(), Impossible> {
        let active = defined(&mut self.domains, name)?.active.as_mut();
        if let Some(job) = active.and_then(|active| active.job.as_mut()) {
            job.standing = Standing::Orphan;
        }
        Ok(())
    }

    /// A later backup that fails releases the registration of an orphan
    /// (`qemu_backup.c:qemuBackupBegin`, its error path).
    pub fn forget_orphan(&mut self, name: &str) -> Result<(), Impossible> {
        let active = defined(&mut self.domains, name)?.active.as_mut();
        if let Some(job) = active.and_then(|active| active.job.as_mut())
            && job.standing == Standing::Orphan
        {
            job.standing = Standing::Forgotten;
        }
        Ok(())
    }

    /// The end of a QEMU process takes its backup job with it; its socket stays behind.
    pub(super) fn abandon_backup(&mut self, name: &str) -> Result<(), Impossible> {
        let Some(job) = self.take_job(name)? else {
            return Ok(());
        };
        self.remove_stores(&job);
        let failed = JobEvent::JobCompleted {
            success: false,
            message: None,
        };
        self.events.insert(name.to_owned(), vec![failed]);
        self.note_end(name, JobEnd::Cancelled);
        Ok(())
    }

    fn note_end(&mut self, name: &str, end: JobEnd) {
        if let Some(domain) = self.domains.get_mut(name) {
            domain.ended_job = Some(end);
        }
    }

    /// The job leaves its domain, and so do the bitmaps of its own.
    fn take_job(&mut self, name: &str) -> Result<Option<BackupJob>, Impossible> {
        let Some(active) = &mut defined(&mut self.domains, name)?.active else {
            return Ok(None);
        };
        let Some(job) = active.job.take() else {
            return Ok(None);
        };
        for disk in &job.disks {
            let top = active.bitmaps[disk.index].first_mut();
            if let (None, Some(_), Some(top)) = (&job.server, &disk.base, top) {
                top.remove(&disk.temporary_bitmap());
            }
        }
        Ok(Some(job))
    }

    fn remove_stores(&mut self, job: &BackupJob) {
        for disk in job.disks.iter().filter(|disk| !disk.is_given) {
            self.files.remove(&disk.store);
        }
    }

    /// `JOB_COMPLETED` comes before the last disk's `BLOCK_JOB_2`
    /// (`qemu_backup.c:qemuBackupNotifyBlockjobEnd`).
    fn tell(&mut self, name: &str, job: &BackupJob, end: JobEnd, completed: Option<JobEvent>) {
        if let Some(JobEvent::JobCompleted { success, .. }) = completed {
            // A pull that its client ends has its disks cancelled, and counts as completed.
            let end = if success { JobEnd::Completed } else { end };
            self.note_end(name, end);
        }
        let of_disk = |disk: &JobDisk| JobEvent::BlockJob {
            disk: disk.disk.clone(),
            end,
        };
        let mut events: Vec<JobEvent> = job.disks.iter().map(of_disk).collect();
        if let Some(completed) = completed {
            events.insert(events.len().saturating_sub(1), completed);
        }
        self.events.insert(name.to_owned(), events);
    }
}

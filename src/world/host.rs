//! The world as a whole, and what can happen in it.

use std::collections::BTreeMap;

use super::{Active, BackupJob, Bitmap, Bitmaps, Domain, Image};
use crate::model::{BitmapRow, BitmapTable, DiskFormat, JobEnd, JobEvent, Size};

/// Every file and every domain of the simulated host.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct World {
    /// Image files by absolute path.
    pub images: BTreeMap<String, Image>,
    /// Domains by name.
    pub domains: BTreeMap<String, Domain>,
    /// Seconds since the epoch, as far as anything in the world can tell; each new checkpoint
    /// takes the next one.
    pub clock: u64,
}

/// The world has no rule for this.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Impossible(pub String);

fn impossible<T>(what: String) -> Result<T, Impossible> {
    Err(Impossible(what))
}

impl World {
    /// Starts a domain: QEMU opens its images, loads their bitmaps and marks these in use on
    /// disk. A bitmap that was in use already was not closed properly: it is inconsistent and
    /// does not record (QEMU `block/qcow2-bitmap.c:qcow2_load_dirty_bitmaps`).
    pub fn start(&mut self, name: &str, paused: bool) -> Result<(), Impossible> {
        let domain = defined(&mut self.domains, name)?;
        let mut bitmaps = Vec::with_capacity(domain.disks.len());
        for disk in &domain.disks {
            let Some(image) = self.images.get_mut(&disk.source) else {
                return impossible(format!(
                    "starting a domain whose image {} is missing",
                    disk.source
                ));
            };
            if image.format != disk.format {
                return impossible(format!("opening {} as {}", disk.source, disk.format));
            }
            let mut live = image.stored.clone();
            for bitmap in live.values_mut().filter(|bitmap| bitmap.inconsistent) {
                bitmap.recording = false;
            }
            for stored in image.stored.values_mut() {
                stored.inconsistent = true;
            }
            bitmaps.push(vec![live]);
        }
        domain.active = Some(Active {
            paused,
            bitmaps,
            job: None,
            ended: Vec::new(),
        });
        Ok(())
    }

    /// Ends a domain's QEMU by a clean close, as destroy does: persistent bitmaps reach their
    /// images (QEMU `block/qcow2-bitmap.c:qcow2_store_persistent_dirty_bitmaps`).
    pub fn stop(&mut self, name: &str) -> Result<(), Impossible> {
        let domain = defined(&mut self.domains, name)?;
        let Some(active) = domain.active.take() else {
            return Ok(());
        };
        if active.job.is_some() {
            return impossible("stopping a domain while a backup runs".to_owned());
        }
        for (disk, layers) in domain.disks.iter().zip(active.bitmaps) {
            let Some(image) = self.images.get_mut(&disk.source) else {
                return impossible(format!("closing the removed image {}", disk.source));
            };
            let top = layers.into_iter().next().unwrap_or_default();
            image.stored = top
                .into_iter()
                .filter(|(_, bitmap)| bitmap.persistent)
                .collect();
        }
        Ok(())
    }

    /// The guest writes: the blocks change, and every recording bitmap of the top layer takes
    /// note.
    pub fn guest_write(
        &mut self,
        name: &str,
        disk: &str,
        offset: u64,
        length: u64,
        fill: u8,
    ) -> Result<(), Impossible> {
        let domain = defined(&mut self.domains, name)?;
        let (Some(index), Some(active)) = (domain.disk_index(disk), &mut domain.active) else {
            return impossible(format!("a guest write to {disk} of an inactive domain"));
        };
        let Some(image) = self.images.get_mut(&domain.disks[index].source) else {
            return impossible(format!("a guest write to the removed image of {disk}"));
        };
        image.write(offset, length, fill);
        let top = active.bitmaps[index]
            .first_mut()
            .into_iter()
            .flat_map(Bitmaps::values_mut);
        for bitmap in top.filter(|bitmap| bitmap.recording) {
            bitmap.dirty.mark(offset, length, bitmap.granularity.into());
        }
        Ok(())
    }

    /// Makes an empty image; a file of that name is replaced.
    pub fn create_image(
        &mut self,
        path: &str,
        format: DiskFormat,
        size: Size,
    ) -> Result<(), Impossible> {
        let holds = |domain: &Domain| {
            domain.active.is_some() && domain.disks.iter().any(|disk| disk.source == path)
        };
        if self.domains.values().any(holds) {
            return impossible(format!("creating {path} while a domain has it open"));
        }
        self.images
            .insert(path.to_owned(), Image::empty(format, size));
        Ok(())
    }

    /// Adds the bitmap of a checkpoint to the top layer of these disks.
    pub fn add_bitmaps(
        &mut self,
        name: &str,
        bitmap: &str,
        disks: &[usize],
    ) -> Result<(), Impossible> {
        let domain = defined(&mut self.domains, name)?;
        let Some(active) = &mut domain.active else {
            return impossible("a bitmap in an inactive domain".to_owned());
        };
        for &index in disks {
            let Some(image) = self.images.get(&domain.disks[index].source) else {
                return impossible(format!(
                    "a bitmap in the removed image of {}",
                    domain.disks[index].target
                ));
            };
            if let Some(top) = active.bitmaps[index].first_mut() {
                top.insert(
                    bitmap.to_owned(),
                    Bitmap::of_checkpoint(image.content.size()),
                );
            }
        }
        Ok(())
    }

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
            let end = |disk: &super::JobDisk| JobEvent::BlockJob {
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

    /// The bitmaps of an active domain, as QEMU's `query-named-block-nodes` shows them.
    pub fn live_bitmaps(&self, name: &str) -> Result<BitmapTable, Impossible> {
        let domain = self.domains.get(name);
        let Some((domain, active)) =
            domain.and_then(|domain| Some((domain, domain.active.as_ref()?)))
        else {
            return impossible(format!("the live bitmaps of {name}, which is not active"));
        };
        let mut rows = Vec::new();
        for (disk, layers) in domain.disks.iter().zip(&active.bitmaps) {
            for (layer, bitmaps) in (0..).zip(layers) {
                rows.extend(
                    bitmaps
                        .iter()
                        .map(|(name, bitmap)| row(&disk.target, layer, name, bitmap, true)),
                );
            }
        }
        Ok(BitmapTable::of(rows))
    }

    /// The bitmaps that an image stores, as `qemu-img info` shows them.
    pub fn stored_bitmaps(&self, disk: &str, path: &str) -> Result<Vec<BitmapRow>, Impossible> {
        let Some(image) = self.images.get(path) else {
            return impossible(format!("the bitmaps of the missing image {path}"));
        };
        Ok(image
            .stored
            .iter()
            .map(|(name, bitmap)| row(disk, 0, name, bitmap, false))
            .collect())
    }
}

fn defined<'a>(
    domains: &'a mut BTreeMap<String, Domain>,
    name: &str,
) -> Result<&'a mut Domain, Impossible> {
    domains
        .get_mut(name)
        .ok_or_else(|| Impossible(format!("the domain {name} is not defined")))
}

fn row(disk: &str, layer: u32, name: &str, bitmap: &Bitmap, live: bool) -> BitmapRow {
    BitmapRow {
        disk: disk.to_owned(),
        layer,
        name: name.to_owned(),
        persistent: bitmap.persistent,
        recording: bitmap.recording,
        inconsistent: bitmap.inconsistent,
        busy: bitmap.busy,
        granularity: bitmap.granularity,
        dirty: live.then(|| bitmap.dirty.bytes()),
    }
}

//! A domain's QEMU process: its start and end, and what the guest writes.

use super::host::{defined, impossible};
use super::{Active, Bitmaps, Impossible, World};

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
}

//! A domain's QEMU process: its start and its ends, and what the guest writes.

use std::collections::BTreeMap;

use super::host::{defined, impossible};
use super::{Active, Bitmap, Bitmaps, Disk, File, Image, Impossible, World};
use crate::model::DiskFormat;

impl World {
    /// Starts a domain: QEMU opens its images, loads their bitmaps and marks these in use on
    /// disk. A bitmap that was in use already was not closed properly: it is inconsistent, its data
    /// is not loaded, and it does not record. Whether the images of a saved domain become active
    /// only with the guest depends on the version
    /// (QEMU `block/qcow2-bitmap.c:qcow2_load_dirty_bitmaps`). Where QEMU does not open an image, it
    /// ends, and its reason is the inner error.
    pub fn start(
        &mut self,
        name: &str,
        paused: bool,
        restores_inactive_images: bool,
    ) -> Result<Result<(), String>, Impossible> {
        let disks = defined(&mut self.domains, name)?.disks.clone();
        for disk in disks.iter().filter(|disk| !disk.is_empty()) {
            for path in self.chain(&disk.source) {
                self.require_closed(&path)?;
                if self.image(&path).is_none() {
                    return impossible(format!("starting a domain whose image {path} is missing"));
                }
            }
            if let Some(image) = self.image(&disk.source)
                && image.format != disk.format
            {
                return impossible(format!("opening {} as {}", disk.source, disk.format));
            }
        }
        // A saved memory is loaded first; the images become active when the guest runs.
        let saved = defined(&mut self.domains, name)?.saved;
        let paused = paused || saved == Some(true);
        let inactive_images = restores_inactive_images && paused && saved.is_some();
        if inactive_images && disks.iter().any(|disk| disk.transient) {
            return impossible("restoring a domain with a transient disk");
        }
        if !inactive_images && let Err(reason) = self.open_images(&disks) {
            return Ok(Err(reason));
        }
        let bitmaps = if inactive_images {
            disks.iter().map(|_| vec![Bitmaps::new()]).collect()
        } else {
            self.load_bitmaps(&disks)?
        };
        let overlays = self.make_overlays(name, &disks);
        let (nodes, below, last_node) = self.number_nodes(&disks);
        let last_node = last_node + overlays;
        let domain = defined(&mut self.domains, name)?;
        domain.saved = None;
        domain.active = Some(Active {
            paused,
            inactive_images,
            bitmaps,
            nodes,
            below,
            last_node,
            job: None,
            mirrors: BTreeMap::new(),
            nbd: None,
        });
        Ok(Ok(()))
    }

    /// The disks take the first numbers, the last disk the first ones, each from its top layer down
    /// (seen on 11.3.0); overlays take the next.
    fn number_nodes(&self, disks: &[Disk]) -> (Vec<u32>, BTreeMap<usize, Vec<u32>>, u32) {
        let mut tops = vec![0; disks.len()];
        let mut below = BTreeMap::new();
        let mut last = 0;
        for (index, disk) in disks.iter().enumerate().rev() {
            tops[index] = last + 1;
            let count = u32::try_from(self.chain(&disk.source).len()).unwrap_or(u32::MAX);
            below.insert(index, (last + 2..=last + count).collect());
            last += count;
        }
        (tops, below, last)
    }

    /// QEMU opens the images of a domain, from the last disk to the first and each from its lowest
    /// layer, or says why it does not. Lower layers are opened for reading.
    pub(super) fn open_images(&mut self, disks: &[Disk]) -> Result<(), String> {
        for disk in disks.iter().rev() {
            let chain = self.chain(&disk.source);
            for path in chain.iter().skip(1).rev() {
                if let Some(image) = self.image(path) {
                    image.checked()?;
                }
            }
            if let Some(image) = self.image_mut(&disk.source) {
                image.open()?;
            }
        }
        Ok(())
    }

    /// Opens the images for writing: loads their bitmaps and marks these in use on disk.
    pub(super) fn load_bitmaps(&mut self, disks: &[Disk]) -> Result<Vec<Vec<Bitmaps>>, Impossible> {
        let mut bitmaps = Vec::with_capacity(disks.len());
        for disk in disks {
            if disk.is_empty() {
                bitmaps.push(Vec::new());
                continue;
            }
            let Some(image) = self.image_mut(&disk.source) else {
                return impossible(format!("opening {}", disk.source));
            };
            if disk.transient {
                if !image.stored.is_empty() {
                    return impossible("a transient disk whose image has bitmaps");
                }
                bitmaps.push(vec![Bitmaps::new(), Bitmaps::new()]);
                continue;
            }
            let mut layers = vec![image.loaded()];
            for stored in image.stored.values_mut() {
                stored.inconsistent = true;
            }
            let below = self.chain(&disk.source).into_iter().skip(1);
            layers.extend(below.filter_map(|path| Some(self.image(&path)?.loaded())));
            bitmaps.push(layers);
        }
        Ok(bitmaps)
    }

    /// Makes the overlays of transient disks, and counts them.
    fn make_overlays(&mut self, name: &str, disks: &[Disk]) -> u32 {
        let mut count = 0;
        let suffix = (!self.bare_overlays).then_some(name);
        for disk in disks.iter().filter(|disk| disk.transient) {
            if let Some(image) = self.image(&disk.source) {
                let overlay = Image::empty(DiskFormat::Qcow2, image.content.size());
                let file = File::Image(overlay);
                self.files.insert(disk.overlay(suffix), file);
                count += 1;
            }
        }
        count
    }

    /// The guest runs again, or for the first time since its memory was restored.
    pub fn resume(&mut self, name: &str) -> Result<(), Impossible> {
        let domain = defined(&mut self.domains, name)?;
        let disks = domain.disks.clone();
        let Some(active) = &mut domain.active else {
            return impossible(format!("resuming {name}, which is not active"));
        };
        active.paused = false;
        if !std::mem::take(&mut active.inactive_images) {
            return Ok(());
        }
        self.open_images(&disks).map_err(Impossible)?;
        let bitmaps = self.load_bitmaps(&disks)?;
        if let Some(active) = &mut defined(&mut self.domains, name)?.active {
            active.bitmaps = bitmaps;
        }
        Ok(())
    }

    /// Saves a domain's memory and ends its QEMU, which closes the images
    /// (`src/qemu/qemu_saveimage.c`).
    pub fn save(&mut self, name: &str) -> Result<(), Impossible> {
        let domain = defined(&mut self.domains, name)?;
        let Some(active) = &domain.active else {
            return impossible(format!("saving {name}, which is not active"));
        };
        let has_transient = domain.disks.iter().any(|disk| disk.transient);
        if active.job.is_some() || active.inactive_images || has_transient {
            return impossible(format!("saving {name} in this state"));
        }
        domain.saved = Some(active.paused);
        self.stop(name)
    }

    /// Ends a domain's QEMU by a clean close, as destroy does: the bitmaps reach their images.
    pub fn stop(&mut self, name: &str) -> Result<(), Impossible> {
        self.abandon_backup(name)?;
        let domain = defined(&mut self.domains, name)?;
        let Some(active) = domain.active.take() else {
            return Ok(());
        };
        if active.inactive_images {
            self.forget_undefined(name);
            return Ok(());
        }
        let disks = domain.disks.clone();
        self.remove_overlays(name, &disks);
        for (disk, layers) in disks.iter().zip(active.bitmaps) {
            if disk.is_empty() || disk.transient {
                continue;
            }
            self.close_image(&disk.source, layers.into_iter().next().unwrap_or_default())?;
        }
        self.forget_undefined(name);
        Ok(())
    }

    /// A domain without definition is gone when it stops, and its metadata with it
    /// (`src/qemu/qemu_domain.c:qemuDomainRemoveInactive`).
    fn forget_undefined(&mut self, name: &str) {
        let domain = self.domains.get(name);
        if domain.is_some_and(|domain| !domain.persistent) {
            self.domains.remove(name);
        }
    }

    /// Ends a domain's QEMU without a close: what was in memory alone is lost, and the bitmaps
    /// that it had loaded stay marked in use.
    pub fn kill(&mut self, name: &str) -> Result<(), Impossible> {
        if defined(&mut self.domains, name)?.active.is_none() {
            return impossible(format!("killing the QEMU of {name}, which is not active"));
        }
        self.abandon_backup(name)?;
        let domain = defined(&mut self.domains, name)?;
        domain.active = None;
        let disks = domain.disks.clone();
        self.remove_overlays(name, &disks);
        self.forget_undefined(name);
        Ok(())
    }

    fn remove_overlays(&mut self, name: &str, disks: &[Disk]) {
        let suffix = (!self.bare_overlays).then_some(name);
        for disk in disks.iter().filter(|disk| disk.transient) {
            self.files.remove(&disk.overlay(suffix));
        }
    }

    /// Stores what a node has in memory: its persistent bitmaps. An inconsistent one is left in
    /// the image as it is (QEMU `block/qcow2-bitmap.c:qcow2_store_persistent_dirty_bitmaps`).
    pub(super) fn close_image(&mut self, path: &str, memory: Bitmaps) -> Result<(), Impossible> {
        let Some(image) = self.image_mut(path) else {
            return impossible(format!("closing the removed image {path}"));
        };
        let old = std::mem::take(&mut image.stored);
        let kept = |(name, bitmap): (String, Bitmap)| {
            let bitmap = if bitmap.inconsistent {
                old.get(&name)?.clone()
            } else {
                bitmap
            };
            bitmap.persistent.then_some((name, bitmap))
        };
        image.stored = memory.into_iter().filter_map(kept).collect();
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
        let mut written = domain.disks.iter().filter(|found| found.target == disk);
        if written.any(|disk| disk.transient || disk.read_only) {
            return impossible(format!("a guest write to {disk}, which keeps none"));
        }
        let (Some(index), Some(active)) = (domain.disk_index(disk), &mut domain.active) else {
            return impossible(format!("a guest write to {disk} of an inactive domain"));
        };
        if active.inactive_images {
            return impossible(format!("a guest write to {disk}, which is not active yet"));
        }
        let top = active.bitmaps[index]
            .first_mut()
            .into_iter()
            .flat_map(Bitmaps::values_mut);
        for bitmap in top.filter(|bitmap| bitmap.recording) {
            bitmap.dirty.mark(offset, length, bitmap.granularity.into());
        }
        let written = active.job.iter_mut().flat_map(|job| &mut job.disks);
        for part in written.filter(|part| part.index == index) {
            part.is_idle = false;
        }
        if let Some(mirror) = active.mirrors.get_mut(&index) {
            mirror.is_idle = false;
        }
        let source = domain.disks[index].source.clone();
        self.write_through(&source, (offset, length), fill)
    }

    /// Adds the bitmap of a checkpoint to the top layer of these disks.
    pub fn add_bitmaps(
        &mut self,
        name: &str,
        bitmap: &str,
        disks: &[usize],
    ) -> Result<(), Impossible> {
        for &index in disks {
            let domain = defined(&mut self.domains, name)?;
            let source = domain.disks[index].source.clone();
            let Some(size) = self.image(&source).map(|image| image.content.size()) else {
                return impossible(format!("a bitmap in the removed image {source}"));
            };
            let active = defined(&mut self.domains, name)?.active.as_mut();
            let top = active.and_then(|active| active.bitmaps[index].first_mut());
            let Some(top) = top else {
                return impossible("a bitmap in an inactive domain");
            };
            top.insert(bitmap.to_owned(), Bitmap::of_checkpoint(size));
        }
        Ok(())
    }

    /// Removes bitmaps from every layer that has them, and from the images that store them
    /// (QEMU `block/monitor/bitmap-qmp-cmds.c:block_dirty_bitmap_remove`).
    pub fn remove_bitmaps(
        &mut self,
        name: &str,
        bitmaps: &[(usize, String)],
    ) -> Result<(), Impossible> {
        for (index, bitmap) in bitmaps {
            let domain = defined(&mut self.domains, name)?;
            let source = domain.disks[*index].source.clone();
            let Some(active) = &mut domain.active else {
                return impossible("removing a bitmap from an inactive domain");
            };
            for layer in &mut active.bitmaps[*index] {
                layer.remove(bitmap);
            }
            for path in self.chain(&source) {
                if let Some(image) = self.image_mut(&path) {
                    // A lower layer is opened for writing meanwhile.
                    image.open().map_err(Impossible)?;
                    image.remove_stored(bitmap);
                }
            }
        }
        Ok(())
    }
}

//! Disks of more than one layer: what lies below an image, what the guest reads through it, and
//! overlays that are put on it or committed into it while nobody has it open.

use std::collections::BTreeMap;

use super::host::{defined, impossible};
use super::{Bitmap, Bitmaps, Domain, Extents, File, Image, Impossible, World};
use crate::model::{Content, DiskFormat, ImageRef, Size};

impl World {
    /// The path of an image and of those below it, top first.
    #[must_use]
    pub fn chain(&self, path: &str) -> Vec<String> {
        let mut chain = vec![path.to_owned()];
        while let Some(below) = chain
            .last()
            .and_then(|path| self.image(path)?.backing.clone())
        {
            // No tool makes a ring, and QEMU opens none.
            if chain.contains(&below) {
                break;
            }
            chain.push(below);
        }
        chain
    }

    /// What an image reads as, with all that lies below it; `None` where one of them is gone.
    #[must_use]
    pub fn content(&self, path: &str) -> Option<Content> {
        let chain = self.chain(path);
        let layers: Option<Vec<&Image>> = chain.iter().map(|path| self.image(path)).collect();
        Image::read_chain(&layers?)
    }

    /// The images of a domain's disks, top layer first.
    pub fn layers(&self, name: &str) -> Result<BTreeMap<String, Vec<ImageRef>>, Impossible> {
        let Some(domain) = self.domains.get(name) else {
            return impossible(format!("the images of {name}, which is not defined"));
        };
        let mut layers = BTreeMap::new();
        for disk in domain.disks.iter().filter(|disk| !disk.is_empty()) {
            let image = |path: String| {
                let format = self.image(&path).map_or(disk.format, |image| image.format);
                ImageRef { path, format }
            };
            let chain = self.chain(&disk.source).into_iter().map(image);
            layers.insert(disk.target.clone(), chain.collect());
        }
        Ok(layers)
    }

    /// How much the uppermost `count` images of a chain hold themselves.
    #[must_use]
    pub fn held_by(&self, path: &str, count: usize) -> Size {
        let chain = self.chain(path);
        let images = chain.iter().take(count).filter_map(|path| self.image(path));
        let held = images.map(|image| image.allocated.clone());
        let all = held.reduce(|mut all, held| {
            all.merge(&held);
            all
        });
        all.map_or(Size(0), |all| all.bytes())
    }

    /// Writes through a chain of images: the clusters that the top one does not hold yet get what lies
    /// below first (QEMU `block/qcow2.c`, copy on write).
    pub(super) fn write_through(
        &mut self,
        path: &str,
        (offset, length): (u64, u64),
        fill: u8,
    ) -> Result<(), Impossible> {
        let Some(content) = self.content(path) else {
            return impossible(format!("writing to {path}, or to what lies below it"));
        };
        if let Some(image) = self.image_mut(path) {
            image.copy_up(&content, offset, length);
            image.write(offset, length, fill);
        }
        Ok(())
    }

    /// The paths that a domain's QEMU process has open.
    pub(super) fn opened_by(&self, domain: &Domain) -> Vec<String> {
        let Some(active) = &domain.active else {
            return Vec::new();
        };
        let disks = domain.disks.iter().filter(|disk| !disk.is_empty());
        let layers = disks.flat_map(|disk| self.chain(&disk.source));
        let stores = active.job.iter().flat_map(|job| &job.disks);
        let stores = stores.map(|disk| disk.store.clone());
        let copies = active.mirrors.values().filter_map(|mirror| mirror.copy());
        layers
            .chain(stores)
            .chain(copies.map(str::to_owned))
            .collect()
    }

    /// `qemu-img create -b`: an overlay on a closed image, with empty bitmaps like those below where that
    /// is wanted.
    pub fn create_overlay(
        &mut self,
        image: &ImageRef,
        backing: &ImageRef,
        bitmaps: bool,
    ) -> Result<(), Impossible> {
        self.require_closed(&backing.path)?;
        let Some(below) = self.opened(backing) else {
            return impossible(format!(
                "an overlay on {}, which is no such image",
                backing.path
            ));
        };
        let size = below.content.size();
        let empty = |(name, bitmap): (String, Bitmap)| {
            let added = Bitmap {
                granularity: bitmap.granularity,
                ..Bitmap::of_checkpoint(size)
            };
            (name, added)
        };
        let stored = if bitmaps {
            below.shown().into_iter().map(empty).collect()
        } else {
            Bitmaps::new()
        };
        self.create_image(&image.path, image.format, size)?;
        if let Some(overlay) = self.image_mut(&image.path) {
            overlay.backing = Some(backing.path.clone());
            overlay.stored = stored;
        }
        Ok(())
    }

    /// `qemu-img commit`: the image below takes what the overlay holds, and its bitmaps take note of that
    /// as of any writer. Those of the overlay stay there.
    pub fn commit_image(&mut self, image: &ImageRef) -> Result<(), Impossible> {
        let overlay = self.opened_for_writing(image)?.clone();
        let Some(below) = overlay.backing.clone() else {
            return impossible(format!("committing {}, which lies on nothing", image.path));
        };
        self.require_closed(&below)?;
        let Some(below) = self.image_mut(&below) else {
            return impossible(format!("committing into the removed image {below}"));
        };
        below.open().map_err(Impossible)?;
        for (offset, length) in overlay.allocated.ranges() {
            below.copy_from(&overlay.content, offset, length);
            let recording = below.stored.values_mut();
            for bitmap in recording.filter(|bitmap| bitmap.recording && !bitmap.inconsistent) {
                bitmap.dirty.mark(offset, length, bitmap.granularity.into());
            }
        }
        Ok(())
    }

    /// New top layers for the disks of a domain, each at its path: a live external snapshot. A bitmap
    /// that can be used goes on in an empty one of the same name and granularity
    /// (`src/qemu/qemu_block.c:qemuBlockBitmapsHandle…`, `qemu_snapshot.c:qemuSnapshotDiskPrepareOne`).
    /// The old image is opened anew for reading, which stores its bitmaps.
    pub fn put_overlays(
        &mut self,
        name: &str,
        overlays: &[(usize, String)],
    ) -> Result<(), Impossible> {
        for (index, path) in overlays {
            let domain = defined(&mut self.domains, name)?;
            let source = domain.disks[*index].source.clone();
            let Some(size) = self.image(&source).map(|image| image.content.size()) else {
                return impossible(format!("an overlay on the removed image {source}"));
            };
            let overlay = Image {
                backing: Some(source.clone()),
                ..Image::empty(DiskFormat::Qcow2, size)
            };
            self.files.insert(path.clone(), File::Image(overlay));
            let domain = defined(&mut self.domains, name)?;
            domain.disks[*index].source.clone_from(path);
            domain.disks[*index].format = DiskFormat::Qcow2;
            let Some(active) = &mut domain.active else {
                continue;
            };
            let old = active.bitmaps[*index].first().cloned().unwrap_or_default();
            let goes_on = old.iter().filter(|(_, bitmap)| bitmap.is_usable());
            let emptied = goes_on.map(|(name, bitmap)| {
                let dirty = Extents::none(size);
                (
                    name.clone(),
                    Bitmap {
                        dirty,
                        ..bitmap.clone()
                    },
                )
            });
            let emptied = emptied.collect();
            let below = active.nodes[*index];
            active.nodes[*index] = active.take_node();
            active.below.entry(*index).or_default().insert(0, below);
            active.bitmaps[*index].insert(0, emptied);
            self.close_image(&source, old)?;
        }
        Ok(())
    }
}

impl Image {
    /// The clusters of a range become the image's own, with what the disk reads there.
    fn copy_up(&mut self, disk: &Content, offset: u64, length: u64) {
        const CLUSTER: u64 = 65_536;
        if self.backing.is_none() || length == 0 {
            return;
        }
        let start = offset - offset % CLUSTER;
        let end = (offset + length).next_multiple_of(CLUSTER);
        self.copy_from(disk, start, end - start);
    }
}

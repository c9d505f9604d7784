//! What becomes of a disk's data and bitmaps where layers are merged: by a commit downwards, by a pull
//! upwards.

use std::collections::BTreeSet;

use super::host::{defined, impossible};
use super::mirror::active_of;
use super::{Bitmap, Bitmaps, Extents, Image, Impossible, World, chain_is_valid};
use crate::model::{DiskFormat, Size};

impl World {
    /// Writes layers into the one at `base`, which then follows what was above them
    /// (`src/qemu/qemu_block.c:qemuBlockBitmapsHandleCommitFinish`).
    pub fn commit(
        &mut self,
        name: &str,
        index: usize,
        (top, base): (usize, usize),
    ) -> Result<(), Impossible> {
        let (source, chain) = self.layers_of(name, index)?;
        let Some(below) = chain.get(base).cloned().filter(|_| top < base) else {
            return impossible(format!("committing {top} to {base} of {source}"));
        };
        for path in chain[top..base].iter().rev() {
            let Some(upper) = self.image(path).cloned() else {
                return impossible(format!("committing the removed image {path}"));
            };
            let Some(lower) = self.image_mut(&below) else {
                return impossible(format!("committing into the removed image {below}"));
            };
            lower.open().map_err(Impossible)?;
            for (offset, length) in upper.allocated.ranges() {
                lower.copy_from(&upper.content, offset, length);
            }
        }
        self.mark_committed(name, index, (top, base))?;
        let can_store = self
            .image(&below)
            .is_some_and(|image| image.format == DiskFormat::Qcow2);
        let size = self.image(&below).map(|image| image.content.size());
        let adds_none = self.commits_add_no_bitmaps;
        let active = active_of(self, name)?;
        let old = std::mem::take(&mut active.bitmaps[index]);
        let mut layers = old.clone();
        if can_store {
            layers[base] = merged(&old, top..base, Some(&old[base]));
            if top > 0 && adds_none {
                layers[base].retain(|name, _| old[base].contains_key(name));
            }
        } else if top == 0 {
            layers[base] = left_by_pivot(size);
        }
        layers.drain(top..base);
        active.bitmaps[index].clone_from(&layers);
        let mut nodes: Vec<u32> = std::iter::once(active.nodes[index])
            .chain(active.below.get(&index).cloned().unwrap_or_default())
            .collect();
        nodes.drain(top..base);
        active.nodes[index] = nodes.remove(0);
        active.below.insert(index, nodes);
        if let Some(above) = top.checked_sub(1) {
            if let Some(image) = self.image_mut(&chain[above]) {
                image.backing = Some(below.clone());
            }
            // It was open for writing meanwhile; its bitmaps are stored when that ends.
            return self.close_image(&below, layers[top].clone());
        }
        let format = self.image(&below).map(|image| image.format);
        let disk = &mut defined(&mut self.domains, name)?.disks[index];
        disk.format = format.unwrap_or(disk.format);
        disk.source.clone_from(&below);
        if let Some(image) = self.image_mut(&below) {
            // From now on it is open for writing, as any top layer.
            for stored in image.stored.values_mut() {
                stored.inconsistent = true;
            }
        }
        self.close_image(&source, old.into_iter().next().unwrap_or_default())
    }

    /// While layers are written into one below, that is open for writing, and what it has of bitmaps takes
    /// note.
    pub(super) fn mark_committed(
        &mut self,
        name: &str,
        index: usize,
        (top, base): (usize, usize),
    ) -> Result<(), Impossible> {
        let (_, chain) = self.layers_of(name, index)?;
        let written: Vec<(u64, u64)> = chain[top..base]
            .iter()
            .filter_map(|path| self.image(path))
            .flat_map(|image| image.allocated.ranges())
            .collect();
        let below = active_of(self, name)?.bitmaps[index].get_mut(base);
        let recording = below.into_iter().flat_map(Bitmaps::values_mut);
        for bitmap in recording.filter(|bitmap| bitmap.recording) {
            for (offset, length) in &written {
                bitmap
                    .dirty
                    .mark(*offset, *length, bitmap.granularity.into());
            }
        }
        Ok(())
    }

    /// Reads the layers between the top one and the one at `base` into the top one, which then lies on
    /// that (`src/qemu/qemu_blockjob.c:qemuBlockJobProcessEventCompletedPull`).
    pub(super) fn pull(
        &mut self,
        name: &str,
        index: usize,
        base: Option<usize>,
    ) -> Result<(), Impossible> {
        let (source, chain) = self.layers_of(name, index)?;
        let base = base.unwrap_or(chain.len());
        if base == 0 || base > chain.len() {
            return impossible(format!("pulling into {source} from above {base}"));
        }
        let layers: Option<Vec<Image>> = chain[..base]
            .iter()
            .map(|path| self.image(path).cloned())
            .collect();
        let Some(layers) = layers else {
            return impossible(format!("pulling into {source} from a removed image"));
        };
        let content = Image::read_chain(&layers.iter().collect::<Vec<_>>()).unwrap_or_default();
        let Some(top) = self.image_mut(&source) else {
            return impossible(format!("pulling into the removed image {source}"));
        };
        for (offset, length) in layers.iter().flat_map(|layer| layer.allocated.ranges()) {
            top.copy_from(&content, offset, length);
        }
        top.backing = chain.get(base).cloned();
        let active = active_of(self, name)?;
        let old = std::mem::take(&mut active.bitmaps[index]);
        let top = merged(&old, 1..base, Some(&old[0]));
        let below = old.iter().skip(base).cloned();
        active.bitmaps[index] = std::iter::once(top).chain(below).collect();
        if let Some(nodes) = active.below.get_mut(&index) {
            nodes.drain(..base - 1);
        }
        Ok(())
    }

    /// The image of a disk, and all its layers from that one on.
    fn layers_of(&mut self, name: &str, index: usize) -> Result<(String, Vec<String>), Impossible> {
        let disk = &defined(&mut self.domains, name)?.disks[index];
        let source = disk.source.clone();
        let chain = self.chain(&source);
        Ok((source, chain))
    }
}

/// The bitmap that notes what is written while a copy takes over stays where there are no others to take
/// it (`src/qemu/qemu_driver.c:qemuDomainBlockPivot`; seen on 11.3.0).
pub(super) fn left_by_pivot(size: Option<Size>) -> Bitmaps {
    let left = Bitmap {
        persistent: false,
        ..Bitmap::of_checkpoint(size.unwrap_or_default())
    };
    Bitmaps::from([("libvirt-tmp-activewrite".to_owned(), left)])
}

/// What the layers of a range mark of each bitmap that can be used in the uppermost of them, on top of
/// those that the receiving image has.
pub(super) fn merged(
    layers: &[Bitmaps],
    range: std::ops::Range<usize>,
    receiving: Option<&Bitmaps>,
) -> Bitmaps {
    let mut all = receiving.cloned().unwrap_or_default();
    let sources = &layers[range];
    let names: BTreeSet<&String> = sources.iter().take(1).flat_map(Bitmaps::keys).collect();
    for name in names
        .into_iter()
        .filter(|name| chain_is_valid(sources, name))
    {
        let found = || sources.iter().filter_map(|layer| layer.get(name));
        for bitmap in found() {
            let empty = || Bitmap {
                dirty: Extents::none(bitmap.dirty.size()),
                ..bitmap.clone()
            };
            all.entry(name.clone())
                .or_insert_with(empty)
                .dirty
                .merge(&bitmap.dirty);
        }
    }
    all
}

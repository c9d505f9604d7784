//! `qemu-img bitmap` and `amend`: bitmaps and versions of closed images.

use super::bitmap::GRANULARITY;
use super::host::{defined, impossible};
use super::{Bitmap, Extents, Impossible, World};
use crate::model::{BitmapChange, Compat, DiskFormat, ImageRef, Size};

/// The smallest and the largest granularity that qcow2 can store
/// (QEMU `block/qcow2-bitmap.c`: `BME_MIN_GRANULARITY_BITS`, `BME_MAX_GRANULARITY_BITS`).
const GRANULARITIES: std::ops::RangeInclusive<u32> = (1 << 9)..=(1 << 31);

impl World {
    /// Changes one bitmap of a closed image. What the tool refuses is impossible here.
    pub fn change_bitmap(
        &mut self,
        image: &ImageRef,
        name: &str,
        change: BitmapChange,
    ) -> Result<(), Impossible> {
        let path = &image.path;
        self.require_closed(path)?;
        if image.format != DiskFormat::Qcow2 || self.opened(image).is_none() {
            return impossible(format!("bitmaps in {path}, which is no qcow2 image"));
        }
        let found = self.opened_for_writing(image)?;
        let size = found.content.size();
        if let BitmapChange::Add { granularity } = change {
            if found.stored.contains_key(name) {
                return impossible(format!("adding the bitmap {name}, which {path} has"));
            }
            let bitmap = Bitmap {
                granularity: granularity_of(granularity)?,
                ..Bitmap::of_checkpoint(size)
            };
            found.stored.insert(name.to_owned(), bitmap);
            return Ok(());
        }
        let Some(bitmap) = found.stored.get_mut(name) else {
            return impossible(format!("changing the bitmap {name}, which {path} lacks"));
        };
        // QEMU: block/dirty-bitmap.c:bdrv_dirty_bitmap_check; a removal alone allows it.
        let inconsistent = bitmap.inconsistent;
        match change {
            BitmapChange::Remove => {
                found.remove_stored(name);
            }
            BitmapChange::Clear | BitmapChange::Enable | BitmapChange::Disable if inconsistent => {
                return impossible(format!("changing the bitmap {name}, which is inconsistent"));
            }
            BitmapChange::Clear => bitmap.dirty = Extents::none(size),
            BitmapChange::Enable => bitmap.recording = true,
            BitmapChange::Disable => bitmap.recording = false,
            BitmapChange::Add { .. } => {}
        }
        Ok(())
    }
}

impl World {
    /// `block-dirty-bitmap-…` on a layer of a disk of a running QEMU (QEMU
    /// `block/monitor/bitmap-qmp-cmds.c`). What QEMU refuses is impossible here.
    pub fn change_live_bitmap(
        &mut self,
        (name, disk, layer): (&str, &str, u32),
        bitmap: &str,
        change: BitmapChange,
    ) -> Result<(), Impossible> {
        let domain = defined(&mut self.domains, name)?;
        let (Some(index), Some(active)) = (domain.disk_index(disk), &mut domain.active) else {
            return impossible(format!("a bitmap of {disk} in an inactive domain"));
        };
        if layer > 0 {
            return impossible(format!("changing a bitmap below the top layer of {disk}"));
        }
        let Some(top) = active.bitmaps[index].first_mut() else {
            return impossible(format!("a bitmap of the empty drive {disk}"));
        };
        let source = domain.disks[index].source.clone();
        if let BitmapChange::Add { granularity } = change {
            let granularity = granularity_of(granularity)?;
            let size = self.image(&source).map(|image| image.content.size());
            let added = Bitmap {
                granularity,
                ..Bitmap::of_checkpoint(size.unwrap_or_default())
            };
            let domain = defined(&mut self.domains, name)?;
            let active = domain.active.as_mut();
            let top = active.and_then(|active| active.bitmaps[index].first_mut());
            if top.is_none_or(|top| top.insert(bitmap.to_owned(), added).is_some()) {
                return impossible(format!("adding the bitmap {bitmap}, which {disk} has"));
            }
            return Ok(());
        }
        let Some(found) = top.get_mut(bitmap).filter(|found| !found.busy) else {
            return impossible(format!("changing the bitmap {bitmap} of {disk}"));
        };
        match change {
            BitmapChange::Remove => {
                top.remove(bitmap);
                if let Some(image) = self.image_mut(&source) {
                    image.remove_stored(bitmap);
                }
            }
            BitmapChange::Clear | BitmapChange::Enable | BitmapChange::Disable
                if found.inconsistent =>
            {
                return impossible(format!(
                    "changing the bitmap {bitmap}, which is inconsistent"
                ));
            }
            BitmapChange::Clear => found.dirty = Extents::none(found.dirty.size()),
            BitmapChange::Enable => found.recording = true,
            BitmapChange::Disable => found.recording = false,
            BitmapChange::Add { .. } => {}
        }
        Ok(())
    }

    /// `qemu-img amend -o compat=`. An old version stores no bitmaps, and nobody frees their clusters.
    pub fn amend(&mut self, image: &ImageRef, compat: Compat) -> Result<(), Impossible> {
        let path = &image.path;
        self.require_closed(path)?;
        let is_qcow2 = image.format == DiskFormat::Qcow2 && self.opened(image).is_some();
        if !is_qcow2 {
            return impossible(format!("the version of {path}, which is no qcow2 image"));
        }
        let found = self.opened_for_writing(image)?;
        if compat == Compat::V2 {
            found.drop_bitmaps();
        }
        found.compat = compat;
        Ok(())
    }
}

fn granularity_of(given: Option<Size>) -> Result<u32, Impossible> {
    let Some(given) = given else {
        return Ok(GRANULARITY);
    };
    let granularity = u32::try_from(given.bytes()).ok();
    let granularity =
        granularity.filter(|bytes| bytes.is_power_of_two() && GRANULARITIES.contains(bytes));
    granularity.ok_or_else(|| Impossible(format!("a bitmap with the granularity {given}")))
}

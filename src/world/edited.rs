//! Images whose bytes were edited while nobody had them open.
//!
//! What such an image stores is what QEMU makes of the bytes; the next one that opens it for
//! writing puts them in order.

use super::host::impossible;
use super::{Bitmap, Bitmaps, Extents, Image, Impossible, World};
use crate::model::{BitmapDamageKind, Compat, Damage, DiskFormat, ImageDamageKind, ImageRef, Size};
use crate::qcow2::{Access, Contents, Description, StoredBitmap, apply, check, edits, load, write};

/// Bytes of a cluster; the simulated images have no other.
const CLUSTER: u64 = 65_536;

impl Image {
    /// The bytes of its metadata, with one cluster of the guest's.
    fn bytes(&self) -> Vec<u8> {
        if let Some(edited) = &self.edited {
            return edited.clone();
        }
        let bitmaps: Vec<StoredBitmap> = self.stored.iter().map(to_stored).collect();
        let first = self.allocated.ranges().next().map(|(offset, _)| offset);
        let guest = first.map(|offset| {
            let offset = offset - offset % CLUSTER;
            let data = (offset..offset + CLUSTER).map(|at| self.content.byte(at));
            (offset, data.collect())
        });
        write(&Description {
            size: self.content.size().bytes(),
            bitmaps: &bitmaps,
            guest,
        })
    }

    /// What QEMU finds when it opens the image, or why it does not.
    fn contents(&self, access: Access) -> Result<Option<Contents>, String> {
        let edited = self.edited.as_ref();
        edited.map(|bytes| load(bytes, access)).transpose()
    }

    /// The bitmaps that `qemu-img info` shows of a closed image; none where it opens nothing.
    pub(super) fn shown(&self) -> Bitmaps {
        match self.contents(Access::Read) {
            Ok(None) => self.stored.clone(),
            Ok(Some(contents)) => bitmaps(contents.bitmaps, self.content.size()),
            Err(_) => Bitmaps::new(),
        }
    }

    /// The bitmaps that QEMU loads: those that were in use already are inconsistent, they do not record,
    /// and their data is not loaded.
    pub(super) fn loaded(&self) -> Bitmaps {
        let mut loaded = self.shown();
        for bitmap in loaded.values_mut().filter(|bitmap| bitmap.inconsistent) {
            bitmap.recording = false;
            bitmap.dirty = Extents::none(self.content.size());
        }
        loaded
    }

    /// The version that `qemu-img info` shows.
    #[must_use]
    pub fn version(&self) -> Compat {
        match self.contents(Access::Read) {
            Ok(Some(contents)) if contents.version < 3 => Compat::V2,
            Ok(_) | Err(_) => self.compat,
        }
    }

    /// What `qemu-img check` finds: corruptions, leaked clusters; or why it opens nothing.
    pub fn checked(&self) -> Result<(u64, u64), String> {
        self.contents(Access::Read)?;
        let found = self.edited.as_ref().map(|bytes| check(bytes));
        let found = found.unwrap_or_default();
        Ok((found.corruptions, found.leaks + self.leaked))
    }

    /// QEMU opens the image for writing: from now on it stores what was found in it.
    pub(super) fn open(&mut self) -> Result<(), String> {
        let Some(contents) = self.contents(Access::Write)? else {
            return Ok(());
        };
        if contents.version < 3 {
            self.compat = Compat::V2;
        }
        let edited = self.edited.take().unwrap_or_default();
        let without = contents.bitmaps.iter().filter(|bitmap| !bitmap.has_table);
        let left = |bitmap: &StoredBitmap| (bitmap.name.clone(), left_by(&edited, &bitmap.name));
        self.without_table = without.map(left).collect();
        self.stored = bitmaps(contents.bitmaps, self.content.size());
        self.leaked += check(&edited).leaks;
        Ok(())
    }

    /// Removes a stored bitmap and frees its clusters; with an invalid table it frees none
    /// (QEMU `block/qcow2-bitmap.c:free_bitmap_clusters`).
    pub(super) fn remove_stored(&mut self, name: &str) {
        self.stored.remove(name);
        self.leaked += self.without_table.remove(name).unwrap_or_default();
    }

    /// Nothing names the bitmaps any more.
    pub(super) fn drop_bitmaps(&mut self) {
        let mut bytes = self.bytes();
        let kind = ImageDamageKind::AutoclearCleared;
        // Only an image that is none could not be edited, and it would have no bitmaps.
        let edits = edits(&bytes, &Damage::Image { kind }).unwrap_or_default();
        apply(&mut bytes, &edits);
        self.leaked += check(&bytes).leaks;
        self.stored = Bitmaps::new();
    }

    /// The same content with another virtual size; the bitmaps go along
    /// (QEMU `block/dirty-bitmap.c:bdrv_dirty_bitmap_truncate`).
    pub(super) fn resized(&self, size: Size) -> Self {
        let mut resized = self.clone();
        resized.content = self.content.resized(size);
        resized.allocated = self.allocated.resized(size);
        for bitmap in resized.stored.values_mut() {
            bitmap.dirty = bitmap.dirty.resized(size);
        }
        resized
    }
}

impl World {
    /// Changes bytes of a closed qcow2 image. Its file may not open any more.
    pub fn damage(&mut self, image: &ImageRef, damage: &Damage) -> Result<(), Impossible> {
        let found = self.closed_qcow2(image)?;
        let mut bytes = found.bytes();
        let edits = edits(&bytes, damage).map_err(|why| Impossible(why.to_string()))?;
        apply(&mut bytes, &edits);
        found.edited = Some(bytes);
        Ok(())
    }

    /// Cuts the end of an image's file off. The directory of its bitmaps is what QEMU writes last; more
    /// than that is not modelled.
    pub fn truncate_image(&mut self, image: &ImageRef, by: Size) -> Result<(), Impossible> {
        let path = image.path.clone();
        let found = self.closed_qcow2(image)?;
        let mut bytes = found.bytes();
        if by.bytes() > CLUSTER || found.stored.is_empty() {
            return impossible(format!("cutting {by} off {path}"));
        }
        let cut = usize::try_from(by.bytes()).unwrap_or_default();
        bytes.truncate(bytes.len().saturating_sub(cut));
        found.edited = Some(bytes);
        Ok(())
    }

    /// A process that has the image open for writing is killed: what it has loaded stays marked in
    /// use.
    pub fn crash_writer(&mut self, image: &ImageRef) -> Result<(), Impossible> {
        let found = self.opened_for_writing(image)?;
        for bitmap in found.stored.values_mut() {
            bitmap.inconsistent = true;
        }
        Ok(())
    }

    /// `qemu-img resize`. A bitmap that is in use keeps it from working.
    pub fn resize_image(&mut self, image: &ImageRef, size: Size) -> Result<(), Impossible> {
        let found = self.opened_for_writing(image)?;
        if found.stored.values().any(|bitmap| bitmap.inconsistent) {
            return impossible("resizing an image with a bitmap that is in use");
        }
        *found = found.resized(size);
        Ok(())
    }

    /// `qemu-img convert`, the copy in the image's place. It holds what is not zero.
    pub fn convert_image(&mut self, image: &ImageRef, with: bool) -> Result<(), Impossible> {
        let content = self.content(&image.path);
        let found = self.opened_for_writing(image)?;
        if with && found.stored.values().any(|bitmap| bitmap.inconsistent) {
            return impossible("copying a bitmap that is in use");
        }
        let size = found.content.size();
        let mut copy = Image::empty(image.format, size);
        for run in content.unwrap_or_default().runs() {
            copy.write(run.offset, run.length, run.fill);
        }
        if with {
            copy.stored.clone_from(&found.stored);
        }
        *found = copy;
        Ok(())
    }

    /// `qemu-img bitmap --merge`.
    pub fn merge_bitmaps(
        &mut self,
        image: &ImageRef,
        bitmap: &str,
        from: &str,
    ) -> Result<(), Impossible> {
        let found = self.opened_for_writing(image)?;
        let source = found.stored.get(from).cloned();
        let (Some(source), Some(target)) = (source, found.stored.get_mut(bitmap)) else {
            return impossible(format!(
                "merging {from} into {bitmap}, one of which is missing"
            ));
        };
        if source.inconsistent || target.inconsistent {
            return impossible(format!(
                "merging {from} into {bitmap}, one of which is in use"
            ));
        }
        for (offset, length) in source.dirty.ranges() {
            target.dirty.mark(offset, length, target.granularity.into());
        }
        Ok(())
    }

    /// `qemu-io write`: the bitmaps take note, as those of any writer do.
    pub fn write_image(
        &mut self,
        image: &ImageRef,
        (offset, length): (Size, Size),
        pattern: u8,
    ) -> Result<(), Impossible> {
        let found = self.opened_for_writing(image)?;
        let (offset, length) = (offset.bytes(), length.bytes());
        let recording = found.stored.values_mut();
        for bitmap in recording.filter(|bitmap| bitmap.recording && !bitmap.inconsistent) {
            bitmap.dirty.mark(offset, length, bitmap.granularity.into());
        }
        self.write_through(&image.path, (offset, length), pattern)
    }

    /// Copies the file of a closed image.
    pub fn copy_image(&mut self, image: &ImageRef, copy: &str) -> Result<(), Impossible> {
        let kept = self.closed(image)?.clone();
        if self.files.contains_key(copy) {
            return impossible(format!("a copy at {copy}, which is there already"));
        }
        self.files.insert(copy.to_owned(), super::File::Image(kept));
        Ok(())
    }

    /// Puts such a copy in the image's place.
    pub fn restore_image(&mut self, image: &ImageRef, copy: &str) -> Result<(), Impossible> {
        let Some(kept) = self.image(copy).cloned() else {
            return impossible(format!("putting back {copy}, which is no copy"));
        };
        *self.closed(image)? = kept;
        Ok(())
    }

    fn closed(&mut self, image: &ImageRef) -> Result<&mut Image, Impossible> {
        self.require_closed(&image.path)?;
        let found = self.image_mut(&image.path);
        let found = found.filter(|found| found.format == image.format);
        found.ok_or_else(|| Impossible(format!("changing {}, which is no such image", image.path)))
    }

    fn closed_qcow2(&mut self, image: &ImageRef) -> Result<&mut Image, Impossible> {
        if image.format != DiskFormat::Qcow2 {
            return impossible(format!("editing {}, which is no qcow2 image", image.path));
        }
        let found = self.closed(image)?;
        if found.compat == Compat::V2 {
            return impossible(format!("editing {}, which is of version 2", image.path));
        }
        Ok(found)
    }

    /// A closed image that a tool opens for writing. What it refuses is impossible here.
    pub(super) fn opened_for_writing(
        &mut self,
        image: &ImageRef,
    ) -> Result<&mut Image, Impossible> {
        let found = self.closed(image)?;
        found.open().map_err(Impossible)?;
        Ok(found)
    }
}

/// The clusters that only the entry of this bitmap names.
fn left_by(image: &[u8], name: &str) -> u64 {
    let damage = Damage::Bitmap {
        bitmap: name.to_owned(),
        kind: BitmapDamageKind::CutOut,
        other: None,
    };
    let mut without = image.to_vec();
    // An entry that was just read is there.
    let edits = edits(image, &damage).unwrap_or_default();
    apply(&mut without, &edits);
    check(&without).leaks.saturating_sub(check(image).leaks)
}

fn to_stored((name, bitmap): (&String, &Bitmap)) -> StoredBitmap {
    let bits = bitmap.granularity.trailing_zeros();
    StoredBitmap {
        name: name.clone(),
        in_use: bitmap.inconsistent,
        auto: bitmap.recording,
        granularity_bits: u8::try_from(bits).unwrap_or(u8::MAX),
        has_table: true,
        dirty: bitmap.dirty.ranges().collect(),
    }
}

fn bitmaps(found: Vec<StoredBitmap>, size: Size) -> Bitmaps {
    let bitmap = |stored: StoredBitmap| {
        let mut dirty = Extents::none(size);
        for (offset, length) in stored.dirty {
            dirty.mark(offset, length, 1);
        }
        let bitmap = Bitmap {
            persistent: true,
            recording: stored.auto,
            inconsistent: stored.in_use,
            busy: false,
            granularity: 1 << stored.granularity_bits,
            dirty,
        };
        (stored.name, bitmap)
    };
    found.into_iter().map(bitmap).collect()
}

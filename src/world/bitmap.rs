//! Dirty bitmaps and the rule that makes a chain of them usable.

use std::collections::BTreeMap;

use super::Extents;
use crate::model::Size;

/// The granularity of a new bitmap: QEMU takes the image's cluster size
/// (`block/dirty-bitmap.c:bdrv_get_default_bitmap_granularity`), 64 KiB by default.
pub(super) const GRANULARITY: u32 = 65_536;

/// A dirty bitmap, in memory or as an image stores it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are QEMU's own independent flags"
)]
pub struct Bitmap {
    /// It is, or will be, stored in the image.
    pub persistent: bool,
    /// It records writes; in an image: the flag `auto`.
    pub recording: bool,
    /// It cannot be used, only removed; in an image: the flag `in-use`.
    pub inconsistent: bool,
    /// A job uses it.
    pub busy: bool,
    /// Bytes covered by one bit.
    pub granularity: u32,
    /// What was written since it was created.
    pub dirty: Extents,
}

impl Bitmap {
    /// The bitmap that a checkpoint adds: persistent, recording, empty
    /// (`qemu_checkpoint.c:qemuCheckpointAddActions`, `block-dirty-bitmap-add`).
    #[must_use]
    pub fn of_checkpoint(size: Size) -> Self {
        Self {
            persistent: true,
            recording: true,
            inconsistent: false,
            busy: false,
            granularity: GRANULARITY,
            dirty: Extents::none(size),
        }
    }

    /// Whether a backup can read it (`src/qemu/qemu_block.c:qemuBlockBitmapChainIsValid`).
    #[must_use]
    pub const fn is_usable(&self) -> bool {
        self.persistent && self.recording && !self.inconsistent
    }
}

/// The bitmaps of one layer, by name.
pub type Bitmaps = BTreeMap<String, Bitmap>;

/// Whether the bitmap `name` can serve as the base of a backup: it is in the top layer and in
/// consecutive layers from there, usable in each (`qemu_block.c:qemuBlockBitmapChainIsValid`).
pub fn chain_is_valid<'a>(layers: impl IntoIterator<Item = &'a Bitmaps>, name: &str) -> bool {
    let (mut found, mut ended) = (false, false);
    for layer in layers {
        match layer.get(name) {
            None if !found => return false,
            None => ended = true,
            Some(bitmap) if ended || !bitmap.is_usable() => return false,
            Some(_) => found = true,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn layer(bitmap: Option<Bitmap>) -> Bitmaps {
        bitmap
            .map(|bitmap| ("c1".to_owned(), bitmap))
            .into_iter()
            .collect()
    }

    #[rstest]
    #[case::good(|_: &mut Bitmap| {}, true)]
    #[case::transient(|bitmap: &mut Bitmap| bitmap.persistent = false, false)]
    #[case::disabled(|bitmap: &mut Bitmap| bitmap.recording = false, false)]
    #[case::inconsistent(|bitmap: &mut Bitmap| bitmap.inconsistent = true, false)]
    #[case::busy(|bitmap: &mut Bitmap| bitmap.busy = true, true)]
    fn flags_decide(#[case] change: fn(&mut Bitmap), #[case] valid: bool) {
        let mut bitmap = Bitmap::of_checkpoint(Size(1 << 20));
        change(&mut bitmap);
        assert_eq!(chain_is_valid([&layer(Some(bitmap))], "c1"), valid);
    }

    #[rstest]
    #[case(&[], false)]
    #[case(&[true, true, false], true)]
    #[case(&[false, true], false)]
    #[case(&[true, false, true], false)]
    fn layers_are_consecutive_from_the_top(#[case] present: &[bool], #[case] valid: bool) {
        let bitmap = |there: &bool| there.then(|| Bitmap::of_checkpoint(Size(1 << 20)));
        let layers: Vec<Bitmaps> = present.iter().map(|there| layer(bitmap(there))).collect();
        assert_eq!(chain_is_valid(&layers, "c1"), valid);
    }
}

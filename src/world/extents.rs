//! Sets of byte ranges.

use crate::model::{Content, Size};

/// Which bytes of a disk are marked: dirty in a bitmap, or allocated in an image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Extents(Content);

impl Extents {
    /// No byte of a disk of `size` bytes.
    #[must_use]
    pub const fn none(size: Size) -> Self {
        Self(Content::zeros(size))
    }

    /// Every byte of a disk of `size` bytes.
    #[must_use]
    pub fn all(size: Size) -> Self {
        let mut extents = Self::none(size);
        extents.0.write(0, size.bytes(), 1);
        extents
    }

    /// Marks every block of `granularity` bytes that the range touches; the last block ends
    /// with the disk.
    pub fn mark(&mut self, offset: u64, length: u64, granularity: u64) {
        if length == 0 {
            return;
        }
        let start = offset - offset % granularity;
        let end = offset.saturating_add(length).next_multiple_of(granularity);
        self.0.write(start, end - start, 1);
    }

    /// Marks all that `other` marks.
    pub fn merge(&mut self, other: &Self) {
        for (offset, length) in other.ranges() {
            self.0.write(offset, length, 1);
        }
    }

    /// The marked ranges, as offset and length, in order.
    pub fn ranges(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.runs().iter().map(|run| (run.offset, run.length))
    }

    /// The size of the disk.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.0.size()
    }

    /// The same on a disk of another size.
    #[must_use]
    pub fn resized(&self, size: Size) -> Self {
        Self(self.0.resized(size))
    }

    /// The number of marked bytes.
    #[must_use]
    pub fn bytes(&self) -> Size {
        Size(self.ranges().map(|(_, length)| length).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_marks_the_blocks_it_touches() {
        let mut dirty = Extents::none(Size(1000));
        dirty.mark(63, 2, 64);
        assert_eq!(dirty.ranges().collect::<Vec<_>>(), [(0, 128)]);
        dirty.mark(990, 5, 64);
        assert_eq!(dirty.ranges().collect::<Vec<_>>(), [(0, 128), (960, 40)]);
        assert_eq!(dirty.bytes(), Size(168));
    }
}

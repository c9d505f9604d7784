//! Image files.

use std::collections::BTreeMap;

use super::{Bitmaps, Extents};
use crate::model::{Compat, Content, DiskFormat, Size};

/// An image file: its blocks, and the bitmaps it stores.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Image {
    /// Its format.
    pub format: DiskFormat,
    /// The version of its format, where that is qcow2.
    pub compat: Compat,
    /// Absolute path of the image below it, which it names itself.
    pub backing: Option<String>,
    /// What its blocks hold.
    pub content: Content,
    /// Which blocks it holds itself; the rest is read from the layer below.
    pub allocated: Extents,
    /// The bitmaps on disk. They differ from those in memory until a clean close.
    pub stored: Bitmaps,
    /// The bytes of its metadata, once somebody has edited them: they, and not `stored`, are what
    /// the next one that opens it will find.
    pub edited: Option<Vec<u8>>,
    /// The stored bitmaps whose tables are invalid, and how many clusters only their entries name.
    pub without_table: BTreeMap<String, u64>,
    /// Clusters that nobody names any more.
    pub leaked: u64,
}

impl Image {
    /// What `qemu-img create` makes: no data, no bitmaps.
    #[must_use]
    pub fn empty(format: DiskFormat, size: Size) -> Self {
        let allocated = match format {
            DiskFormat::Qcow2 => Extents::none(size),
            // A raw file has no notion of a hole that shows a layer below.
            DiskFormat::Raw => Extents::all(size),
        };
        Self {
            format,
            compat: Compat::V3,
            backing: None,
            content: Content::zeros(size),
            allocated,
            stored: Bitmaps::new(),
            edited: None,
            without_table: BTreeMap::new(),
            leaked: 0,
        }
    }

    /// Writes `fill` over a range.
    pub fn write(&mut self, offset: u64, length: u64, fill: u8) {
        self.content.write(offset, length, fill);
        self.allocated.mark(offset, length, CLUSTER);
    }

    /// Copies a range of another disk's content.
    pub fn copy_from(&mut self, content: &Content, offset: u64, length: u64) {
        self.content.copy_from(content, offset, length);
        self.allocated.mark(offset, length, CLUSTER);
    }

    /// What a chain of layers reads as, top layer first.
    #[must_use]
    pub fn read_chain(layers: &[&Self]) -> Option<Content> {
        let size = layers.first()?.content.size();
        let mut content = Content::zeros(size);
        for layer in layers.iter().rev() {
            for (offset, length) in layer.allocated.ranges() {
                content.copy_from(&layer.content, offset, length);
            }
        }
        Some(content)
    }
}

/// The default cluster size of qcow2.
const CLUSTER: u64 = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upper_layers_hide_lower_ones_where_they_are_allocated() {
        let size = Size(4 * CLUSTER);
        let mut base = Image::empty(DiskFormat::Qcow2, size);
        base.write(0, 2 * CLUSTER, 0xA1);
        let mut top = Image::empty(DiskFormat::Qcow2, size);
        top.write(CLUSTER, CLUSTER, 0);
        let read = Image::read_chain(&[&top, &base]).unwrap();
        assert_eq!(read.byte(0), 0xA1);
        assert_eq!(
            read.byte(CLUSTER),
            0,
            "an allocated zero cluster hides the base"
        );
    }
}

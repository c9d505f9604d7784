//! Where the fields of an image are.

use super::fields::{bytes_at, u8_at, u16_at, u32_at, u64_at};

/// `QFI\xfb`.
pub(super) const MAGIC: u32 = 0x5146_49fb;
/// The type of the bitmaps extension.
pub(super) const BITMAPS: u32 = 0x2385_2875;
/// The autoclear bit "the bitmaps extension is valid".
pub(super) const AUTOCLEAR_BITMAPS: u64 = 1;
/// `BME_TABLE_ENTRY_OFFSET_MASK`.
pub(super) const OFFSET_MASK: u64 = 0x00ff_ffff_ffff_fe00;

/// Something that an edit is about is not in the image.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotThere {
    /// Another format, or no image at all.
    #[error("it is no qcow2 image")]
    Image,
    /// No bitmap is stored, or the extension was damaged before.
    #[error("it has no bitmaps extension")]
    Extension,
    /// The directory ends before its last entry.
    #[error("its bitmap directory was damaged before")]
    Directory,
    /// No entry of this name.
    #[error("it stores no bitmap `{0}`")]
    Bitmap(String),
    /// No bit of the bitmap is set, so that its table names no cluster.
    #[error("no bit of the bitmap `{0}` is set: it has no cluster")]
    Data(String),
    /// The guest has written nothing yet.
    #[error("it holds no cluster of the guest")]
    GuestData,
    /// The bytes are not in the file, or do not fit where they are to go.
    #[error("there is no room for the change at byte {0}")]
    Room(u64),
    /// The kind needs a second bitmap.
    #[error("this kind of damage involves a second bitmap")]
    Other,
    /// Two names of different lengths cannot take each other's place.
    #[error("the names `{0}` and `{1}` differ in length")]
    Lengths(String, String),
}

/// A qcow2 image, to find things in.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a> {
    pub(super) image: &'a [u8],
}

/// The bitmaps extension of the header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Extension {
    /// Where it begins, with its type.
    pub offset: u64,
    /// Its length, without type and length themselves.
    pub length: u32,
    /// `nb_bitmaps`.
    pub count: u32,
    /// `bitmap_directory_size`.
    pub directory_size: u64,
    /// `bitmap_directory_offset`.
    pub directory: u64,
}

/// An entry of the bitmap directory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Where it begins.
    pub offset: u64,
    /// Its length with the padding.
    pub length: u64,
    /// `bitmap_table_offset`.
    pub table: u64,
    /// `bitmap_table_size`, in entries of 8 bytes.
    pub table_size: u32,
    /// `flags`.
    pub flags: u32,
    /// `granularity_bits`.
    pub granularity_bits: u8,
    /// Where its name begins.
    pub name_offset: u64,
    /// Its name.
    pub name: Vec<u8>,
}

impl<'a> Layout<'a> {
    /// The layout of an image.
    pub fn of(image: &'a [u8]) -> Result<Self, NotThere> {
        let clusters = u32_at(image, 20);
        if u32_at(image, 0) == MAGIC && (9..=30).contains(&clusters) {
            return Ok(Self { image });
        }
        Err(NotThere::Image)
    }

    /// The version of the format.
    #[must_use]
    pub fn version(&self) -> u32 {
        u32_at(self.image, 4)
    }

    /// Bytes of a cluster.
    #[must_use]
    pub fn cluster(&self) -> u64 {
        1 << u32_at(self.image, 20)
    }

    /// The virtual size.
    #[must_use]
    pub fn size(&self) -> u64 {
        u64_at(self.image, 24)
    }

    /// Length of the header; version 2 has no field for it.
    pub(super) fn header_length(&self) -> u64 {
        if self.version() >= 3 {
            u32_at(self.image, 100).into()
        } else {
            72
        }
    }

    /// The bitmaps extension, wherever it stands in the header's cluster.
    pub fn extension(&self) -> Result<Extension, NotThere> {
        let mut offset = self.header_length();
        while offset + 8 <= self.cluster() {
            let (kind, length) = (u32_at(self.image, offset), u32_at(self.image, offset + 4));
            if kind == BITMAPS {
                return Ok(Extension {
                    offset,
                    length,
                    count: u32_at(self.image, offset + 8),
                    directory_size: u64_at(self.image, offset + 16),
                    directory: u64_at(self.image, offset + 24),
                });
            }
            if kind == 0 {
                break;
            }
            offset += 8 + u64::from(length).next_multiple_of(8);
        }
        Err(NotThere::Extension)
    }

    /// The entries of the directory, which must be whole.
    pub fn entries(&self) -> Result<Vec<Entry>, NotThere> {
        let extension = self.extension()?;
        let end = extension.directory.checked_add(extension.directory_size);
        let end = end
            .filter(|end| *end <= self.image.len() as u64)
            .ok_or(NotThere::Directory)?;
        let mut entries = Vec::new();
        let mut offset = extension.directory;
        while offset < end {
            let entry = self.entry_at(offset).ok_or(NotThere::Directory)?;
            offset += entry.length;
            if offset > end {
                return Err(NotThere::Directory);
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    fn entry_at(&self, offset: u64) -> Option<Entry> {
        let image = self.image;
        let name_size = u16_at(image, offset + 18);
        let extra = u32_at(image, offset + 20);
        let name_offset = offset + 24 + u64::from(extra);
        Some(Entry {
            offset,
            length: u64::try_from(entry_size(name_size, extra)).ok()?,
            table: u64_at(image, offset),
            table_size: u32_at(image, offset + 8),
            flags: u32_at(image, offset + 12),
            granularity_bits: u8_at(image, offset + 17),
            name_offset,
            name: bytes_at(image, name_offset, name_size.into()),
        })
    }

    /// The entry of one bitmap.
    pub fn entry(&self, name: &str) -> Result<Entry, NotThere> {
        let mut entries = self.entries()?.into_iter();
        let found = entries.find(|entry| entry.name == name.as_bytes());
        found.ok_or_else(|| NotThere::Bitmap(name.to_owned()))
    }

    /// Where the first cluster of a bitmap's bits is.
    pub fn data(&self, entry: &Entry) -> Result<u64, NotThere> {
        let found = u64_at(self.image, entry.table) & OFFSET_MASK;
        if found == 0 {
            let name = String::from_utf8_lossy(&entry.name).into_owned();
            return Err(NotThere::Data(name));
        }
        Ok(found)
    }

    /// Where the first cluster is that the guest has written.
    pub fn guest_data(&self) -> Result<u64, NotThere> {
        let found = self.guest_clusters().next();
        found.ok_or(NotThere::GuestData)
    }

    /// The clusters of the guest, in the order of its disk.
    pub(super) fn guest_clusters(&self) -> impl Iterator<Item = u64> {
        let image = self.image;
        let length = self.cluster() / 8;
        self.level2_tables()
            .flat_map(move |table| named_by(image, table, length))
    }

    /// Where the mapping tables of the second level are.
    pub(super) fn level2_tables(&self) -> impl Iterator<Item = u64> {
        let image = self.image;
        let (length, table) = (u64::from(u32_at(image, 36)), u64_at(image, 40));
        named_by(image, table, length)
    }

    /// Where the 16-bit refcount of the cluster at `offset` stands.
    pub(super) fn refcount(&self, offset: u64) -> Option<u64> {
        let number = offset / self.cluster();
        let per_block = self.cluster() / 2;
        let table = u64_at(self.image, 48);
        let block = u64_at(self.image, table.saturating_add(8 * (number / per_block)));
        (block != 0).then_some(block.saturating_add(2 * (number % per_block)))
    }
}

/// The offsets in a table of so many entries, as far as it lies in the file.
pub(super) fn named_by(image: &[u8], table: u64, length: u64) -> impl Iterator<Item = u64> {
    let end = image.len() as u64;
    (0..length)
        .map(move |at| table.saturating_add(8 * at))
        .take_while(move |entry| *entry < end)
        .map(move |entry| u64_at(image, entry) & OFFSET_MASK)
        .filter(|offset| *offset != 0)
}

/// `block/qcow2-bitmap.c:calc_dir_entry_size`, with the width of its C type.
pub(super) fn entry_size(name_size: u16, extra: u32) -> i32 {
    let size = extra.wrapping_add(24 + u32::from(name_size));
    (size.cast_signed().wrapping_add(7)) & -8
}

//! What is changed in a closed qcow2 image behind everybody's back.
//!
//! The kinds name one field each of the bitmaps extension of the qcow2 format
//! (`docs/interop/qcow2.rst` in QEMU); all integers there are big-endian.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Size;

/// One change to the bytes of a closed image.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Damage {
    /// A field of one bitmap.
    Bitmap {
        /// Name of the bitmap.
        bitmap: String,
        /// What is changed.
        kind: BitmapDamageKind,
        /// The second bitmap, for the kinds that involve two.
        other: Option<String>,
    },
    /// A field that is about all bitmaps.
    Image {
        /// What is changed.
        kind: ImageDamageKind,
    },
    /// Bytes at a place.
    Bytes {
        /// From where `offset` counts.
        anchor: Anchor,
        /// The bitmap, for the anchors that belong to one.
        bitmap: Option<String>,
        /// First byte, counted from the anchor.
        offset: Size,
        /// The new bytes.
        bytes: Vec<u8>,
    },
}

/// A field of a bitmap, and what it is changed to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BitmapDamageKind {
    /// The flag `in_use` is set, as after a crash.
    InUse,
    /// The flag `auto` is cleared: the bitmap does not record.
    NotAuto,
    /// The flag `in_use` is set and `auto` is cleared.
    InUseNotAuto,
    /// The flag `extra_data_compatible`, which QEMU refuses, is set.
    FlagExtraDataCompatible,
    /// A reserved flag is set.
    FlagReserved,
    /// The last byte of the name becomes `X`.
    Renamed,
    /// The bitmap gets the name of `other`.
    NameTaken,
    /// The bitmap and `other` exchange their names.
    NamesExchanged,
    /// The name has no byte.
    NameEmpty,
    /// The name loses its last byte.
    NameCut,
    /// The name is longer than the format allows.
    NameTooLong,
    /// The name is not UTF-8.
    NameNotUtf8,
    /// `granularity_bits` is below its range.
    GranularityBelowRange,
    /// `granularity_bits` is above its range.
    GranularityAboveRange,
    /// `granularity_bits` says that one bit covers less than it does.
    GranularityFiner,
    /// `granularity_bits` says that one bit covers more than it does.
    GranularityCoarser,
    /// `type` is 0, which is reserved.
    TypeReserved,
    /// `type` is one that QEMU does not know.
    TypeUnknown,
    /// `extra_data_size` says 8 bytes that are not there.
    ExtraDataSize,
    /// Eight bytes of extra data, with a directory that fits.
    ExtraData,
    /// `bitmap_table_offset` is not at a cluster.
    TableOffsetUnaligned,
    /// `bitmap_table_offset` is 0.
    TableOffsetZero,
    /// `bitmap_table_offset` lies beyond the end of the file.
    TableOffsetBeyondEnd,
    /// `bitmap_table_offset` points at a cluster of the guest.
    TableOffsetInGuestData,
    /// `bitmap_table_offset` points at the table of `other`.
    TableOffsetOfOther,
    /// `bitmap_table_size` is 0.
    TableSizeZero,
    /// `bitmap_table_size` is larger than the disk needs.
    TableSizeTooLarge,
    /// `bitmap_table_size` is beyond QEMU's limit.
    TableSizeAboveLimit,
    /// An entry of the table has a low reserved bit.
    EntryReservedLow,
    /// An entry of the table has a high reserved bit.
    EntryReservedHigh,
    /// An entry of the table has an offset and the bit "all ones".
    EntryOffsetAndOnes,
    /// An entry of the table is not at a cluster.
    EntryUnaligned,
    /// An entry of the table lies beyond the end of the file.
    EntryBeyondEnd,
    /// An entry of the table says "all zeros".
    EntryZeros,
    /// An entry of the table says "all ones".
    EntryOnes,
    /// An entry of the table points at a cluster of the guest.
    EntryInGuestData,
    /// The bits are all cleared.
    DataZeros,
    /// The bits are all set.
    DataOnes,
    /// The byte that holds the first set bit is cleared.
    DataByteCleared,
    /// The refcount of the table's cluster is 0.
    TableRefcountZero,
    /// The entry is cut out of the directory.
    CutOut,
}

impl BitmapDamageKind {
    /// True where a bitmap is called otherwise from then on.
    #[must_use]
    pub fn renames(self) -> bool {
        matches!(
            self,
            Self::Renamed
                | Self::NameTaken
                | Self::NamesExchanged
                | Self::NameEmpty
                | Self::NameCut
                | Self::NameTooLong
                | Self::NameNotUtf8
        )
    }

    /// True where the key `other` must stand.
    #[must_use]
    pub fn needs_other(self) -> bool {
        matches!(
            self,
            Self::NameTaken | Self::NamesExchanged | Self::TableOffsetOfOther
        )
    }
}

/// A field of the header, the bitmaps extension or the directory, and what it is changed to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageDamageKind {
    /// The flag `in_use` is set on every bitmap.
    AllInUse,
    /// The autoclear bit "bitmaps extension is valid" is cleared.
    AutoclearCleared,
    /// An autoclear bit that nobody knows is set.
    AutoclearUnknown,
    /// `nb_bitmaps` is one less than there are.
    CountTooSmall,
    /// `nb_bitmaps` is one more than there are.
    CountTooLarge,
    /// `nb_bitmaps` is 0.
    CountZero,
    /// `nb_bitmaps` is beyond QEMU's limit.
    CountAboveLimit,
    /// The reserved field of the extension is not 0.
    ExtensionReserved,
    /// The type of the extension is one that nobody knows.
    ExtensionTypeUnknown,
    /// The extension is shorter than it must be.
    ExtensionTooShort,
    /// `bitmap_directory_offset` lies beyond the end of the file.
    DirectoryOffsetBeyondEnd,
    /// `bitmap_directory_offset` is not at a cluster.
    DirectoryOffsetUnaligned,
    /// `bitmap_directory_offset` is 0.
    DirectoryOffsetZero,
    /// `bitmap_directory_offset` points at a cluster of the guest.
    DirectoryOffsetInGuestData,
    /// `bitmap_directory_size` is less than the entries need.
    DirectorySizeTooSmall,
    /// `bitmap_directory_size` is more than the entries need.
    DirectorySizeTooLarge,
    /// `bitmap_directory_size` is 0.
    DirectorySizeZero,
    /// `bitmap_directory_size` is beyond QEMU's limit.
    DirectorySizeAboveLimit,
    /// The incompatible bit "dirty" is set.
    Dirty,
    /// The incompatible bit "corrupt" is set.
    Corrupt,
    /// The version field says 2.
    Version2,
}

/// A place in a qcow2 image from which bytes are counted.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Anchor {
    /// The start of the file, where the header is.
    Header,
    /// The bitmaps extension of the header.
    Extension,
    /// The first entry of the bitmap directory.
    Directory,
    /// The directory entry of `bitmap`.
    Entry,
    /// The bitmap table of `bitmap`.
    Table,
    /// The first data cluster of `bitmap`.
    Data,
}

impl Anchor {
    /// True where the key `bitmap` must stand.
    #[must_use]
    pub fn needs_bitmap(self) -> bool {
        matches!(self, Self::Entry | Self::Table | Self::Data)
    }
}

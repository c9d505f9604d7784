//! The edits that damage an image.

use super::edit::Edit;
use super::fields::{bytes_at, u8_at, u32_at, u64_at};
use super::layout::{Entry, Layout, NotThere};
use super::load::{ALL_ONES, AUTO, CORRUPT, IN_USE};
use crate::model::{Anchor, BitmapDamageKind, Damage, ImageDamageKind};

/// An offset that is at a cluster and beyond the end of any image here.
const BEYOND: u64 = 1 << 40;

/// What damages `image` in this way.
pub fn edits(image: &[u8], damage: &Damage) -> Result<Vec<Edit>, NotThere> {
    let layout = Layout::of(image)?;
    let made = match damage {
        Damage::Bitmap {
            bitmap,
            kind,
            other,
        } => bitmap_edits(&layout, bitmap, *kind, other.as_deref())?,
        Damage::Image { kind } => image_edits(&layout, *kind)?,
        Damage::Bytes {
            anchor,
            bitmap,
            offset,
            bytes,
        } => {
            let from = anchored(&layout, *anchor, bitmap.as_deref())?;
            vec![(from.saturating_add(offset.bytes()), bytes.clone())]
        }
    };
    let edit = |(offset, new): (u64, Vec<u8>)| {
        let place = usize::try_from(offset).ok();
        let rest = place.and_then(|place| Some((place, image.get(place..)?)));
        let (place, rest) = rest.ok_or(NotThere::Room(offset))?;
        Ok(Edit {
            offset: place,
            old: rest[..rest.len().min(new.len())].to_vec(),
            new,
        })
    };
    made.into_iter().map(edit).collect()
}

type Written = Vec<(u64, Vec<u8>)>;

fn one(offset: u64, bytes: impl AsRef<[u8]>) -> Written {
    vec![(offset, bytes.as_ref().to_vec())]
}

fn anchored(layout: &Layout<'_>, anchor: Anchor, bitmap: Option<&str>) -> Result<u64, NotThere> {
    let entry = || layout.entry(bitmap.unwrap_or_default());
    Ok(match anchor {
        Anchor::Header => 0,
        Anchor::Extension => layout.extension()?.offset,
        Anchor::Directory => layout.extension()?.directory,
        Anchor::Entry => entry()?.offset,
        Anchor::Table => entry()?.table,
        Anchor::Data => layout.data(&entry()?)?,
    })
}

fn bitmap_edits(
    layout: &Layout<'_>,
    name: &str,
    kind: BitmapDamageKind,
    other: Option<&str>,
) -> Result<Written, NotThere> {
    use BitmapDamageKind as Kind;
    let entry = layout.entry(name)?;
    let second = || layout.entry(other.ok_or(NotThere::Other)?);
    let flags = |flags: u32| one(entry.offset + 12, flags.to_be_bytes());
    let name_size = |size: usize| {
        let size = u16::try_from(size).unwrap_or(u16::MAX);
        one(entry.offset + 18, size.to_be_bytes())
    };
    let granularity = |bits: u8| one(entry.offset + 17, [bits]);
    let table = |offset: u64| one(entry.offset, offset.to_be_bytes());
    let table_size = |size: u32| one(entry.offset + 8, size.to_be_bytes());
    let first = u64_at(layout.image, entry.table);
    let in_table = |value: u64| one(entry.table, value.to_be_bytes());
    let cluster = usize::try_from(layout.cluster()).unwrap_or_default();
    Ok(match kind {
        Kind::InUse => flags(entry.flags | IN_USE),
        Kind::NotAuto => flags(entry.flags & !AUTO),
        Kind::InUseNotAuto => flags((entry.flags | IN_USE) & !AUTO),
        Kind::FlagExtraDataCompatible => flags(entry.flags | 4),
        Kind::FlagReserved => flags(entry.flags | 1 << 31),
        Kind::Renamed => one(entry.name_offset + last(&entry), b"X"),
        Kind::NameTaken => one(entry.name_offset, of_length(&entry, &second()?)?),
        Kind::NamesExchanged => {
            let second = second()?;
            let mut both = one(entry.name_offset, of_length(&entry, &second)?);
            both.extend(one(second.name_offset, &entry.name));
            both
        }
        Kind::NameEmpty => name_size(0),
        Kind::NameCut => name_size(entry.name.len().saturating_sub(1)),
        Kind::NameTooLong => name_size(1024),
        Kind::NameNotUtf8 => one(entry.name_offset + entry.name.len() as u64 / 2, [0xff]),
        Kind::GranularityBelowRange => granularity(8),
        Kind::GranularityAboveRange => granularity(32),
        Kind::GranularityFiner => granularity(9),
        Kind::GranularityCoarser => granularity((entry.granularity_bits + 4).min(31)),
        Kind::TypeReserved => one(entry.offset + 16, [0]),
        Kind::TypeUnknown => one(entry.offset + 16, [2]),
        Kind::ExtraDataSize => one(entry.offset + 20, 8_u32.to_be_bytes()),
        Kind::ExtraData => rewritten(layout, |raw, found| {
            let mut raw = raw.to_vec();
            if found.offset == entry.offset {
                raw.splice(20..24, 8_u32.to_be_bytes());
                raw.splice(24..24, [0; 8]);
            }
            Some(raw)
        })?,
        Kind::TableOffsetUnaligned => table(entry.table.saturating_add(512)),
        Kind::TableOffsetZero => table(0),
        Kind::TableOffsetBeyondEnd => table(BEYOND),
        Kind::TableOffsetInGuestData => table(layout.guest_data()?),
        Kind::TableOffsetOfOther => table(second()?.table),
        Kind::TableSizeZero => table_size(0),
        Kind::TableSizeTooLarge => table_size(entry.table_size.saturating_add(1)),
        Kind::TableSizeAboveLimit => table_size(0x800_0001),
        Kind::EntryReservedLow => in_table(first | 2),
        Kind::EntryReservedHigh => in_table(first | 1 << 63),
        Kind::EntryOffsetAndOnes => in_table(layout.data(&entry)? | ALL_ONES),
        Kind::EntryUnaligned => in_table(layout.data(&entry)? + 512),
        Kind::EntryBeyondEnd => in_table(BEYOND),
        Kind::EntryZeros => in_table(0),
        Kind::EntryOnes => in_table(ALL_ONES),
        Kind::EntryInGuestData => in_table(layout.guest_data()?),
        Kind::DataZeros => one(layout.data(&entry)?, vec![0; cluster]),
        Kind::DataOnes => one(layout.data(&entry)?, vec![0xff; cluster]),
        Kind::DataByteCleared => {
            let data = layout.data(&entry)?;
            let set = (data..data + layout.cluster()).find(|at| u8_at(layout.image, *at) != 0);
            one(set.ok_or_else(|| NotThere::Data(name.to_owned()))?, [0])
        }
        Kind::TableRefcountZero => {
            let place = layout.refcount(entry.table);
            one(place.ok_or(NotThere::Room(entry.table))?, [0, 0])
        }
        Kind::CutOut => {
            let extension = layout.extension()?;
            let mut all = rewritten(layout, |raw, found| {
                (found.offset != entry.offset).then(|| raw.to_vec())
            })?;
            all.extend(one(
                extension.offset + 8,
                extension.count.wrapping_sub(1).to_be_bytes(),
            ));
            all
        }
    })
}

/// Where the last byte of a name is, counted from its first.
fn last(entry: &Entry) -> u64 {
    (entry.name.len() as u64).saturating_sub(1)
}

/// The other's name, which must be as long.
fn of_length(entry: &Entry, other: &Entry) -> Result<Vec<u8>, NotThere> {
    if entry.name.len() == other.name.len() {
        return Ok(other.name.clone());
    }
    let text = |entry: &Entry| String::from_utf8_lossy(&entry.name).into_owned();
    Err(NotThere::Lengths(text(entry), text(other)))
}

/// The directory with each entry altered or left out, and its size in the extension. It must stay
/// within its clusters.
fn rewritten(
    layout: &Layout<'_>,
    alter: impl Fn(&[u8], &Entry) -> Option<Vec<u8>>,
) -> Result<Written, NotThere> {
    let extension = layout.extension()?;
    let mut directory = Vec::new();
    for entry in layout.entries()? {
        let length = usize::try_from(entry.length).map_err(|_| NotThere::Directory)?;
        let raw = bytes_at(layout.image, entry.offset, length);
        directory.extend(alter(&raw, &entry).unwrap_or_default());
    }
    let room = extension.directory_size.next_multiple_of(layout.cluster());
    let size = directory.len() as u64;
    if size > room {
        return Err(NotThere::Room(extension.directory));
    }
    // What is left over behind a shorter directory is zeroed.
    let old = usize::try_from(extension.directory_size).unwrap_or_default();
    directory.resize(directory.len().max(old), 0);
    let mut all = one(extension.directory, directory);
    all.extend(one(extension.offset + 16, size.to_be_bytes()));
    Ok(all)
}

fn image_edits(layout: &Layout<'_>, kind: ImageDamageKind) -> Result<Written, NotThere> {
    use ImageDamageKind as Kind;
    let autoclear = u64_at(layout.image, 88);
    let incompatible = u64_at(layout.image, 72);
    let extension = || layout.extension();
    let count = |alter: fn(u32) -> u32| -> Result<Written, NotThere> {
        let found = extension()?;
        Ok(one(found.offset + 8, alter(found.count).to_be_bytes()))
    };
    let directory = |offset: u64| -> Result<Written, NotThere> {
        Ok(one(extension()?.offset + 24, offset.to_be_bytes()))
    };
    let size = |size: u64| -> Result<Written, NotThere> {
        Ok(one(extension()?.offset + 16, size.to_be_bytes()))
    };
    Ok(match kind {
        Kind::AllInUse => {
            let entries = layout.entries()?.into_iter();
            let in_use = |entry: Entry| {
                let flags = u32_at(layout.image, entry.offset + 12) | IN_USE;
                (entry.offset + 12, flags.to_be_bytes().to_vec())
            };
            entries.map(in_use).collect()
        }
        Kind::AutoclearCleared => one(88, (autoclear & !1).to_be_bytes()),
        Kind::AutoclearUnknown => one(88, (autoclear | 4).to_be_bytes()),
        Kind::CountTooSmall => count(|count| count.wrapping_sub(1))?,
        Kind::CountTooLarge => count(|count| count.wrapping_add(1))?,
        Kind::CountZero => count(|_| 0)?,
        Kind::CountAboveLimit => count(|_| 65_536)?,
        Kind::ExtensionReserved => one(extension()?.offset + 12, 1_u32.to_be_bytes()),
        Kind::ExtensionTypeUnknown => one(extension()?.offset, 0x2385_2876_u32.to_be_bytes()),
        Kind::ExtensionTooShort => one(extension()?.offset + 4, 16_u32.to_be_bytes()),
        Kind::DirectoryOffsetBeyondEnd => directory(BEYOND)?,
        Kind::DirectoryOffsetUnaligned => directory(extension()?.directory.saturating_add(8))?,
        Kind::DirectoryOffsetZero => directory(0)?,
        Kind::DirectoryOffsetInGuestData => directory(layout.guest_data()?)?,
        Kind::DirectorySizeTooSmall => {
            let last = layout.entries()?.pop().ok_or(NotThere::Directory)?;
            size(extension()?.directory_size - last.length)?
        }
        Kind::DirectorySizeTooLarge => size(extension()?.directory_size + 8)?,
        Kind::DirectorySizeZero => size(0)?,
        Kind::DirectorySizeAboveLimit => size(0x400_0001)?,
        Kind::Dirty => one(72, (incompatible | 1).to_be_bytes()),
        Kind::Corrupt => one(72, (incompatible | CORRUPT).to_be_bytes()),
        Kind::Version2 => one(4, 2_u32.to_be_bytes()),
    })
}

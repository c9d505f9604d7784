//! What QEMU reads of an image's bitmaps, or why it does not open the image.
//!
//! QEMU 10.0, `block/qcow2.c:qcow2_do_open` and `block/qcow2-bitmap.c:qcow2_load_dirty_bitmaps`, in
//! their order of checks.

use super::fields::{bytes_at, u8_at, u16_at, u32_at, u64_at};
use super::layout::{AUTOCLEAR_BITMAPS, Extension, Layout, OFFSET_MASK, entry_size};

/// `QCOW2_MAX_BITMAPS`.
const MAX_BITMAPS: u32 = 65_535;
/// `QCOW2_MAX_BITMAP_DIRECTORY_SIZE`.
const MAX_DIRECTORY_SIZE: u64 = 1024 * MAX_BITMAPS as u64;
/// `BME_MAX_TABLE_SIZE`.
const MAX_TABLE_SIZE: u32 = 0x800_0000;
/// `BME_MAX_PHYS_SIZE`.
const MAX_PHYSICAL_SIZE: u64 = 0x2000_0000;
/// `BME_MIN_GRANULARITY_BITS` and `BME_MAX_GRANULARITY_BITS`.
const GRANULARITY_BITS: std::ops::RangeInclusive<u8> = 9..=31;
/// `BME_MAX_NAME_SIZE`.
const MAX_NAME_SIZE: u16 = 1023;
/// `BME_FLAG_IN_USE`.
pub(super) const IN_USE: u32 = 1;
/// `BME_FLAG_AUTO`.
pub(super) const AUTO: u32 = 2;
/// `BME_TABLE_ENTRY_RESERVED_MASK`.
const RESERVED_MASK: u64 = 0xff00_0000_0000_01fe;
/// `BME_TABLE_ENTRY_FLAG_ALL_ONES`.
pub(super) const ALL_ONES: u64 = 1;
/// The incompatible bit "corrupt".
pub(super) const CORRUPT: u64 = 2;

/// For what an image is opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// To look at it.
    Read,
    /// To run a guest on it, or to change it.
    Write,
}

/// What an image holds of interest here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Contents {
    /// The version of the format.
    pub version: u32,
    /// Its bitmaps, in the order of the directory.
    pub bitmaps: Vec<StoredBitmap>,
}

/// A bitmap in an image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredBitmap {
    /// Its name; bytes that are no UTF-8 as QEMU's JSON shows them.
    pub name: String,
    /// The flag `in_use`.
    pub in_use: bool,
    /// The flag `auto`.
    pub auto: bool,
    /// `granularity_bits`.
    pub granularity_bits: u8,
    /// Whether its table is valid. Without that nobody can free its clusters.
    pub has_table: bool,
    /// The byte ranges of the disk that are marked, as offset and length; those of an `in_use` one
    /// are not read.
    pub dirty: Vec<(u64, u64)>,
}

/// Opens an image; `Err` is QEMU's reason why it cannot.
pub fn load(image: &[u8], access: Access) -> Result<Contents, String> {
    let layout = Layout::of(image).map_err(|_| "Image is not in qcow2 format".to_owned())?;
    let version = layout.version();
    let is_modern = version >= 3;
    if is_modern && u64_at(image, 72) & CORRUPT != 0 && access == Access::Write {
        return Err("qcow2: Image is corrupt; cannot be opened read/write".to_owned());
    }
    let autoclear = if is_modern { u64_at(image, 88) } else { 0 };
    let bitmaps = match layout.extension() {
        Ok(found) if is_used(&layout, &found, autoclear)? => {
            load_bitmaps(&layout, &directory(&layout, &found)?)?
        }
        Ok(_) | Err(_) => Vec::new(),
    };
    Ok(Contents { version, bitmaps })
}

/// Whether QEMU looks at the extension (`block/qcow2.c:qcow2_read_extensions`).
pub(super) fn is_used(
    layout: &Layout<'_>,
    found: &Extension,
    autoclear: u64,
) -> Result<bool, String> {
    let failed = |text: &str| Err(format!("bitmaps_ext: {text}"));
    if found.length != 24 {
        return failed("Invalid extension length");
    }
    if autoclear & AUTOCLEAR_BITMAPS == 0 {
        return Ok(false);
    }
    if u32_at(layout.image, found.offset + 12) != 0 {
        return failed("Reserved field is not zero");
    }
    if found.count > MAX_BITMAPS {
        return failed(&format!(
            "Image has {} bitmaps, exceeding the QEMU supported maximum of {MAX_BITMAPS}",
            found.count
        ));
    }
    if found.count == 0 {
        return Err("found bitmaps extension with zero bitmaps".to_owned());
    }
    if !found.directory.is_multiple_of(layout.cluster()) {
        return failed("invalid bitmap directory offset");
    }
    if found.directory_size > MAX_DIRECTORY_SIZE {
        return failed(&format!(
            "bitmap directory size ({}) exceeds the maximum supported size ({MAX_DIRECTORY_SIZE})",
            found.directory_size
        ));
    }
    Ok(true)
}

/// An entry that has passed the checks.
pub(super) struct Listed {
    pub(super) table: u64,
    pub(super) table_size: u32,
    pub(super) flags: u32,
    pub(super) granularity_bits: u8,
    pub(super) name: String,
}

/// The entries of the directory (`block/qcow2-bitmap.c:bitmap_list_load`).
pub(super) fn directory(layout: &Layout<'_>, found: &Extension) -> Result<Vec<Listed>, String> {
    if found.directory_size == 0 {
        return Err("Requested bitmap directory size is zero".to_owned());
    }
    let broken = || "Broken bitmap directory".to_owned();
    let length = usize::try_from(found.directory_size).map_err(|_| broken())?;
    let directory = bytes_at(layout.image, found.directory, length);
    let end = i64::try_from(length).map_err(|_| broken())?;
    let mut listed = Vec::new();
    let mut at: i64 = 0;
    while at < end {
        let Ok(offset) = u64::try_from(at) else {
            return Err(broken());
        };
        if at + 24 > end {
            return Err(broken());
        }
        if listed.len() >= found.count as usize {
            return Err("More bitmaps found than specified in header extension".to_owned());
        }
        let name_size = u16_at(&directory, offset + 18);
        let extra = u32_at(&directory, offset + 20);
        at += i64::from(entry_size(name_size, extra));
        if at > end {
            return Err(broken());
        }
        if extra != 0 {
            return Err("Bitmap extra data is not supported".to_owned());
        }
        let name = bytes_at(&directory, offset + 24, name_size.into());
        let entry = Listed {
            table: u64_at(&directory, offset),
            table_size: u32_at(&directory, offset + 8),
            flags: u32_at(&directory, offset + 12),
            granularity_bits: u8_at(&directory, offset + 17),
            // C ends a name at its first zero byte.
            name: String::from_utf8_lossy(name.split(|byte| *byte == 0).next().unwrap_or(&[]))
                .into_owned(),
        };
        let kind = u8_at(&directory, offset + 16);
        if !is_sound(layout, &entry, kind, name_size) {
            return Err(format!(
                "Bitmap '{}' doesn't satisfy the constraints",
                entry.name
            ));
        }
        listed.push(entry);
    }
    if listed.len() != found.count as usize {
        return Err("Less bitmaps found than specified in header extension".to_owned());
    }
    if at != end {
        return Err(broken());
    }
    Ok(listed)
}

/// `block/qcow2-bitmap.c:check_dir_entry`.
fn is_sound(layout: &Layout<'_>, entry: &Listed, kind: u8, name_size: u16) -> bool {
    let fields = entry.table_size != 0
        && entry.table != 0
        && entry.table.is_multiple_of(layout.cluster())
        && entry.table_size <= MAX_TABLE_SIZE
        && GRANULARITY_BITS.contains(&entry.granularity_bits)
        && entry.flags & !(IN_USE | AUTO) == 0
        && name_size <= MAX_NAME_SIZE
        && kind == 1;
    if !fields {
        return false;
    }
    let physical = u64::from(entry.table_size) * layout.cluster();
    if physical > MAX_PHYSICAL_SIZE {
        return false;
    }
    let covered = u128::from(physical * 8) << entry.granularity_bits;
    entry.flags & IN_USE != 0 || u128::from(layout.size()) <= covered
}

/// `block/qcow2-bitmap.c:load_bitmap`, for each entry.
fn load_bitmaps(layout: &Layout<'_>, listed: &[Listed]) -> Result<Vec<StoredBitmap>, String> {
    let mut loaded: Vec<StoredBitmap> = Vec::new();
    for entry in listed {
        let in_use = entry.flags & IN_USE != 0;
        if loaded.iter().any(|bitmap| bitmap.name == entry.name) {
            if in_use {
                continue;
            }
            return Err(format!("Bitmap already exists: {}", entry.name));
        }
        let dirty = if in_use {
            Vec::new()
        } else {
            bits(layout, entry)?
        };
        loaded.push(StoredBitmap {
            name: entry.name.clone(),
            in_use,
            auto: entry.flags & AUTO != 0,
            granularity_bits: entry.granularity_bits,
            has_table: table(layout, entry).is_some(),
            dirty,
        });
    }
    Ok(loaded)
}

/// The table of a bitmap; `None` where an entry is invalid
/// (`block/qcow2-bitmap.c:bitmap_table_load`).
pub(super) fn table(layout: &Layout<'_>, entry: &Listed) -> Option<Vec<u64>> {
    let offsets = (0..u64::from(entry.table_size)).map(|at| entry.table.saturating_add(8 * at));
    let is_valid = |entry: &u64| {
        let offset = entry & OFFSET_MASK;
        let has_cluster = offset != 0;
        entry & RESERVED_MASK == 0
            && !(has_cluster && entry & ALL_ONES != 0)
            && offset.is_multiple_of(layout.cluster())
    };
    let found = offsets.map(|offset| u64_at(layout.image, offset));
    found
        .map(|entry| is_valid(&entry).then_some(entry))
        .collect()
}

/// The marked ranges of a bitmap (`block/qcow2-bitmap.c:load_bitmap_data`).
fn bits(layout: &Layout<'_>, entry: &Listed) -> Result<Vec<(u64, u64)>, String> {
    let name = &entry.name;
    let Some(table) = table(layout, entry) else {
        return Err(format!(
            "Could not read bitmap_table table from image for bitmap '{name}': Invalid argument"
        ));
    };
    let granularity = 1_u64 << entry.granularity_bits;
    let count = layout.size().div_ceil(granularity);
    // QEMU serializes whole words (`util/hbitmap.c:hbitmap_serialization_size`).
    let length = count.div_ceil(64) * 8;
    if length.div_ceil(layout.cluster()) != table.len() as u64 {
        return Err(format!(
            "Could not read bitmap '{name}' from image: Invalid argument"
        ));
    }
    let in_cluster = layout.cluster() * 8;
    let is_set = |bit: u64| {
        let found = table
            .get(usize::try_from(bit / in_cluster).unwrap_or(usize::MAX))
            .copied()
            .unwrap_or_default();
        let bit = bit % in_cluster;
        match found & OFFSET_MASK {
            0 => found & ALL_ONES != 0,
            offset => u8_at(layout.image, offset + bit / 8) & (1 << (bit % 8)) != 0,
        }
    };
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for bit in (0..count).filter(|bit| is_set(*bit)) {
        let offset = bit * granularity;
        let length = granularity.min(layout.size() - offset);
        match ranges.last_mut() {
            Some(last) if last.0 + last.1 == offset => last.1 += length,
            Some(_) | None => ranges.push((offset, length)),
        }
    }
    Ok(ranges)
}

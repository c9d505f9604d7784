//! An image made from what it is to hold: what QEMU would have left on disk, as far as anybody here
//! looks.

use super::StoredBitmap;
use super::layout::{AUTOCLEAR_BITMAPS, BITMAPS, MAGIC, entry_size};
use super::load::{ALL_ONES, AUTO, IN_USE};

/// Bytes of a cluster; QEMU's default.
const CLUSTER: u64 = 65_536;
const CLUSTER_BITS: u32 = 16;
/// Length of the header of version 3.
const HEADER: u32 = 112;
const VERSION: u32 = 3;

/// What an image is to hold.
#[derive(Clone, Debug)]
pub struct Description<'a> {
    /// Its virtual size.
    pub size: u64,
    /// Its bitmaps, in the order of the directory.
    pub bitmaps: &'a [StoredBitmap],
    /// One cluster of the guest's data, by its offset in the disk; the rest is left out.
    pub guest: Option<(u64, Vec<u8>)>,
}

/// The file of an image of version 3 with clusters of 64 KiB.
#[must_use]
pub fn write(description: &Description<'_>) -> Vec<u8> {
    let mut file = File::default();
    file.allocate(&[]);
    let refcounts = file.allocate(&[]);
    let block = file.allocate(&[]);
    file.put(refcounts, &block.to_be_bytes());
    let per_table = CLUSTER / 8 * CLUSTER;
    let tables = description.size.div_ceil(per_table);
    let level1 = file.allocate(&vec![0; usize_of(tables * 8)]);
    if let Some((offset, data)) = &description.guest {
        let level2 = file.allocate(&[]);
        let data = file.allocate(data);
        let copied = 1 << 63;
        file.put(
            level1 + 8 * (offset / per_table),
            &(level2 | copied).to_be_bytes(),
        );
        let at = level2 + 8 * (offset % per_table / CLUSTER);
        file.put(at, &(data | copied).to_be_bytes());
    }
    let mut directory = Vec::new();
    for bitmap in description.bitmaps {
        directory.extend(entry(&mut file, description.size, bitmap));
    }
    let mut header = Vec::new();
    let autoclear = if directory.is_empty() {
        0
    } else {
        AUTOCLEAR_BITMAPS
    };
    for word in [MAGIC, VERSION, 0, 0, 0, CLUSTER_BITS] {
        header.extend(word.to_be_bytes());
    }
    header.extend(description.size.to_be_bytes());
    header.extend([0; 4]);
    header.extend(u32_of(tables).to_be_bytes());
    header.extend(level1.to_be_bytes());
    header.extend(refcounts.to_be_bytes());
    // One cluster of refcount table; no snapshots; no incompatible and no compatible feature.
    header.extend([0, 0, 0, 1]);
    header.extend([0; 12]);
    header.extend([0; 16]);
    header.extend(autoclear.to_be_bytes());
    // Refcounts of 1 << 4 bits.
    for word in [4, HEADER] {
        header.extend(word.to_be_bytes());
    }
    header.extend([0; 8]);
    if !directory.is_empty() {
        let offset = file.allocate(&directory);
        // QEMU writes it last, and the file ends with it.
        file.bytes.truncate(usize_of(offset) + directory.len());
        for word in [BITMAPS, 24, u32_of(description.bitmaps.len() as u64), 0] {
            header.extend(word.to_be_bytes());
        }
        for word in [directory.len() as u64, offset] {
            header.extend(word.to_be_bytes());
        }
    }
    file.put(0, &header);
    for number in 0..file.clusters() {
        file.put(block + 2 * number, &1_u16.to_be_bytes());
    }
    file.bytes
}

/// Stores the bits and the table of a bitmap; its entry in the directory.
fn entry(file: &mut File, size: u64, bitmap: &StoredBitmap) -> Vec<u8> {
    let bits = serialized(size, bitmap);
    let table: Vec<u64> = bits
        .chunks(usize_of(CLUSTER))
        .map(|bits| match bits {
            // Without a set bit there is no cluster (`block/qcow2-bitmap.c:store_bitmap_data`).
            bits if bits.iter().all(|byte| *byte == 0) => 0,
            bits => file.allocate(bits),
        })
        .collect();
    debug_assert!(table.iter().all(|entry| entry & ALL_ONES == 0));
    let bytes: Vec<u8> = table.iter().flat_map(|entry| entry.to_be_bytes()).collect();
    let offset = file.allocate(&bytes);
    let flag = |set: bool, flag: u32| if set { flag } else { 0 };
    let flags = flag(bitmap.in_use, IN_USE) | flag(bitmap.auto, AUTO);
    let name = bitmap.name.as_bytes();
    let name_size = u16::try_from(name.len()).unwrap_or(u16::MAX);
    let mut entry = Vec::new();
    entry.extend(offset.to_be_bytes());
    entry.extend(u32_of(table.len() as u64).to_be_bytes());
    entry.extend(flags.to_be_bytes());
    entry.extend([1, bitmap.granularity_bits]);
    entry.extend(name_size.to_be_bytes());
    entry.extend([0; 4]);
    entry.extend(name);
    entry.resize(
        usize::try_from(entry_size(name_size, 0)).unwrap_or_default(),
        0,
    );
    entry
}

/// The bits as QEMU serializes them: in whole words, the lowest bit of a byte first.
fn serialized(size: u64, bitmap: &StoredBitmap) -> Vec<u8> {
    let granularity = 1_u64 << bitmap.granularity_bits;
    let count = size.div_ceil(granularity);
    let mut bits = vec![0_u8; usize_of(count.div_ceil(64) * 8)];
    for &(offset, length) in &bitmap.dirty {
        let end = (offset + length).div_ceil(granularity);
        for bit in offset / granularity..end {
            if let Some(byte) = bits.get_mut(usize_of(bit / 8)) {
                *byte |= 1 << (bit % 8);
            }
        }
    }
    bits
}

/// A file that grows by clusters.
#[derive(Debug, Default)]
struct File {
    bytes: Vec<u8>,
}

impl File {
    fn clusters(&self) -> u64 {
        (self.bytes.len() as u64).div_ceil(CLUSTER)
    }

    /// Puts `bytes` into clusters of their own, at least one; their offset.
    fn allocate(&mut self, bytes: &[u8]) -> u64 {
        let offset = self.bytes.len();
        self.bytes.extend(bytes);
        let length = bytes.len().max(1).next_multiple_of(usize_of(CLUSTER));
        self.bytes.resize(offset + length, 0);
        offset as u64
    }

    fn put(&mut self, offset: u64, bytes: &[u8]) {
        let places = self.bytes.iter_mut().skip(usize_of(offset));
        for (place, byte) in places.zip(bytes) {
            *place = *byte;
        }
    }
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn u32_of(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

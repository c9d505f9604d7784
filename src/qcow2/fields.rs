//! Integers in an image. What lies beyond its end reads as zeros, as it does for QEMU.

/// The bytes `offset..offset + length`.
pub(super) fn bytes_at(image: &[u8], offset: u64, length: usize) -> Vec<u8> {
    let mut found = vec![0; length];
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    if let Some(rest) = image.get(start..) {
        let there = rest.len().min(length);
        found[..there].copy_from_slice(&rest[..there]);
    }
    found
}

fn integer_at<const N: usize>(image: &[u8], offset: u64) -> [u8; N] {
    let mut found = [0; N];
    found.copy_from_slice(&bytes_at(image, offset, N));
    found
}

pub(super) fn u8_at(image: &[u8], offset: u64) -> u8 {
    integer_at::<1>(image, offset)[0]
}

pub(super) fn u16_at(image: &[u8], offset: u64) -> u16 {
    u16::from_be_bytes(integer_at(image, offset))
}

pub(super) fn u32_at(image: &[u8], offset: u64) -> u32 {
    u32::from_be_bytes(integer_at(image, offset))
}

pub(super) fn u64_at(image: &[u8], offset: u64) -> u64 {
    u64::from_be_bytes(integer_at(image, offset))
}

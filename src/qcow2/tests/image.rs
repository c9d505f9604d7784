//! The image that the tests damage.

use crate::qcow2::{Description, StoredBitmap, write};

pub(super) const SIZE: u64 = 16 << 20;
const CLUSTER: u64 = 65_536;

/// A bitmap as a checkpoint leaves it, with these clusters marked.
pub(super) fn bitmap(name: &str, clusters: &[u64]) -> StoredBitmap {
    StoredBitmap {
        name: name.to_owned(),
        in_use: false,
        auto: true,
        granularity_bits: 16,
        has_table: true,
        dirty: clusters.iter().map(|at| (at * CLUSTER, CLUSTER)).collect(),
    }
}

pub(super) fn bitmaps() -> Vec<StoredBitmap> {
    vec![
        bitmap("c0", &[40, 80, 120]),
        bitmap("c1", &[80, 120]),
        bitmap("c2", &[120]),
    ]
}

pub(super) fn image() -> Vec<u8> {
    let guest = vec![0xa1; usize::try_from(CLUSTER).unwrap()];
    write(&Description {
        size: SIZE,
        bitmaps: &bitmaps(),
        guest: Some((0, guest)),
    })
}

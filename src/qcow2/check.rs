//! What `qemu-img check` counts: clusters with more references than their refcount, or fewer.

use std::collections::BTreeMap;

use super::fields::{u16_at, u32_at, u64_at};
use super::layout::{Layout, OFFSET_MASK, named_by};
use super::load::{directory, is_used, table};

/// What is wrong with an image's refcounts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Check {
    /// Clusters that are used more often than their refcount says.
    pub corruptions: u64,
    /// Clusters that are used less often.
    pub leaks: u64,
}

/// Counts the references of an image that QEMU opens
/// (`block/qcow2-refcount.c:qcow2_check_refcounts`).
#[must_use]
pub fn check(image: &[u8]) -> Check {
    let Ok(layout) = Layout::of(image) else {
        return Check::default();
    };
    let cluster = layout.cluster();
    let clusters = (image.len() as u64).div_ceil(cluster);
    let mut found = References {
        cluster,
        clusters,
        counts: BTreeMap::new(),
    };
    found.add(0, 1);
    let refcounts = (u64_at(image, 48), u64::from(u32_at(image, 56)) * cluster);
    found.add(refcounts.0, refcounts.1);
    named_by(image, refcounts.0, refcounts.1 / 8).for_each(|at| found.add(at, 1));
    found.add(u64_at(image, 40), u64::from(u32_at(image, 36)) * 8);
    layout.level2_tables().for_each(|at| found.add(at, 1));
    layout.guest_clusters().for_each(|at| found.add(at, 1));
    found.add_bitmaps(&layout);
    let mut result = Check::default();
    let beyond = found.counts.range(clusters..).count() as u64;
    result.corruptions += beyond;
    for number in 0..clusters {
        let used = found.counts.get(&number).copied().unwrap_or_default();
        let place = layout.refcount(number * cluster);
        let counted = u64::from(place.map_or(0, |place| u16_at(image, place)));
        if used > counted {
            result.corruptions += 1;
        }
        if used < counted {
            result.leaks += 1;
        }
    }
    result
}

struct References {
    cluster: u64,
    /// How many clusters the file has.
    clusters: u64,
    counts: BTreeMap<u64, u64>,
}

impl References {
    fn add(&mut self, offset: u64, length: u64) {
        let (start, end) = (
            offset / self.cluster,
            offset.saturating_add(length).div_ceil(self.cluster),
        );
        // Of what lies beyond the end of the file, the first cluster stands for all.
        let end = end.min(self.clusters.max(start).saturating_add(1));
        for number in start..end {
            *self.counts.entry(number).or_default() += 1;
        }
    }

    fn add_where_set(&mut self, offset: u64) {
        if offset != 0 {
            self.add(offset, 1);
        }
    }

    /// `block/qcow2-bitmap.c:qcow2_check_bitmaps_refcounts`.
    fn add_bitmaps(&mut self, layout: &Layout<'_>) {
        let autoclear = if layout.version() >= 3 {
            u64_at(layout.image, 88)
        } else {
            0
        };
        let Ok(extension) = layout.extension() else {
            return;
        };
        if !is_used(layout, &extension, autoclear).unwrap_or_default() {
            return;
        }
        self.add(extension.directory, extension.directory_size);
        for entry in directory(layout, &extension).unwrap_or_default() {
            self.add(entry.table, u64::from(entry.table_size) * 8);
            for found in table(layout, &entry).unwrap_or_default() {
                self.add_where_set(found & OFFSET_MASK);
            }
        }
    }
}

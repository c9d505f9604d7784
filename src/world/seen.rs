//! Bitmaps as QEMU and its tools show them.

use super::host::impossible;
use super::{Bitmap, Impossible, World};
use crate::model::{BitmapRow, BitmapTable};

impl World {
    /// The bitmaps of an active domain, as QEMU's `query-named-block-nodes` shows them.
    pub fn live_bitmaps(&self, name: &str) -> Result<BitmapTable, Impossible> {
        let domain = self.domains.get(name);
        let Some((domain, active)) =
            domain.and_then(|domain| Some((domain, domain.active.as_ref()?)))
        else {
            return impossible(format!("the live bitmaps of {name}, which is not active"));
        };
        let mut rows = Vec::new();
        for (disk, layers) in domain.disks.iter().zip(&active.bitmaps) {
            for (layer, bitmaps) in (0..).zip(layers) {
                rows.extend(
                    bitmaps
                        .iter()
                        .map(|(name, bitmap)| row(&disk.target, layer, name, bitmap, true)),
                );
            }
        }
        Ok(BitmapTable::of(rows))
    }

    /// The bitmaps that an image stores, a layer of a disk, as `qemu-img info` shows them.
    pub fn stored_bitmaps(
        &self,
        (disk, layer): (&str, u32),
        path: &str,
    ) -> Result<Vec<BitmapRow>, Impossible> {
        let Some(image) = self.image(path) else {
            return impossible(format!("the bitmaps of the missing image {path}"));
        };
        Ok(image
            .shown()
            .iter()
            .map(|(name, bitmap)| row(disk, layer, name, bitmap, false))
            .collect())
    }
}

fn row(disk: &str, layer: u32, name: &str, bitmap: &Bitmap, live: bool) -> BitmapRow {
    BitmapRow {
        disk: disk.to_owned(),
        layer,
        name: name.to_owned(),
        persistent: bitmap.persistent,
        recording: bitmap.recording,
        inconsistent: bitmap.inconsistent,
        busy: bitmap.busy,
        granularity: bitmap.granularity,
        dirty: live.then(|| bitmap.dirty.bytes()),
    }
}

//! What can be seen of a dirty bitmap from outside.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Size;

/// One dirty bitmap on one layer of one disk, as QEMU reports it.
///
/// The flags are those of `BlockDirtyInfo` in QEMU's QAPI schema for a running domain, and of
/// `Qcow2BitmapInfo` for a closed image (`in-use` reads as inconsistent, `auto` as recording).
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are QEMU's own independent flags"
)]
pub struct BitmapRow {
    /// Target device of the disk in the domain, such as `vda`.
    pub disk: String,
    /// Layer of the disk's backing chain; 0 is the top, the one that is written.
    pub layer: u32,
    /// Name of the bitmap; a checkpoint's bitmap bears the checkpoint's name.
    pub name: String,
    /// It is, or will be, stored in the image.
    pub persistent: bool,
    /// It records writes.
    pub recording: bool,
    /// It was not stored properly and cannot be used, only removed.
    pub inconsistent: bool,
    /// A job uses it.
    pub busy: bool,
    /// Bytes covered by one bit.
    pub granularity: u32,
    /// Bytes marked dirty; `None` where QEMU does not say (a closed image).
    pub dirty: Option<Size>,
}

impl BitmapRow {
    /// Whether a backup can read it: stored, recording and consistent
    /// (`src/qemu/qemu_block.c:qemuBlockBitmapChainIsValid`).
    #[must_use]
    pub const fn is_usable(&self) -> bool {
        self.persistent && self.recording && !self.inconsistent
    }
}

/// A layer of a disk in labels, such as `vda[1]`; the top one goes without saying.
#[must_use]
pub fn on_layer(disk: &str, layer: u32) -> String {
    if layer == 0 {
        disk.to_owned()
    } else {
        format!("{disk}[{layer}]")
    }
}

/// All bitmaps of a domain, in the order of disk, layer and name.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(transparent)]
pub struct BitmapTable(pub Vec<BitmapRow>);

impl BitmapTable {
    /// The table of these rows, put into order.
    #[must_use]
    pub fn of(mut rows: Vec<BitmapRow>) -> Self {
        rows.sort_by(|a, b| (&a.disk, a.layer, &a.name).cmp(&(&b.disk, b.layer, &b.name)));
        Self(rows)
    }

    /// Whether a backup can be based on the bitmap: it is in the top layer of the disk and in
    /// consecutive ones from there, usable in each
    /// (`src/qemu/qemu_block.c:qemuBlockBitmapChainIsValid`).
    #[must_use]
    pub fn has_usable(&self, disk: &str, name: &str) -> bool {
        let mut rows = (0..).zip(self.on(disk, name)).peekable();
        rows.peek().is_some() && rows.all(|(layer, row)| row.layer == layer && row.is_usable())
    }

    /// The rows of one bitmap on one disk, top layer first.
    pub fn on(&self, disk: &str, name: &str) -> impl Iterator<Item = &BitmapRow> {
        self.0
            .iter()
            .filter(move |row| row.disk == disk && row.name == name)
    }
}

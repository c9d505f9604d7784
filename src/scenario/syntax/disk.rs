//! The disks of a domain.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Spanned, Word};
use crate::model::{Compat, DiskFormat, Size};

/// A disk of the domain. `format` and `size` stand everywhere but on an empty drive.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Disk {
    /// Format of the image: `qcow2` or `raw`.
    pub format: Option<Spanned<DiskFormat>>,
    /// Virtual size of the image, such as `16M`.
    pub size: Option<Spanned<Word<Size>>>,
    /// Version of the qcow2 format: `"0.10"` cannot store bitmaps, `"1.1"` can and is the default.
    pub compat: Option<Spanned<Compat>>,
    /// Cluster size of the qcow2 image; 64K where it is not given.
    pub cluster_size: Option<Spanned<Word<Size>>>,
    /// The images below the top one, from the top down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backing: Vec<Spanned<Backing>>,
    /// The guest may only read it.
    #[serde(default)]
    pub read_only: bool,
    /// What kind of drive it is; `disk` where it is not given.
    pub device: Option<Spanned<Device>>,
    /// The drive holds no medium.
    #[serde(default)]
    pub empty: bool,
}

/// An image below the top one.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Backing {
    /// Format of the image.
    pub format: DiskFormat,
    /// Virtual size, where it is not that of the disk.
    pub size: Option<Spanned<Word<Size>>>,
}

/// A kind of drive.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Device {
    /// A hard disk.
    Disk,
    /// A CD-ROM drive; always read-only.
    Cdrom,
    /// A floppy drive.
    Floppy,
}

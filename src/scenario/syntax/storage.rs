//! The steps about snapshots, block jobs, drives, and images beside libvirt.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FileName, Spanned, TargetName, Word};
use crate::model::{Compat, DiskFormat, Size};

/// A step about one disk.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DiskName {
    /// Target device.
    pub disk: Spanned<String>,
}

/// Takes a snapshot.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SnapshotCreate {
    /// Name of the snapshot.
    pub name: Spanned<String>,
    /// Inside the image, or a new top layer.
    pub kind: SnapshotKind,
    /// The disks that take part; without the key libvirt chooses.
    pub disks: Option<Vec<Spanned<String>>>,
}

/// Where a snapshot keeps its data.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SnapshotKind {
    /// Inside the qcow2 image.
    Internal,
    /// In a new image on top of the old one.
    External,
}

/// A step about one snapshot.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SnapshotName {
    /// Name of the snapshot.
    pub name: Spanned<String>,
}

/// Merges layers of a disk downwards (`virDomainBlockCommit`). Layer 0 is the top one.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BlockCommit {
    /// Target device.
    pub disk: Spanned<String>,
    /// The uppermost layer that is merged; the top one where it is not given.
    pub top: Option<u8>,
    /// The layer that receives the data; the bottom one where it is not given.
    pub base: Option<u8>,
}

/// Copies layers of a disk upwards into the top one (`virDomainBlockPull`).
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BlockPull {
    /// Target device.
    pub disk: Spanned<String>,
    /// The layer that stays below; none where it is not given.
    pub base: Option<u8>,
}

/// Copies a disk to another image (`virDomainBlockCopy`).
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BlockCopy {
    /// Target device.
    pub disk: Spanned<String>,
    /// The file that the copy is written to.
    pub target: Spanned<Word<FileName>>,
    /// Format of the copy; that of the disk where it is not given.
    pub driver: Option<DiskFormat>,
}

/// Ends the block job of a disk (`virDomainBlockJobAbort`).
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BlockJobAbort {
    /// Target device.
    pub disk: Spanned<String>,
    /// Change over to the copy (`VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT`).
    #[serde(default)]
    pub pivot: bool,
}

/// Adds a disk to the domain.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AttachDisk {
    /// Target device of the new disk.
    pub disk: Spanned<Word<TargetName>>,
    /// Format of its image, which is made empty.
    pub format: DiskFormat,
    /// Virtual size of its image.
    pub size: Spanned<Word<Size>>,
}

/// Changes the size of a disk or of an image.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ResizeDisk {
    /// Target device.
    pub disk: Spanned<String>,
    /// The new virtual size.
    pub size: Spanned<Word<Size>>,
}

/// Copies an image with `qemu-img convert` and puts the copy in its place.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConvertImage {
    /// Target device.
    pub disk: Spanned<String>,
    /// Copy the bitmaps too (`--bitmaps`).
    #[serde(default)]
    pub bitmaps: bool,
}

/// Changes the version of the qcow2 format with `qemu-img amend`.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AmendImage {
    /// Target device.
    pub disk: Spanned<String>,
    /// The new version.
    pub compat: Compat,
}

/// Puts an overlay on an image behind libvirt's back; the domain then uses the overlay.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OverlayImage {
    /// Target device.
    pub disk: Spanned<String>,
    /// Add empty bitmaps of the names that the image below has.
    #[serde(default)]
    pub bitmaps: bool,
}

/// Keeps a copy of an image's file.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CopyImage {
    /// Target device.
    pub disk: Spanned<String>,
    /// The label that a later `restore-image` names.
    #[serde(rename = "as")]
    pub label: Spanned<String>,
}

/// Puts a copy that was kept back in the image's place.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RestoreImage {
    /// Target device.
    pub disk: Spanned<String>,
    /// Label of the copy.
    pub from: Spanned<String>,
}

/// Cuts the end of an image's file off.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TruncateImage {
    /// Target device.
    pub disk: Spanned<String>,
    /// The number of bytes that are lost.
    pub by: Spanned<Word<Size>>,
}

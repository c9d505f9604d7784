//! The steps that damage bitmaps and images, by name and by bytes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HexBytes, Spanned, Word};
use crate::model::Size;
pub use crate::model::{Anchor, BitmapDamageKind, ImageDamageKind};

/// A step about one bitmap of one image.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BitmapName {
    /// Target device.
    pub disk: Spanned<String>,
    /// Name of the bitmap.
    pub bitmap: Spanned<String>,
    /// Layer of the disk; 0, the top one, where it is not given.
    pub layer: Option<u8>,
    /// On the running QEMU through its monitor, not on the closed image.
    #[serde(default)]
    pub live: bool,
}

/// Adds an empty bitmap.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BitmapAdd {
    /// Target device.
    pub disk: Spanned<String>,
    /// Name of the bitmap.
    pub bitmap: Spanned<String>,
    /// Bytes that one bit covers; 64K where it is not given.
    pub granularity: Option<Spanned<Word<Size>>>,
    /// Layer of the disk; 0, the top one, where it is not given.
    pub layer: Option<u8>,
    /// On the running QEMU through its monitor, not on the closed image.
    #[serde(default)]
    pub live: bool,
}

/// Merges one bitmap into another.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BitmapMerge {
    /// Target device.
    pub disk: Spanned<String>,
    /// The bitmap that receives the bits.
    pub bitmap: Spanned<String>,
    /// The bitmap whose bits are added.
    pub from: Spanned<String>,
}

/// Changes one field of a bitmap in the closed image.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BitmapDamage {
    /// Target device.
    pub disk: Spanned<String>,
    /// Name of the bitmap.
    pub bitmap: Spanned<String>,
    /// What is changed.
    pub kind: BitmapDamageKind,
    /// Another bitmap of the image, for the kinds that involve two.
    pub other: Option<Spanned<String>>,
    /// Layer of the disk; 0, the top one, where it is not given.
    pub layer: Option<u8>,
}

/// Changes one field of a closed image that is about all its bitmaps.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ImageDamage {
    /// Target device.
    pub disk: Spanned<String>,
    /// What is changed.
    pub kind: ImageDamageKind,
    /// Layer of the disk; 0, the top one, where it is not given.
    pub layer: Option<u8>,
}

/// Overwrites bytes of a closed image.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WriteBytes {
    /// Target device.
    pub disk: Spanned<String>,
    /// From where `offset` counts; from the start of the file where it is not given.
    pub anchor: Option<Anchor>,
    /// The bitmap, for the anchors that belong to one.
    pub bitmap: Option<Spanned<String>>,
    /// First byte, counted from the anchor.
    pub offset: Spanned<Word<Size>>,
    /// The new bytes.
    pub bytes: Word<HexBytes>,
    /// Layer of the disk; 0, the top one, where it is not given.
    pub layer: Option<u8>,
}

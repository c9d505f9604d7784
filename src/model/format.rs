//! Formats of disk images.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::UnknownName;

/// The format of a disk image, by the name libvirt and QEMU share.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DiskFormat {
    /// QEMU's own format; version 3 (`compat=1.1`) can store bitmaps.
    Qcow2,
    /// No format at all: bytes. It cannot store bitmaps.
    Raw,
}

impl DiskFormat {
    /// Every format, in the order they are shown.
    pub const ALL: [Self; 2] = [Self::Qcow2, Self::Raw];

    /// The word that libvirt's XML and `qemu-img -f` use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Qcow2 => "qcow2",
            Self::Raw => "raw",
        }
    }
}

impl fmt::Display for DiskFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DiskFormat {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let mut all = Self::ALL.into_iter();
        all.find(|format| format.as_str() == text)
            .ok_or(UnknownName)
    }
}

/// Version of the qcow2 format, as `qemu-img create -o compat=` takes it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Compat {
    /// Version 2: no bitmaps.
    #[serde(rename = "0.10")]
    V2,
    /// Version 3: bitmaps.
    #[serde(rename = "1.1")]
    V3,
}

impl Compat {
    /// The word that `qemu-img` uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2 => "0.10",
            Self::V3 => "1.1",
        }
    }
}

impl fmt::Display for Compat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

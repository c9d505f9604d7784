//! Versions of libvirt and QEMU.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A version of libvirt or QEMU: `11.3.0`.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(into = "String", try_from = "String")]
pub struct Version {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
    /// Third number.
    pub release: u32,
}

impl Version {
    /// The version with these three numbers.
    #[must_use]
    pub const fn new(major: u32, minor: u32, release: u32) -> Self {
        Self {
            major,
            minor,
            release,
        }
    }

    /// The version packed into one number as `virConnectGetLibVersion` does it:
    /// `1,000,000 * major + 1,000 * minor + release`.
    #[must_use]
    pub const fn from_packed(packed: u64) -> Self {
        Self {
            major: (packed / 1_000_000 % 1_000_000) as u32,
            minor: (packed / 1_000 % 1_000) as u32,
            release: (packed % 1_000) as u32,
        }
    }

    /// True when both belong to one series, such as 11.3.0 and 11.3.2.
    #[must_use]
    pub const fn same_series(self, other: Self) -> bool {
        self.major == other.major && self.minor == other.minor
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.release)
    }
}

/// The text is not a version.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a version: write two or three numbers, such as 11.3 or 11.3.0")]
pub struct InvalidVersion;

impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let numbers: Result<Vec<u32>, _> = text.split('.').map(str::parse).collect();
        match numbers.map_err(|_| InvalidVersion)?[..] {
            [major, minor] => Ok(Self::new(major, minor, 0)),
            [major, minor, release] => Ok(Self::new(major, minor, release)),
            _ => Err(InvalidVersion),
        }
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl TryFrom<String> for Version {
    type Error = InvalidVersion;

    fn try_from(text: String) -> Result<Self, InvalidVersion> {
        text.parse()
    }
}

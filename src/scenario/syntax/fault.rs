//! The steps that take something from the host or give it back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FileName, Spanned, Word};
use crate::model::Size;

/// A step about one directory.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DirectoryName {
    /// The directory, below the scenario's own.
    pub directory: Spanned<Word<FileName>>,
}

/// A step about one file.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileNamed {
    /// The file, below the scenario's directory.
    pub file: Spanned<Word<FileName>>,
}

/// Mounts a file system of limited size.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SmallFileSystem {
    /// Where, below the scenario's directory.
    pub directory: Spanned<Word<FileName>>,
    /// How many bytes it holds.
    pub size: Spanned<Word<Size>>,
}

/// A step about one of the scenario's own TCP ports.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Port {
    /// The port, 1 to 9; the run chooses a free one for each.
    #[schemars(range(min = 1, max = 9))]
    pub port: u8,
}

/// Where QEMU's own NBD server listens.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServerPlace {
    /// A UNIX socket below the scenario's directory.
    pub socket: Spanned<Word<FileName>>,
}

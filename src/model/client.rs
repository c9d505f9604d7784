//! What a client of libvirt cannot do, or may not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the client cannot do, or may not; what is not given it can and may.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Client {
    /// It stores no backup that is full for some disks and incremental for others.
    #[serde(default)]
    pub no_mixing: bool,
    /// It may not start the domain, nor resume it.
    #[serde(default)]
    pub no_start: bool,
    /// It cannot ask QEMU's monitor, and judges bitmaps by redefining their checkpoints.
    #[serde(default)]
    pub no_monitor: bool,
}

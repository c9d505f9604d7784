//! Where an error was raised.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The place in libvirt's source that raised an error within a call, as libvirt's own log tells it
/// (`src/util/virlog.c:virLogFormatString`). The call need not have been refused because of it.
#[derive(
    Clone, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
pub struct Raised {
    /// The C function.
    pub function: String,
    /// The line of its file, in the build of libvirt that was asked.
    pub line: u32,
    /// The first line of the message, with its prefix.
    pub message: String,
}

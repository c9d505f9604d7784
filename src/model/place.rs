//! Where a scenario runs.

use serde::{Deserialize, Serialize};

/// The directory and the names that belong to one scenario alone.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Place {
    /// Absolute path of the scenario's own directory.
    pub directory: String,
    /// Name for the scenario's domain.
    pub domain: String,
    /// UUID for the scenario's domain.
    pub uuid: String,
    /// Absolute path of the emulator that the domain's XML names.
    pub emulator: String,
}

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
    /// TCP ports of the loopback address that nobody listened on when the place was made, in the
    /// order of the numbers by which scenarios name them.
    pub ports: Vec<u16>,
}

/// How many TCP ports a scenario has.
pub const PORTS: usize = 9;

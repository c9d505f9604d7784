//! Where a scenario runs.

use super::Version;
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
    /// What of QEMU the domain's XML must ask libvirt for, by the names of `virQEMUCapsFlags`, since
    /// this version does not use it by itself.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// TCP ports of the loopback address that nobody listened on when the place was made, in the
    /// order of the numbers by which scenarios name them.
    pub ports: Vec<u16>,
}

impl Place {
    /// What a domain must ask for before it can be backed up. libvirt uses incremental backups by
    /// itself since 7.6.0 (`NEWS.rst`; measured: 7.0.0 refuses them otherwise, 9.0.0 does not).
    #[must_use]
    pub fn capabilities_of(libvirt: Version) -> Vec<String> {
        let by_itself = Version::new(7, 6, 0);
        let needed = (libvirt < by_itself).then(|| "incremental-backup".to_owned());
        needed.into_iter().collect()
    }
}

/// How many TCP ports a scenario has.
pub const PORTS: usize = 9;

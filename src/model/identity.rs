//! Who answers.

use serde::{Deserialize, Serialize};

use super::Version;

/// What answers the calls of a run.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Identity {
    /// The driver's name, as `--driver` takes it.
    pub driver: String,
    /// True for real libvirt.
    pub real: bool,
    /// Version of libvirt, or the version that the mock models.
    pub libvirt: Version,
    /// Version of QEMU, as its maintainers write it; the modelled one for the mock.
    pub qemu: String,
}

//! Who answers.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Version;

/// What answers the calls of a run.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
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

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { libvirt, qemu, .. } = self;
        let model = if self.real { "" } else { "the model of " };
        write!(f, "{model}libvirt {libvirt}, QEMU {qemu}")
    }
}

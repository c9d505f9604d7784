//! The world as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::{Domain, File, FileSystem};
use crate::model::JobEvent;

/// Every file and every domain of the simulated host.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct World {
    /// Files by absolute path. A directory must be here to hold others.
    pub files: BTreeMap<String, File>,
    /// The file systems of limited size, by the directory that each is mounted on.
    pub file_systems: BTreeMap<String, FileSystem>,
    /// TCP ports of the loopback address on which something other than QEMU listens.
    pub ports: BTreeSet<u16>,
    /// Domains by name.
    pub domains: BTreeMap<String, Domain>,
    /// Events of the last backup job of each domain, until they are taken. They outlive the
    /// QEMU process, and the domain.
    pub events: BTreeMap<String, Vec<JobEvent>>,
    /// Seconds since the epoch, as far as anything in the world can tell; each new checkpoint
    /// takes the next one.
    pub clock: u64,
    /// Bitmaps do not go along with a pivot to a copy, as libvirt 7.0 leaves them.
    pub copies_lose_bitmaps: bool,
    /// A commit below the top layer adds no bitmap that the lower layer lacks, as libvirt 7.0 leaves it.
    pub commits_add_no_bitmaps: bool,
    /// The overlay of a transient disk is not named after its domain, as libvirt 7.0 leaves it.
    pub bare_overlays: bool,
}

/// The world has no rule for this.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Impossible(pub String);

pub(super) fn impossible<T>(what: impl Into<String>) -> Result<T, Impossible> {
    Err(Impossible(what.into()))
}

pub(super) fn defined<'a>(
    domains: &'a mut BTreeMap<String, Domain>,
    name: &str,
) -> Result<&'a mut Domain, Impossible> {
    domains
        .get_mut(name)
        .ok_or_else(|| Impossible(format!("the domain {name} is not defined")))
}

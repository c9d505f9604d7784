//! The world as a whole, and what can happen in it.

use std::collections::BTreeMap;

use super::{Domain, Image};

/// Every file and every domain of the simulated host.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct World {
    /// Image files by absolute path.
    pub images: BTreeMap<String, Image>,
    /// Domains by name.
    pub domains: BTreeMap<String, Domain>,
    /// Seconds since the epoch, as far as anything in the world can tell; each new checkpoint
    /// takes the next one.
    pub clock: u64,
}

/// The world has no rule for this.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Impossible(pub String);

pub(super) fn impossible<T>(what: String) -> Result<T, Impossible> {
    Err(Impossible(what))
}

pub(super) fn defined<'a>(
    domains: &'a mut BTreeMap<String, Domain>,
    name: &str,
) -> Result<&'a mut Domain, Impossible> {
    domains
        .get_mut(name)
        .ok_or_else(|| Impossible(format!("the domain {name} is not defined")))
}

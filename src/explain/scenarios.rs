//! The scenarios that pages refer to.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::scenario::{Expectation, Refusal, Scenario};

/// The scenarios that pages refer to, by their names.
pub type Scenarios = BTreeMap<String, Arc<Scenario>>;

/// The names of the scenarios whose refusal is the wanted one.
pub(super) fn refusing(
    scenarios: &Scenarios,
    wanted: impl Fn(&Refusal) -> bool,
) -> impl Iterator<Item = &str> {
    let is_wanted = move |scenario: &Scenario| match &scenario.then {
        Expectation::Success => false,
        Expectation::Refusal(refusal) => wanted(refusal),
    };
    scenarios
        .iter()
        .filter(move |(_, scenario)| is_wanted(scenario))
        .map(|(name, _)| name.as_str())
}

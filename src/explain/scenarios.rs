//! The scenarios that pages refer to.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::scenario::{Expectation, Refusal, Scenario};

/// The scenarios that pages refer to, by their names.
pub type Scenarios = BTreeMap<String, Known>;

/// A scenario, and what its snapshot says of the judge.
#[derive(Clone, Debug)]
pub struct Known {
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// The rule that decided when its snapshot was recorded.
    rule: Option<String>,
}

impl Known {
    /// A scenario with its snapshot, where one was recorded.
    #[must_use]
    pub fn new(scenario: Arc<Scenario>, snapshot: Option<&str>) -> Self {
        let rule = snapshot.and_then(rule_in).map(str::to_owned);
        Self { scenario, rule }
    }
}

/// The names of the scenarios whose refusal is the wanted one.
pub(super) fn refusing(
    scenarios: &Scenarios,
    wanted: impl Fn(&Refusal) -> bool,
) -> impl Iterator<Item = &str> {
    let is_wanted = move |known: &Known| match &known.scenario.then {
        Expectation::Success => false,
        Expectation::Refusal(refusal) => wanted(refusal),
    };
    scenarios
        .iter()
        .filter(move |(_, known)| is_wanted(known))
        .map(|(name, _)| name.as_str())
}

/// The names of the scenarios whose snapshots show that this rule decided.
pub(super) fn decided_by<'a>(
    scenarios: &'a Scenarios,
    rule: &str,
) -> impl Iterator<Item = &'a str> {
    scenarios
        .iter()
        .filter(move |(_, known)| known.rule.as_deref() == Some(rule))
        .map(|(name, _)| name.as_str())
}

/// The line `because   RULE: …` below the decision; documents and messages stand further right.
fn rule_in(snapshot: &str) -> Option<&str> {
    let line = snapshot
        .lines()
        .find_map(|line| line.strip_prefix("  because "))?;
    Some(line.split_once(':')?.0.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_names_its_rule() {
        let text = "when\n      because of: an XML\ndecision  fix-request (x)\n  \
                    because   B18-name: the name: too long\n  source    y\n";
        assert_eq!(rule_in(text), Some("B18-name"));
        assert_eq!(rule_in("after\n  as before\n"), None);
        assert_eq!(rule_in(""), None);
    }
}

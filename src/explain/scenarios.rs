//! The scenarios that pages refer to.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Api, Decision};
use crate::scenario::{Expectation, Refusal, Scenario, function};

/// The scenarios that pages refer to, by their names.
pub type Scenarios = BTreeMap<String, Known>;

/// A scenario, and what its snapshot says of the judge.
#[derive(Clone, Debug)]
pub struct Known {
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// The rule that decided when its snapshot was recorded.
    pub(super) rule: Option<String>,
    /// The clean-up that went with the decision: the words of its steps.
    pub(super) clean_up: Vec<String>,
    /// What the judge asked for, by the titles of the probes.
    pub(super) probes: Vec<String>,
}

impl Known {
    /// A scenario with its snapshot, where one was recorded.
    #[must_use]
    pub fn new(scenario: Arc<Scenario>, snapshot: Option<&str>) -> Self {
        let snapshot = snapshot.unwrap_or_default();
        let first_word = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
        let title = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
        Self {
            scenario,
            rule: rule_in(snapshot).map(str::to_owned),
            clean_up: lines(snapshot, "clean-up").map(first_word).collect(),
            probes: lines(snapshot, "probe").map(title).collect(),
        }
    }

    /// Whether it is a refusal that a client of backups has to recover from.
    pub(super) fn is_for_clients(&self) -> bool {
        let calls = [
            Api::DomainBackupBegin,
            Api::CheckpointCreate,
            Api::CheckpointDelete,
            Api::DomainAbortJob,
        ];
        let called = function(&self.scenario.when.value);
        let is_theirs = called.is_some_and(|api| calls.contains(&api));
        match &self.scenario.then {
            Expectation::Success => false,
            Expectation::Refusal(refusal) => is_theirs && refusal.decision != Decision::FixRequest,
        }
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

/// The rule of the line `because   RULE: …`.
fn rule_in(snapshot: &str) -> Option<&str> {
    let line = lines(snapshot, "because").next()?;
    Some(line.split_once(':')?.0)
}

/// What stands behind this word in the lines below the decision; documents and messages stand
/// further right.
fn lines<'a>(snapshot: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    let of_word = move |line: &'a str| {
        let rest = line.strip_prefix("  ")?.strip_prefix(word)?;
        rest.starts_with("  ").then(|| rest.trim())
    };
    snapshot.lines().filter_map(of_word)
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
        let text = "  probe     domain job: none\n  probe     block nodes: 2 bitmaps\n  probed x\n";
        let titles: Vec<&str> = lines(text, "probe").collect();
        assert_eq!(titles, ["domain job: none", "block nodes: 2 bitmaps"]);
        assert_eq!(rule_in(""), None);
    }
}

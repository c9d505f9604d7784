//! What is remembered of a suite's runs, and how a new run changes it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::run::Outcome;

/// What is remembered of a suite.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Memory {
    /// The last run on each driver, by the driver's name.
    pub runs: BTreeMap<String, LastRun>,
}

/// The last run on one driver.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LastRun {
    /// When it ended.
    pub ended: Timestamp,
    /// The scenarios that did not pass when they were last selected, and what came of each.
    pub not_passed: BTreeMap<String, String>,
}

impl Memory {
    /// Takes note of a run that was to run `selected`. What it did not select stays as it was,
    /// unless `exists` knows it no more; what it selected and did not finish has not passed.
    pub fn note<'a>(
        &mut self,
        driver: &str,
        ended: Timestamp,
        selected: impl IntoIterator<Item = &'a str>,
        finished: &BTreeMap<String, Outcome>,
        exists: impl Fn(&str) -> bool,
    ) {
        let run = self.runs.entry(driver.to_owned()).or_default();
        run.ended = ended;
        run.not_passed.retain(|name, _| exists(name));
        for name in selected {
            let bad = match finished.get(name) {
                Some(outcome) => outcome.is_bad().then(|| outcome.word()),
                None => Some("not-run"),
            };
            match bad {
                Some(word) => run.not_passed.insert(name.to_owned(), word.to_owned()),
                None => run.not_passed.remove(name),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(memory: &mut Memory, driver: &str, outcomes: &[(&str, Option<Outcome>)]) {
        let finished = outcomes
            .iter()
            .filter_map(|(name, outcome)| Some(((*name).to_owned(), outcome.clone()?)));
        let selected = outcomes.iter().map(|(name, _)| *name);
        let finished = finished.collect();
        memory.note(driver, Timestamp::UNIX_EPOCH, selected, &finished, |name| {
            name != "a/gone"
        });
    }

    fn bad(memory: &Memory, driver: &str) -> Vec<String> {
        let bad = memory.runs[driver].not_passed.iter();
        bad.map(|(name, word)| format!("{name} {word}")).collect()
    }

    fn broken() -> Outcome {
        Outcome::broken(&"")
    }

    #[test]
    fn mending_one_by_one_leaves_the_others() {
        let mut memory = Memory::default();
        let all = [
            ("a/one", Some(broken())),
            ("a/two", Some(broken())),
            ("a/three", Some(Outcome::Passed)),
        ];
        noted(&mut memory, "mock", &all);
        assert_eq!(bad(&memory, "mock"), ["a/one broken", "a/two broken"]);
        noted(&mut memory, "mock", &[("a/one", Some(Outcome::Passed))]);
        assert_eq!(bad(&memory, "mock"), ["a/two broken"]);
        noted(&mut memory, "mock", &[("a/three", Some(broken()))]);
        assert_eq!(bad(&memory, "mock"), ["a/three broken", "a/two broken"]);
    }

    #[test]
    fn what_was_not_reached_has_not_passed() {
        let mut memory = Memory::default();
        noted(
            &mut memory,
            "mock",
            &[("a/one", Some(Outcome::Interrupted)), ("a/two", None)],
        );
        assert_eq!(bad(&memory, "mock"), ["a/one interrupted", "a/two not-run"]);
    }

    #[test]
    fn drivers_are_kept_apart() {
        let mut memory = Memory::default();
        noted(&mut memory, "embed", &[("a/one", Some(broken()))]);
        noted(&mut memory, "mock", &[("a/one", Some(Outcome::Passed))]);
        assert_eq!(bad(&memory, "embed"), ["a/one broken"]);
        assert_eq!(bad(&memory, "mock"), [""; 0]);
    }

    #[test]
    fn scenarios_that_are_gone_are_forgotten() {
        let mut memory = Memory::default();
        noted(&mut memory, "mock", &[("a/gone", Some(broken()))]);
        noted(&mut memory, "mock", &[("a/one", Some(Outcome::Passed))]);
        assert_eq!(bad(&memory, "mock"), [""; 0]);
    }
}

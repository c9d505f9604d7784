//! The checks of one scenario.

use std::fmt::Display;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{CleanUpTime, Decision};
use crate::scenario::{Expectation, Refusal};
use crate::transcript::{Record, Transcript};

/// One thing that was expected, and what was found.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Check {
    /// What is compared: `error`, `decision`, ….
    pub what: String,
    /// What the scenario wants.
    pub expected: String,
    /// What the transcript shows.
    pub found: String,
    /// Whether they agree.
    pub holds: bool,
}

impl Check {
    /// A check whose two sides are compared as text.
    #[must_use]
    pub fn equal(what: &str, expected: &dyn Display, found: &dyn Display) -> Self {
        let (expected, found) = (expected.to_string(), found.to_string());
        Self {
            what: what.to_owned(),
            holds: expected == found,
            expected,
            found,
        }
    }
}

/// Every check of a scenario, those that hold and those that do not. Where no recovery was to be
/// executed, none has to be proven.
#[must_use]
pub fn verdict(
    transcript: &Transcript,
    expectation: &Expectation,
    with_recovery: bool,
) -> Vec<Check> {
    let Some(when) = &transcript.when else {
        return vec![Check::equal("call under test", &"issued", &"not reached")];
    };
    match expectation {
        Expectation::Success => {
            let found = when
                .refusal()
                .map_or_else(|| "success".to_owned(), |error| format!("refused: {error}"));
            let mut checks = vec![Check::equal("result", &"success", &found)];
            checks.extend(proof_checks(transcript));
            checks
        }
        Expectation::Refusal(refusal) => {
            let mut checks = refusal_checks(when, refusal);
            checks.extend(decision_checks(transcript, refusal.decision));
            if with_recovery {
                checks.extend(recovery_checks(transcript));
            }
            checks
        }
    }
}

fn refusal_checks(when: &Record, refusal: &Refusal) -> Vec<Check> {
    let Some(error) = when.refusal() else {
        return vec![Check::equal("error", &refusal.error, &"the call succeeded")];
    };
    let mut checks = vec![Check::equal("error", &refusal.error, &error.code)];
    if let Some(domain) = refusal.error_domain {
        checks.push(Check::equal("error domain", &domain, &error.domain));
    }
    if let Some(part) = &refusal.message {
        checks.push(Check {
            what: "message".to_owned(),
            expected: format!("…{}…", part.value),
            found: error.message.clone(),
            holds: error.message.contains(part.value.as_str()),
        });
    }
    checks
}

fn decision_checks(transcript: &Transcript, decision: Decision) -> Vec<Check> {
    let found = transcript
        .conclusion
        .as_ref()
        .map(|conclusion| conclusion.decision);
    let found_text = found.map_or_else(|| "none".to_owned(), |found| found.to_string());
    let mut checks = vec![Check::equal("decision", &decision, &found_text)];
    // Where the refused call has left something, the proof shows that all of it is gone.
    let left = transcript
        .conclusion
        .iter()
        .flat_map(|conclusion| &conclusion.clean_up);
    let has_left = left.clone().any(|step| step.time == CleanUpTime::First);
    if found == Some(Decision::FixRequest) && !has_left {
        let unchanged = transcript.before == transcript.after;
        let found = if unchanged { "as before" } else { "changed" };
        checks.push(Check::equal(
            "state after the refusal",
            &"as before",
            &found,
        ));
    }
    checks
}

fn recovery_checks(transcript: &Transcript) -> Vec<Check> {
    let mut checks = Vec::new();
    for record in &transcript.recovery {
        if let Some(error) = record.refusal() {
            let what = format!("recovery step `{}`", record.label);
            checks.push(Check::equal(&what, &"ok", &format!("refused: {error}")));
        }
    }
    checks.extend(proof_checks(transcript));
    if transcript.proof.is_empty() {
        checks.push(Check::equal("proof", &"given", &"none"));
    }
    checks
}

fn proof_checks(transcript: &Transcript) -> impl Iterator<Item = Check> {
    transcript.proof.iter().map(|line| Check {
        what: format!("proof: {}", line.claim),
        expected: "holds".to_owned(),
        found: line.found.clone(),
        holds: line.holds,
    })
}

//! The procedure: facts in, one decision or one question out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::facts::{Facts, Probe};
use super::rules::RULES;
use super::situations::Step;
use crate::model::{CleanUp, Decision, DiskPart};

/// What the facts come to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// They suffice.
    Decided(Decided),
    /// One more question must be answered first.
    Need(Probe),
}

/// A decision and where it comes from.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Decided {
    /// What the client does now.
    pub decision: Decision,
    /// Its base, its disks, its clean-up.
    pub detail: Detail,
    /// Identifier of the rule.
    pub rule: String,
    /// The rule in words.
    pub because: String,
    /// Who says so.
    pub sources: Vec<String>,
}

/// What a decision says beside its name.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Detail {
    /// The checkpoint that the next backup is based on.
    pub base: Option<String>,
    /// What the next backup takes of each disk, where that is not the same of all.
    pub disks: BTreeMap<String, DiskPart>,
    /// Steps that go with the decision, in order. Whatever they delete is kept until the next
    /// backup was verified.
    pub clean_up: Vec<CleanUp>,
}

/// Decides what a client does after a failed call, or asks for the cheapest probe that is still
/// missing. Rules are tried in the order of their table; where none applies, the decision is
/// `investigate-escalate`, which deletes nothing.
#[must_use]
pub fn decide(facts: &Facts) -> Judgement {
    for rule in RULES {
        if rule.code != facts.error.code || rule.api.is_some_and(|api| api != facts.api) {
            continue;
        }
        match (rule.applies)(facts) {
            Step::Pass => {}
            Step::Need(probe) => return Judgement::Need(probe),
            Step::Decide(detail) => {
                return Judgement::Decided(Decided {
                    decision: rule.decision,
                    detail,
                    rule: rule.id.to_owned(),
                    because: rule.because.to_owned(),
                    sources: rule
                        .sources
                        .iter()
                        .map(|source| (*source).to_owned())
                        .collect(),
                });
            }
        }
    }
    Judgement::Decided(Decided {
        decision: Decision::InvestigateEscalate,
        detail: Detail::default(),
        rule: "none".to_owned(),
        because: format!(
            "no rule covers {} from {} with these facts",
            facts.error.code, facts.api
        ),
        sources: Vec::new(),
    })
}

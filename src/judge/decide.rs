//! The procedure: facts in, one decision or one question out.

use serde::{Deserialize, Serialize};

use super::facts::{Facts, Probe};
use super::rules::{RULES, Step};
use crate::model::{CleanUp, Decision};

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
    /// Steps that go with it, in order.
    pub clean_up: Vec<CleanUp>,
    /// Identifier of the rule.
    pub rule: String,
    /// The rule in words.
    pub because: String,
    /// Who says so.
    pub sources: Vec<String>,
}

/// Decides what a client does after a failed call, or asks for the cheapest probe that is still
/// missing. Rules are tried in the order of their table; where none applies, the decision is
/// `investigate-escalate`, which deletes nothing.
#[must_use]
pub fn decide(facts: &Facts) -> Judgement {
    for rule in RULES {
        if rule.code != facts.error.code {
            continue;
        }
        match (rule.applies)(facts) {
            Step::Pass => {}
            Step::Need(probe) => return Judgement::Need(probe),
            Step::Decide(clean_up) => {
                return Judgement::Decided(Decided {
                    decision: rule.decision,
                    clean_up,
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
        clean_up: Vec::new(),
        rule: "none".to_owned(),
        because: format!(
            "no rule covers {} from {} with these facts",
            facts.error.code, facts.api
        ),
        sources: Vec::new(),
    })
}

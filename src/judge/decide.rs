//! The procedure: facts in, one decision or one question out.

use super::decided::{Decided, Detail, Judgement};
use super::facts::Facts;
use super::rules::RULES;
use super::situations::Step;
use crate::model::Decision;

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

//! The procedure: facts in, one decision or one question out.

use super::decided::{Decided, Detail, Judgement};
use super::facts::Facts;
use super::function::Function;
use super::rule::Rule;
use super::rules::rules;
use crate::model::{Api, Decision};

/// Decides what a client does after a failure, or asks for the cheapest probe that is still
/// missing. Rules are tried in the order of their table; where none applies, the decision is
/// `investigate-escalate`, which deletes nothing.
#[must_use]
pub fn decide(facts: &Facts) -> Judgement {
    match (&facts.request.each_disk, &facts.observed.disk_formats) {
        (Some(_), Some(formats)) => {
            let mut facts = facts.clone();
            facts.request = facts.request.over(formats.keys().cloned());
            by_rules(&facts)
        }
        (_, _) => by_rules(facts),
    }
}

fn by_rules(facts: &Facts) -> Judgement {
    let is_about = |rule: &&Rule| {
        let of_code = match &facts.error {
            None => rule.codes.is_empty(),
            Some(error) => rule.codes.contains(&error.code),
        };
        let of_function = |api: &Api| facts.api == Function::Known(*api);
        of_code && (rule.apis.is_empty() || rule.apis.iter().any(of_function))
    };
    let mut unanswered = None;
    for rule in rules().filter(is_about) {
        match (rule.look_at(facts), unanswered) {
            (Ok(None), _) => {}
            // A rule before this one might have said otherwise.
            (Ok(Some(detail)), Some(probe)) if !detail.clean_up.is_empty() => {
                let why = format!(
                    "{} would delete something, and nobody knows {probe}",
                    rule.id
                );
                return Judgement::Decided(Decided::escalated(why));
            }
            (Ok(Some(detail)), _) => return Judgement::Decided(Decided::by(rule, detail)),
            (Err(probe), _) if facts.records.unanswerable.contains(probe.text().name) => {
                unanswered = Some(probe.text().title);
            }
            (Err(probe), _) => return Judgement::Need(probe),
        }
    }
    let what = match &facts.error {
        None => "the end of a job".to_owned(),
        Some(error) => error.code.to_string(),
    };
    let why = format!("no rule covers {what} from {} with these facts", facts.api);
    Judgement::Decided(Decided::escalated(why))
}

impl Decided {
    fn by(rule: &Rule, detail: Detail) -> Self {
        Self {
            decision: rule.decision,
            category: rule.decision.category(),
            detail,
            rule: rule.id.to_owned(),
            because: rule.because.to_owned(),
            sources: rule.sources.iter().map(ToString::to_string).collect(),
            reads_message: rule.reads_message,
        }
    }

    fn escalated(because: String) -> Self {
        let decision = Decision::InvestigateEscalate;
        Self {
            decision,
            category: decision.category(),
            detail: Detail::default(),
            rule: "none".to_owned(),
            because,
            sources: Vec::new(),
            reads_message: false,
        }
    }
}

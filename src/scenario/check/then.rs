//! Expectations: those that could never fail, or never hold.

use super::effect::{function, is_call};
use crate::model::{Decision, ErrorCode};
use crate::scenario::diagnostic::Problem;
use crate::scenario::syntax::{Document, Expectation, Refusal, Scenario, Spanned, Step};

pub(super) fn check_then(scenario: &Scenario, problems: &mut Vec<Problem>) {
    if !is_call(&scenario.when.value) {
        problems.push(
            Problem::new(
                "scenario::when",
                scenario.when.span.clone(),
                "`when` is a libvirt call, and this step is none",
            )
            .help("move the step into `history`"),
        );
    }
    let Expectation::Refusal(refusal) = &scenario.then else {
        return;
    };
    if let Some(message) = &refusal.message
        && message.value.is_empty()
    {
        problems.push(
            Problem::new(
                "scenario::empty_message",
                message.span.clone(),
                "an empty message holds for every error",
            )
            .help("write a part of the message, or leave the key out"),
        );
    }
    problems.extend(missing_remedy(scenario, refusal));
}

/// The call under test, where it was begun in the history.
fn joined(scenario: &Scenario) -> &Step {
    let Step::Join(join) = &scenario.when.value else {
        return &scenario.when.value;
    };
    let begun = scenario.history.iter().find_map(|step| {
        let Step::Background(body) = &step.value else {
            return None;
        };
        (body.label.value == join.from.value).then_some(&body.step.value)
    });
    begun.unwrap_or(&scenario.when.value)
}

/// The part of a recovery that only the author knows, where the decision cannot do without.
fn missing_remedy(scenario: &Scenario, refusal: &Refusal) -> Option<Problem> {
    let api = function(joined(scenario));
    let name = scenario.when.value.name();
    // A call that no raw call can make is known by the step alone.
    let corrects = |step: &Spanned<Step>| match api {
        Some(api) => function(&step.value) == Some(api),
        None => step.value.name() == name,
    };
    let (wanted, label, there) = match refusal.decision {
        Decision::FixRequest => (
            "the corrected call",
            "the call that has to be corrected",
            refusal.remedy.iter().flatten().any(corrects),
        ),
        Decision::RetryAfterJobEnds => (
            "the end of the other job",
            "the call that is made again after it",
            refusal.remedy.is_some(),
        ),
        Decision::RestoreEnvironmentThenRetry => (
            "the repair of the resource",
            "the call that is made again after it",
            refusal.remedy.is_some(),
        ),
        Decision::ChangeDomainStateThenRetry
        | Decision::RedefineMissingCheckpointsThenRetry
        | Decision::IncrementalFromOtherGoodCheckpoint
        | Decision::FullForAffectedDisks
        | Decision::FullBackupNewChain
        | Decision::TreatAsDone
        | Decision::InvestigateEscalate => return None,
    };
    let message = format!(
        "decision `{}` needs a `remedy` with {wanted}",
        refusal.decision
    );
    let or_none = if refusal.decision == Decision::FixRequest {
        ""
    } else {
        ", or `remedy: []` where the clean-up is all"
    };
    let help = format!("only the author knows {wanted}: add it as `then.remedy`{or_none}");
    let problem = Problem::new("scenario::no_remedy", scenario.when.span.clone(), message);
    (!there).then(|| problem.label(label).help(help))
}

/// What `then` says about itself, before it is taken apart.
pub(in crate::scenario) fn check_words(document: &Document, problems: &mut Vec<Problem>) {
    let cases = document.matrix.iter().flat_map(|axes| &axes.0);
    let cases = cases.flat_map(|(_, values)| &values.0);
    let replaced = cases.filter_map(|(_, case)| case.value.then.as_ref());
    for then in document.then.iter().chain(replaced) {
        if let Some(error) = &then.value.error
            && error.value.0 == ErrorCode(0)
        {
            problems.push(
                Problem::new(
                    "scenario::no_error",
                    error.span.clone(),
                    "VIR_ERR_OK is no error",
                )
                .help("write `result: ok` for a call that succeeds"),
            );
        }
        if let (Some(category), Some(decision)) = (&then.value.category, &then.value.decision) {
            let right = decision.value.category();
            if category.value != right {
                problems.push(
                    Problem::new(
                        "scenario::category",
                        category.span.clone(),
                        format!(
                            "`{}` is no answer to a failure of this category",
                            decision.value
                        ),
                    )
                    .label("another category than the decision's")
                    .help(format!("the decision belongs to `{}`", right.as_str())),
                );
            }
        }
    }
}

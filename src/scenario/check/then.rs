//! Expectations: those that could never fail, or never hold.

use super::effect::{function, is_call};
use crate::model::{Decision, ErrorCode};
use crate::scenario::diagnostic::Problem;
use crate::scenario::syntax::{Document, Expectation, Scenario, Spanned, Step};

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
    let api = function(&scenario.when.value);
    let name = scenario.when.value.name();
    // A call that no raw call can make is known by the step alone.
    let corrects = |step: &Spanned<Step>| match api {
        Some(api) => function(&step.value) == Some(api),
        None => step.value.name() == name,
    };
    if refusal.decision == Decision::FixRequest && !refusal.remedy.iter().any(corrects) {
        problems.push(
            Problem::new(
                "scenario::no_remedy",
                scenario.when.span.clone(),
                "decision `fix-request` needs a `remedy` with the corrected call",
            )
            .label("the call that has to be corrected")
            .help("only the author knows the corrected request: add it as `then.remedy`"),
        );
    }
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

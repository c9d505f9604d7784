//! One scenario from its disks to its remedy.

use super::disks::check_disks;
use super::story::{Story, Strictness};
use super::then::check_then;
use crate::model::ErrorCode;
use crate::scenario::diagnostic::Problem;
use crate::scenario::syntax::{Document, Expectation, Scenario, Spanned, Step, Word};

/// Checks that a document bears its file's name. `file_stem` is that without `.yaml`.
pub(in crate::scenario) fn check_name(
    document: &Document,
    file_stem: &str,
    problems: &mut Vec<Problem>,
) {
    let name = &document.scenario;
    if name.value != file_stem {
        problems.push(
            Problem::new(
                "scenario::name",
                name.span.clone(),
                format!("the name `{}` is not the file's", name.value),
            )
            .label(format!("the file is called `{file_stem}`"))
            .help("names are stable identifiers: rename the file or the scenario"),
        );
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    if !name.value.chars().all(plain) {
        problems.push(
            Problem::new(
                "scenario::name",
                name.span.clone(),
                format!("`{}` is not the name of a scenario", name.value),
            )
            .help("write small letters, digits and `-`, such as raw-disk-refuses-checkpoint"),
        );
    }
}

/// Checks the meaning of a scenario whose structure is sound.
pub(in crate::scenario) fn check(scenario: &Scenario, problems: &mut Vec<Problem>) {
    check_disks(&scenario.disks, problems);
    let mut story = Story::new(&scenario.disks, problems);
    for step in &scenario.history {
        let refused = refused(&step.value).map_or(Strictness::MustSucceed, |error| {
            Strictness::MustBeRefused(error.value.0)
        });
        story.step(step, refused);
    }
    let strictness = match &scenario.then {
        Expectation::Success => Strictness::MustSucceed,
        Expectation::Refusal(refusal) => Strictness::MustBeRefused(refusal.error),
    };
    story.step(&scenario.when, strictness);
    // What the decision's own steps change before and between those of the remedy is not known.
    story.forget_chain();
    for step in scenario.remedy() {
        story.step(step, Strictness::MustSucceed);
    }
    story.finish();
    let beside = scenario.remedy().iter().chain([&scenario.when]);
    for place in beside.filter_map(|step| refused(&step.value)) {
        problems.push(
            Problem::new(
                "scenario::when",
                place.span.clone(),
                "only a call of the history can be said to be refused",
            )
            .help("what comes of the call under test stands in `then`; each step of a remedy succeeds"),
        );
    }
    check_then(scenario, problems);
}

/// The error that a raw call must be refused with.
const fn refused(step: &Step) -> Option<&Spanned<Word<ErrorCode>>> {
    if let Step::Call(call) = step {
        call.refused.as_ref()
    } else {
        None
    }
}

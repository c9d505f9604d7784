//! Which suite, which scenarios.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::exit_code::ExitCode;
use super::output::{counted, fail, note};
use super::word::{self, nearest};
use crate::model::{Decision, ErrorCode};
use crate::scenario::{Expectation, Need, Refusal};
use crate::suite::{Case, Filter, Pattern, Suite, SuiteError};

/// Over the options that select.
pub(super) const HEADING: &str = "Selection (each may be repeated; different ones must all hold)";

/// Which scenarios.
#[derive(Args, Debug)]
pub(super) struct Selection {
    /// Parts of names, or globs over whole names; all scenarios where none is given
    #[arg(value_name = "PATTERN")]
    patterns: Vec<String>,

    /// Scenarios of this folder of `scenarios/`
    #[arg(long, value_name = "AREA", help_heading = HEADING,
        value_parser = NonEmptyStringValueParser::new())]
    area: Vec<String>,

    /// Scenarios that expect this error: name, name without `VIR_ERR_`, or number
    #[arg(long, value_name = "CODE", help_heading = HEADING, value_parser = word::code(),
        hide_possible_values = true)]
    code: Vec<ErrorCode>,

    /// Scenarios that expect this decision
    #[arg(long, value_name = "DECISION", help_heading = HEADING, value_parser = word::decision())]
    decision: Vec<Decision>,

    /// Scenarios with this text in one of their `refs`, such as a bug's number
    #[arg(long, value_name = "TEXT", help_heading = HEADING,
        value_parser = NonEmptyStringValueParser::new())]
    reference: Vec<String>,

    /// Scenarios that need this of the host
    #[arg(long, value_name = "NEED", help_heading = HEADING, value_parser = word::need())]
    needs: Vec<Need>,

    /// Folder with `scenarios/`; else the nearest one above the working directory, else the suite
    /// inside this binary
    #[arg(long, value_name = "DIR")]
    suite: Option<PathBuf>,
}

impl Selection {
    /// Whether nothing narrows it.
    pub(super) fn is_everything(&self) -> bool {
        let Self {
            patterns,
            area,
            code,
            decision,
            reference,
            needs,
            suite: _,
        } = self;
        patterns.is_empty()
            && area.is_empty()
            && code.is_empty()
            && decision.is_empty()
            && reference.is_empty()
            && needs.is_empty()
    }
}

/// A suite and what is selected of it.
pub(super) struct Selected {
    pub(super) suite: Suite,
    /// The selected scenarios, of which there may be none.
    pub(super) cases: Vec<Case>,
    /// Why none is left, once that is so.
    empty: Option<String>,
}

/// The suite and the selected scenarios; or the exit code, after the reason was told.
pub(super) fn select(selection: &Selection) -> Result<Selected, ExitCode> {
    let suite = open(selection.suite.as_deref())?;
    let patterns = patterns_of(&suite, &selection.patterns)?;
    let cases = suite.cases().map_err(|error| told(&error))?;
    let mut selected = Selected {
        empty: cases
            .is_empty()
            .then(|| "the suite holds no scenario".to_owned()),
        suite,
        cases,
    };
    selected.filter("", &Filter::Name(patterns.clone()), |cases| {
        no_name(&selection.patterns, cases)
    });
    // Where nothing at all is selected, that is told instead.
    for pattern in patterns.iter().filter(|_| !selected.cases.is_empty()) {
        let selects = |case: &Case| pattern.selects(&case.name);
        if !selected.cases.iter().any(selects) {
            let text = pattern.as_str();
            note(&format!("warning: no scenario matches `{text}`"));
        }
    }
    let Selection {
        area,
        code,
        decision,
        reference,
        needs,
        patterns: _,
        suite: _,
    } = selection;
    selected.filter("--area", &Filter::Area(area.clone()), |cases| {
        let areas = cases.iter().map(|case| case.area().to_owned());
        emptied("--area", area, cases, areas)
    });
    selected.filter("--code", &Filter::Code(code.clone()), |cases| {
        let codes: Vec<&str> = code.iter().filter_map(|code| code.name()).collect();
        let expected = expectations(cases, |refusal| refusal.error.to_string());
        emptied("--code", &codes, cases, expected)
    });
    selected.filter("--decision", &Filter::Decision(decision.clone()), |cases| {
        let expected = expectations(cases, |refusal| refusal.decision.to_string());
        emptied("--decision", decision, cases, expected)
    });
    let filter = Filter::Reference(reference.clone());
    selected.filter("--reference", &filter, |cases| {
        let text = emptied("--reference", reference, cases, []);
        format!("{text}\nsee: backup-tck list")
    });
    let words: Vec<&str> = needs.iter().map(|need| need.as_str()).collect();
    selected.filter("--needs", &Filter::Needs(needs.clone()), |cases| {
        let scenarios = cases.iter().filter_map(|case| case.scenario.as_ref().ok());
        let needed = scenarios.flat_map(|scenario| scenario.needs.iter());
        emptied(
            "--needs",
            &words,
            cases,
            needed.map(|need| need.as_str().to_owned()),
        )
    });
    Ok(selected)
}

/// What selects in this suite; or the exit code, after the reason was told.
pub(super) fn patterns_of(suite: &Suite, texts: &[String]) -> Result<Vec<Pattern>, ExitCode> {
    let named = texts
        .iter()
        .map(|pattern| Pattern::parse(&name_of(suite, pattern)));
    named
        .collect::<Result<_, _>>()
        .map_err(|error| told(&error))
}

impl Selected {
    /// Keeps what `keeps` says; `why` tells what it was if nothing is left of some scenarios.
    pub(super) fn narrow(
        &mut self,
        keeps: impl Fn(&Case) -> bool,
        why: impl FnOnce(&[Case]) -> String,
    ) {
        let (kept, others) = std::mem::take(&mut self.cases)
            .into_iter()
            .partition(|case| keeps(case));
        self.replace(kept, &others, why);
    }

    /// Ends with a hint where nothing was selected.
    pub(super) fn require_some(&self) -> Result<(), ExitCode> {
        match &self.empty {
            Some(reason) => Err(fail(ExitCode::NothingSelected, reason)),
            None => Ok(()),
        }
    }

    fn filter(&mut self, flag: &str, filter: &Filter, why: impl FnOnce(&[Case]) -> String) {
        let all = self.cases.clone();
        let filtered = filter.apply(std::mem::take(&mut self.cases));
        for (case, diagnostics) in &filtered.unknown {
            let name = &case.name;
            note(&format!(
                "warning: {diagnostics}, so `{flag}` cannot select it\nsee: backup-tck check {name}"
            ));
        }
        self.replace(filtered.kept, &all, why);
    }

    fn replace(&mut self, kept: Vec<Case>, before: &[Case], why: impl FnOnce(&[Case]) -> String) {
        if kept.is_empty() && self.empty.is_none() {
            self.empty = Some(why(before));
        }
        self.cases = kept;
    }
}

/// The suite of this folder, or the nearest one.
pub(super) fn open(folder: Option<&Path>) -> Result<Suite, ExitCode> {
    match folder {
        Some(folder) => Suite::in_folder(folder).map_err(|error| told(&error)),
        None => Ok(nearest_suite()),
    }
}

fn told(error: &SuiteError) -> ExitCode {
    fail(ExitCode::Usage, &error.to_string())
}

/// The suite of the working directory; its paths are then relative, and messages short.
fn nearest_suite() -> Suite {
    let Ok(working) = std::env::current_dir() else {
        return Suite::Embedded;
    };
    match Suite::near(&working) {
        Suite::Folder(folder) => {
            let relative = folder.strip_prefix(&working).map(Path::to_owned);
            Suite::Folder(relative.unwrap_or(folder))
        }
        Suite::Embedded => Suite::Embedded,
    }
}

/// A path, as a shell completes it, selects the scenario of that file.
fn name_of(suite: &Suite, pattern: &str) -> String {
    let Some(path) = pattern.strip_suffix(".yaml") else {
        return pattern.to_owned();
    };
    let mut path = Path::new(path);
    let working = std::env::current_dir().unwrap_or_default();
    path = path.strip_prefix(&working).unwrap_or(path);
    if let Suite::Folder(folder) = suite {
        path = path.strip_prefix(folder).unwrap_or(path);
    }
    path = path.strip_prefix(".").unwrap_or(path);
    path.strip_prefix("scenarios")
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned()
}

fn no_name(patterns: &[String], cases: &[Case]) -> String {
    let wanted = patterns.first().map_or("", String::as_str);
    let hint = nearest(wanted, cases.iter().map(|case| case.name.as_str()))
        .map(|name| format!("; the nearest name is `{name}`"));
    let listed = patterns.join("`, `");
    format!("no scenario matches `{listed}`{}", hint.unwrap_or_default())
}

/// A filter with these values has left none of the scenarios; `found` is what they have instead.
fn emptied(
    flag: &str,
    values: &[impl ToString],
    cases: &[Case],
    found: impl IntoIterator<Item = String>,
) -> String {
    let values: Vec<String> = values
        .iter()
        .map(|value| format!("`{flag} {}`", value.to_string()))
        .collect();
    let mut lines = vec![format!(
        "{} selects none of {}",
        values.join(" or "),
        counted(cases.len(), "scenario")
    )];
    let found = BTreeSet::from_iter(found);
    if !found.is_empty() {
        lines.push("there are:".to_owned());
        lines.extend(found.iter().map(|found| format!("  {found}")));
    }
    lines.join("\n")
}

fn expectations(cases: &[Case], word: impl Fn(&Refusal) -> String) -> Vec<String> {
    let expected = cases
        .iter()
        .filter_map(|case| match &case.scenario.as_ref().ok()?.then {
            Expectation::Success => None,
            Expectation::Refusal(refusal) => Some(word(refusal)),
        });
    expected.collect()
}

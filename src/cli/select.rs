//! Which suite, which scenarios.

use std::path::Path;

use super::args::Selection;
use super::exit_code::ExitCode;
use super::output::{fail, note};
use crate::suite::{Case, Pattern, Suite, SuiteError};

/// The suite and the selected scenarios, of which there may be none; or the exit code, after the
/// reason was told.
pub(super) fn select(selection: &Selection) -> Result<(Suite, Vec<Case>), ExitCode> {
    let suite = open(selection.suite.as_deref())?;
    let named = selection
        .patterns
        .iter()
        .map(|pattern| Pattern::parse(&name_of(&suite, pattern)));
    let patterns: Vec<Pattern> = named
        .collect::<Result<_, _>>()
        .map_err(|error| told(&error))?;
    let cases = suite.select(&patterns).map_err(|error| told(&error))?;
    // Where nothing at all is selected, that is told instead.
    for pattern in patterns.iter().filter(|_| !cases.is_empty()) {
        if !cases.iter().any(|case| pattern.selects(&case.name)) {
            note(&format!(
                "warning: no scenario matches `{}`",
                pattern.as_str()
            ));
        }
    }
    Ok((suite, cases))
}

/// The suite of this folder, or the nearest one.
pub(super) fn open(folder: Option<&Path>) -> Result<Suite, ExitCode> {
    match folder {
        Some(folder) => Suite::in_folder(folder).map_err(|error| told(&error)),
        None => Ok(nearest_suite()),
    }
}

/// Ends with a hint where nothing was selected.
pub(super) fn require_some(
    suite: &Suite,
    cases: &[Case],
    selection: &Selection,
) -> Result<(), ExitCode> {
    if cases.is_empty() {
        Err(nothing(suite, &selection.patterns))
    } else {
        Ok(())
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

fn nothing(suite: &Suite, patterns: &[String]) -> ExitCode {
    let cases = suite.cases().unwrap_or_default();
    let (Some(pattern), false) = (patterns.first(), cases.is_empty()) else {
        return fail(ExitCode::NothingSelected, "the suite holds no scenario");
    };
    let score = |name: &str| strsim::jaro_winkler(pattern, name);
    let nearest = cases
        .iter()
        .max_by(|a, b| score(&a.name).total_cmp(&score(&b.name)));
    let hint = nearest.map(|case| format!("; the nearest name is `{}`", case.name));
    let listed = patterns.join("`, `");
    let text = format!("no scenario matches `{listed}`{}", hint.unwrap_or_default());
    fail(ExitCode::NothingSelected, &text)
}

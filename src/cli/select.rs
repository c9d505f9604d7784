//! Which suite, which scenarios.

use std::path::Path;

use super::args::Selection;
use super::exit_code::ExitCode;
use super::output::fail;
use crate::suite::{Case, Suite};

/// The selected scenarios and their suite; or the exit code, after the reason was told.
pub(super) fn select(selection: &Selection) -> Result<(Suite, Vec<Case>), ExitCode> {
    let suite = match &selection.suite {
        Some(folder) => Suite::in_folder(folder),
        None => Ok(nearest_suite()),
    };
    let suite = suite.map_err(|error| fail(ExitCode::Usage, &error.to_string()))?;
    let patterns: Vec<String> = selection
        .patterns
        .iter()
        .map(|pattern| name_of(pattern))
        .collect();
    let cases = suite
        .select(&patterns)
        .map_err(|error| fail(ExitCode::Usage, &error.to_string()))?;
    if cases.is_empty() {
        return Err(nothing(&suite, &patterns));
    }
    Ok((suite, cases))
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
fn name_of(pattern: &str) -> String {
    let name = pattern.strip_suffix(".yaml").unwrap_or(pattern);
    let name = name.strip_prefix("./").unwrap_or(name);
    name.strip_prefix("scenarios/").unwrap_or(name).to_owned()
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

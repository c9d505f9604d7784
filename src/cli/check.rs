//! `check`: every problem of scenario files.

use std::path::Path;
use std::thread;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::args::When;
use super::exit_code::ExitCode;
use super::files::Files;
use super::output::{fail, note, plural, print, style};
use crate::scenario::{Diagnostics, Place, STACK};
use crate::suite::File;

#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    files: Files,

    /// How problems are shown: as text, or as JSON, one object a line
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// When to use colours; `auto` asks the terminal and `NO_COLOR`
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: When,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// A problem as a line of JSON. Lines and columns count from 1, columns in characters.
#[derive(Serialize)]
struct Line<'a> {
    path: &'a Path,
    start: Place,
    end: Place,
    code: &'a str,
    message: &'a str,
    label: &'a str,
    help: Option<&'a str>,
}

pub(super) fn execute(args: &CheckArgs) -> Result<ExitCode, ExitCode> {
    let files = args.files.find()?;
    let broken = on_deep_stack(|| {
        let broken = files.iter().filter_map(|file: &File| file.parse().err());
        broken.collect::<Vec<_>>()
    })?;
    let mut text = String::new();
    for diagnostics in &broken {
        match args.format {
            Format::Text => {
                text.push_str(&diagnostics.to_string());
                text.push('\n');
                text.push_str(&diagnostics.render(style(args.color).colour));
            }
            Format::Json => text.push_str(&json(diagnostics)),
        }
    }
    let code = print(&text);
    if broken.is_empty() {
        note(&format!("{}, no problem", plural(files.len(), "file")));
        return Ok(code);
    }
    let problems = broken.iter().map(|broken| broken.problems().len()).sum();
    let text = format!(
        "{} in {} of {}; `backup-tck explain CODE` tells more",
        plural(problems, "problem"),
        broken.len(),
        plural(files.len(), "file"),
    );
    Err(fail(ExitCode::Broken, &text))
}

fn json(diagnostics: &Diagnostics) -> String {
    let mut text = String::new();
    for problem in diagnostics.problems() {
        let (start, end) = diagnostics.places_of(problem);
        let line = Line {
            path: diagnostics.path(),
            start,
            end,
            code: problem.code,
            message: &problem.message,
            label: &problem.label,
            help: problem.help.as_deref(),
        };
        // Nothing in a line can fail to serialise.
        text.push_str(&serde_json::to_string(&line).unwrap_or_default());
        text.push('\n');
    }
    text
}

/// Runs something that parses scenarios.
pub(super) fn on_deep_stack<T: Send>(parse: impl FnOnce() -> T + Send) -> Result<T, ExitCode> {
    thread::scope(|scope| {
        let started = thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, parse);
        match started {
            Ok(thread) => Ok(thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))),
            Err(error) => {
                let text = format!("cannot start a thread: {error}");
                Err(fail(ExitCode::Broken, &text))
            }
        }
    })
}

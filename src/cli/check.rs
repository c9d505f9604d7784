//! `check`: every problem of scenario files.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::args::When;
use super::exit_code::ExitCode;
use super::files::Files;
use super::output::{counted, fail, note, print, style};
use crate::scenario::{Diagnostics, Place, STACK};
use crate::snapshot::is_snapshot;
use crate::suite::{File, Suite, SuiteError};

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
    let read = on_deep_stack(|| files.iter().map(File::parse).collect::<Vec<_>>())?;
    let broken: Vec<&Diagnostics> = read.iter().filter_map(|read| read.as_ref().err()).collect();
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
    if !broken.is_empty() {
        let problems = broken.iter().map(|broken| broken.problems().len()).sum();
        let text = format!(
            "{} in {} of {}; `backup-tck explain CODE` tells more",
            counted(problems, "problem"),
            broken.len(),
            counted(files.len(), "file"),
        );
        return Err(fail(ExitCode::Broken, &text));
    }
    let suite = args.files.suite()?;
    if args.files.is_all() {
        let scenarios = files.iter().zip(&read).flat_map(|(file, read)| {
            let names = read.iter().flatten();
            names.map(|scenario| format!("{}/{}", file.area(), scenario.name))
        });
        check_snapshots(&suite, &scenarios.collect())?;
    } else if let Suite::Folder(folder) = &suite {
        let scenarios = files.iter().zip(&read).flat_map(|(file, read)| {
            let inside = file.path.strip_prefix(folder.join("scenarios")).ok();
            let area = inside
                .and_then(|path| path.parent())
                .unwrap_or(Path::new(""));
            let names = read.iter().flatten().map(|scenario| &scenario.name);
            let full = move |name: &String| area.join(name).to_string_lossy().into_owned();
            names.filter(move |_| inside.is_some()).map(full)
        });
        check_each(&suite, scenarios)?;
    }
    note(&format!("{}, no problem", counted(files.len(), "file")));
    Ok(code)
}

/// A snapshot without a scenario is never compared; a scenario without one has not been recorded.
fn check_snapshots(suite: &Suite, scenarios: &BTreeSet<String>) -> Result<(), ExitCode> {
    let told = |error: SuiteError| fail(ExitCode::Usage, &error.to_string());
    let snapshots: BTreeSet<String> = suite.snapshots().map_err(told)?.into_iter().collect();
    let sound = check_each(suite, scenarios.iter().cloned());
    let orphans: Vec<&String> = snapshots.difference(scenarios).collect();
    for name in &orphans {
        note(&format!(
            "snapshots/{name}.snap has no scenario: remove it, or bring its scenario back"
        ));
    }
    if orphans.is_empty() {
        return sound;
    }
    let text = format!("{} without a scenario", counted(orphans.len(), "snapshot"));
    Err(fail(ExitCode::Broken, &text))
}

/// Tells which of these scenarios have no snapshot, which is no error, and whose is none.
fn check_each(suite: &Suite, scenarios: impl Iterator<Item = String>) -> Result<(), ExitCode> {
    let mut wrong = 0;
    for name in scenarios {
        match suite.snapshot(&name) {
            Ok(Some(text)) if is_snapshot(&text) => {}
            Ok(None) => note(&format!(
                "{name} has no snapshot yet; on real libvirt: backup-tck bless {name}"
            )),
            Ok(Some(_)) => {
                wrong += 1;
                note(&format!(
                    "snapshots/{name}.snap has no head, so it is no snapshot: restore it, or \
                     remove it and record it on real libvirt: backup-tck bless {name}"
                ));
            }
            Err(error) => {
                wrong += 1;
                note(&error.to_string());
            }
        }
    }
    if wrong == 0 {
        return Ok(());
    }
    let text = format!("{} that cannot be read", counted(wrong, "snapshot"));
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

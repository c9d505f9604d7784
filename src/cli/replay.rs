//! `replay`: a recorded run, through any report.

use std::path::{Path, PathBuf};

use clap::Args;

use super::args::When;
use super::exit_code::{ExitCode, of_summary};
use super::output::{fail, note, style};
use super::reporting::{Reporting, Reports};
use crate::record::Recorded;
use crate::run::{Event, Finished, Outcome};

pub(super) const EXAMPLES: &str = "\
Examples:
  backup-tck run --record monday.jsonl
  backup-tck replay monday.jsonl
  backup-tck replay monday.jsonl --report junit=monday.xml

Ends with the exit code that the run had, or with 130 if the run did not get to
its end; with 2 if FILE is no record that this build reads.";

#[derive(Args, Debug)]
pub(super) struct ReplayArgs {
    /// What `run --record FILE` or `run --report jsonl=FILE` wrote
    file: PathBuf,

    #[command(flatten)]
    reporting: Reporting,

    /// When to use colours; `auto` asks the terminal and `NO_COLOR`
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: When,
}

pub(super) fn execute(args: &ReplayArgs) -> Result<ExitCode, ExitCode> {
    let targets = args.reporting.targets_of(&args.file)?;
    let recorded =
        Recorded::read(&args.file).map_err(|error| fail(ExitCode::Usage, &error.to_string()))?;
    let mut reports = Reports::open(&targets, style(args.color), Path::new(""))?;
    for event in &recorded.events {
        reports.consume(event);
    }
    let summary = recorded.summary().unwrap_or_else(|| {
        note(&incomplete(&args.file, &recorded));
        let counted = recorded.counted();
        reports.consume(&Event::Finished(counted));
        counted
    });
    Ok(reports.close(of_summary(&summary)))
}

/// The warning that a record holds only a part of its run.
pub(super) fn incomplete(path: &Path, recorded: &Recorded) -> String {
    let ran = |finished: &&Finished| finished.outcome != Outcome::Interrupted;
    let (ran, selected) = (recorded.finished().filter(ran).count(), recorded.selected());
    let why = match recorded.summary() {
        None => "ends before its run did",
        Some(summary) if summary.not_run > 0 && !summary.stopped => {
            "is of a run that --fail-fast stopped"
        }
        Some(_) => "is of a run that was interrupted",
    };
    let path = path.display();
    format!("warning: {path} {why}: it holds {ran} of {selected} scenarios")
}

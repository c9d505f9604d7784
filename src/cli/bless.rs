//! `bless`: record what real libvirt answers.

use std::io;

use clap::Args;

use super::args::Running;
use super::exit_code::ExitCode;
use super::output::{fail, note, style, written};
use super::run::{ended, not_run, options};
use super::select::{Selected, Selection, select};
use crate::report::{Report, Text};
use crate::run::{DriverChoice, Event, Finished, Outcome, Summary, run};
use crate::snapshot::{REFERENCE, may_record, record};
use crate::suite::{Suite, source_of};

#[derive(Args, Debug)]
pub(super) struct BlessArgs {
    #[command(flatten)]
    selection: Selection,

    /// What answers the calls; only real libvirt may
    #[arg(long, short, value_name = "DRIVER", default_value = "embed")]
    driver: DriverChoice,

    #[command(flatten)]
    running: Running,
}

pub(super) fn execute(args: &BlessArgs) -> Result<ExitCode, ExitCode> {
    if matches!(args.driver, DriverChoice::Mock(_)) {
        let text = "the mock never records: a snapshot holds what real libvirt answers";
        return Err(fail(ExitCode::Usage, text));
    }
    let selected = select(&args.selection)?;
    if matches!(selected.suite, Suite::Embedded) {
        let text = "the suite inside this binary cannot be changed: go to a checkout, or name one with --suite";
        return Err(fail(ExitCode::Usage, text));
    }
    let options = options(&args.driver, &args.running)?;
    selected.require_some()?;
    let Selected { suite, cases, .. } = selected;
    let mut text = Text::new(io::stdout(), style(args.running.color));
    let mut left = Summary::default();
    let mut notes = Vec::new();
    let mut recorded = 0;
    let ran = run(&cases, &suite, &options, |event| match event {
        Event::ScenarioFinished(finished) => match bless(&suite, finished) {
            Blessed::Unchanged => text.consume(event),
            Blessed::Recorded => {
                // What was seen is the snapshot now.
                recorded += 1;
                let mut finished = finished.clone();
                finished.outcome = Outcome::Passed;
                notes.push(format!("recorded  {}", finished.name));
                text.consume(&Event::ScenarioFinished(finished));
            }
            Blessed::Refused(reason) => {
                text.consume(event);
                left.count(&finished.outcome);
                notes.push(format!("not recorded  {}: {reason}", finished.name));
            }
            Blessed::Unwritten(reason) => {
                text.consume(event);
                left.broken += 1;
                notes.push(format!("not recorded  {}: {reason}", finished.name));
            }
        },
        Event::Finished(summary) => text.consume(&Event::Finished(Summary {
            passed: summary.passed + recorded,
            failed: summary.failed.saturating_sub(recorded),
            ..*summary
        })),
        Event::Started { .. } | Event::Identified(_) | Event::ScenarioStarted { .. } => {
            text.consume(event);
        }
    });
    ran.map_err(|error| not_run(&error))?;
    for line in notes {
        note(&line);
    }
    Ok(written(
        "standard output",
        text.close(),
        ended(&options, &left),
    ))
}

enum Blessed {
    Unchanged,
    Recorded,
    Refused(String),
    /// The file cannot be written.
    Unwritten(String),
}

/// Why there is nothing to record, as a sentence reads on after the scenario's name.
const fn ended_otherwise(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Passed | Outcome::Failed(_) => "it has come to its end",
        Outcome::Crashed(_) => "it crashed here",
        Outcome::TimedOut { .. } => "it timed out here",
        Outcome::UnexpectedPass { .. } => "it passed here unexpectedly",
        Outcome::Broken { .. } => "it is broken here",
        Outcome::Skipped { .. } => "it was skipped here",
        Outcome::Interrupted => "it was interrupted here",
    }
}

fn bless(suite: &Suite, finished: &Finished) -> Blessed {
    let failure = match &finished.outcome {
        Outcome::Passed => return Blessed::Unchanged,
        Outcome::Failed(failure) => failure,
        Outcome::Crashed(_)
        | Outcome::TimedOut { .. }
        | Outcome::UnexpectedPass { .. }
        | Outcome::Broken { .. }
        | Outcome::Skipped { .. }
        | Outcome::Interrupted => {
            return Blessed::Refused(ended_otherwise(&finished.outcome).to_owned());
        }
    };
    if !failure.checks.is_empty() {
        let text = "its own expectations do not hold; one side is wrong, find out which";
        return Blessed::Refused(text.to_owned());
    }
    let (Some(text), Some(transcript)) = (&finished.text, &finished.transcript) else {
        return Blessed::Refused("it has no transcript".to_owned());
    };
    if !may_record(&transcript.identity) {
        let text = format!(
            "snapshots hold the answers of libvirt {}.{}, and this is {}",
            REFERENCE.major, REFERENCE.minor, transcript.identity.libvirt
        );
        return Blessed::Refused(text);
    }
    let Some(path) = suite.snapshot_path(&finished.name) else {
        return Blessed::Refused("the suite has no folder".to_owned());
    };
    match record(
        &path,
        &source_of(&finished.name),
        &transcript.identity,
        text,
    ) {
        Ok(()) => Blessed::Recorded,
        Err(error) => Blessed::Unwritten(error.to_string()),
    }
}

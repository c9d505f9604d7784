//! `explain`: what a word of the field means, and what failed in a recorded run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::exit_code::ExitCode;
use super::output::{counted, fail, note, print};
use super::replay::incomplete;
use super::select::open;
use crate::divergence::Divergences;
use crate::explain::{
    FailedScenario, Known, Scenarios, decisions_document, failed_page, failures_page, find, list,
};
use crate::record::Recorded;
use crate::run::{Finished, Outcome};
use crate::snapshot::Difference;
use crate::suite::{Suite, SuiteError};

pub(super) const EXAMPLES: &str = "\
Examples:
  backup-tck explain 109                      an error code of libvirt
  backup-tck explain full-backup-new-chain    a decision
  backup-tck explain B5a                      a rule, as snapshots name it
  backup-tck explain bitmap-health            a probe: a question of the judge
  backup-tck explain scenario::unknown_disk   a problem of a scenario file
  backup-tck explain on-raw-disk              a scenario, by a part of its name
  backup-tck explain --list                   everything there is
  backup-tck explain --decisions              all decisions, as a Markdown page

Of each scenario that failed in a run, how it came to that:
  backup-tck run --record monday.jsonl
  backup-tck explain monday.jsonl

Exits with 0 where all was told, with 2 where there is no such topic or FILE is
no record that this build reads, and with 130 where the run did not get to its
end; all exit codes: backup-tck --help";

#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// An error code of libvirt (name, name without `VIR_ERR_`, or number), a decision, a
    /// clean-up step, a category, a rule, a probe, a problem of a scenario file, a scenario, or
    /// a recorded run whose name ends in `.jsonl`
    #[arg(required_unless_present_any = ["list", "decisions", "record", "failed"])]
    topic: Option<String>,

    /// Show every topic
    #[arg(long, conflicts_with = "topic")]
    list: bool,

    /// Print what a client does after each error, function by function, as one Markdown page
    #[arg(long, conflicts_with_all = ["topic", "list"])]
    decisions: bool,

    /// Tell of each scenario that failed in a recorded run what came of it: what was expected,
    /// how the judge decided, and what could not be proven
    #[arg(long, value_name = "FILE", conflicts_with_all = ["topic", "list", "decisions", "suite"])]
    record: Option<PathBuf>,

    /// Of the last run only names are kept: this tells the way to all the rest
    #[arg(long, hide = true, conflicts_with_all = ["topic", "list", "decisions", "record"])]
    failed: bool,

    /// Folder with `scenarios/`; else the nearest one above the working directory, else the suite
    /// inside this binary
    #[arg(long, value_name = "DIR")]
    suite: Option<PathBuf>,
}

pub(super) fn execute(args: &ExplainArgs) -> Result<ExitCode, ExitCode> {
    if args.failed {
        return Err(fail(
            ExitCode::Usage,
            "of the last run, only the names of what failed are kept\n\
             run them again into a record, and explain that:\n  \
             backup-tck run --failed --record failed.jsonl\n  \
             backup-tck explain failed.jsonl",
        ));
    }
    match (&args.record, &args.topic) {
        (Some(path), _) => explain_record(path),
        (None, Some(topic)) if is_record(topic) => explain_record(Path::new(topic)),
        (None, topic) => explain_topic(args, topic.as_deref()),
    }
}

/// No topic is called so, whether the file is there or not.
fn is_record(topic: &str) -> bool {
    let extension = Path::new(topic).extension();
    extension.is_some_and(|extension| extension == "jsonl")
}

/// Everything where no topic is given.
fn explain_topic(args: &ExplainArgs, topic: Option<&str>) -> Result<ExitCode, ExitCode> {
    let suite = open(args.suite.as_deref())?;
    let scenarios = scenarios(&suite).map_err(|error| fail(ExitCode::Usage, &error.to_string()))?;
    if args.decisions {
        let divergences = divergences(&suite)?;
        return Ok(print(&decisions_document(&scenarios, divergences.all())));
    }
    let Some(topic) = topic else {
        return Ok(print(&list(&scenarios)));
    };
    match find(topic, &scenarios) {
        Ok(topic) => Ok(print(&topic.page(&scenarios))),
        Err(_) if Path::new(topic).is_file() => Err(fail(
            ExitCode::Usage,
            &format!(
                "`{topic}` is a file and no topic; where it is a recorded run: \
                 backup-tck explain --record {topic}"
            ),
        )),
        Err(error) => Err(fail(
            ExitCode::Usage,
            &format!("{error}\nsee: backup-tck explain --list"),
        )),
    }
}

/// What other versions of libvirt answer otherwise.
fn divergences(suite: &Suite) -> Result<Divergences, ExitCode> {
    let text = suite.divergences();
    let text = text.map_err(|error| fail(ExitCode::Usage, &error.to_string()))?;
    let divergences = text.map_or_else(
        || Ok(Divergences::default()),
        |text| Divergences::parse(&text),
    );
    divergences.map_err(|reason| {
        let text = format!("snapshots/{}: {reason}", Suite::DIVERGENCES);
        fail(ExitCode::Broken, &text)
    })
}

/// The scenarios that can be read, with what is recorded of them.
fn scenarios(suite: &Suite) -> Result<Scenarios, SuiteError> {
    let mut scenarios = Scenarios::new();
    for case in suite.cases()? {
        match &case.scenario {
            Ok(scenario) => {
                let snapshot = suite.snapshot(&case.name)?;
                let known = Known::new(Arc::clone(scenario), snapshot.as_deref());
                scenarios.insert(case.name, known);
            }
            Err(diagnostics) => note(&format!(
                "warning: {diagnostics} and is left out; see: backup-tck check {}",
                case.name
            )),
        }
    }
    Ok(scenarios)
}

/// What failed in a recorded run, as far as it was recorded.
fn explain_record(path: &Path) -> Result<ExitCode, ExitCode> {
    let recorded =
        Recorded::read(path).map_err(|error| fail(ExitCode::Usage, &error.to_string()))?;
    let is_whole = recorded.is_whole();
    if !is_whole {
        note(&incomplete(path, &recorded));
    }
    // A scenario that was stopped shows nothing; the warning has told of it.
    let is_failed = |finished: &&Finished| {
        finished.outcome.is_bad() && finished.outcome != Outcome::Interrupted
    };
    let finished: Vec<&Finished> = recorded.finished().filter(is_failed).collect();
    let gists: Vec<String> = finished.iter().map(|one| one.outcome.gist()).collect();
    let pairs = finished.iter().zip(&gists);
    let failed: Vec<FailedScenario<'_>> = pairs
        .map(|(one, gist)| failed_scenario(one, gist))
        .collect();
    let driver = &recorded.head.driver;
    let title = format!(
        "{}: {} of {} failed on {driver}",
        path.display(),
        failed.len(),
        counted(recorded.selected(), "scenario"),
    );
    let nobody = || "nobody: it did not come to that".to_owned();
    let answered = recorded.identity().map_or_else(nobody, ToString::to_string);
    let mut text = failures_page(&title, &answered, &failed);
    for scenario in &failed {
        text.push_str("\n--------\n\n");
        text.push_str(&failed_page(scenario, driver));
    }
    let printed = print(&text);
    Ok(if printed == ExitCode::Success && !is_whole {
        ExitCode::Interrupted
    } else {
        printed
    })
}

fn failed_scenario<'a>(finished: &'a Finished, gist: &'a str) -> FailedScenario<'a> {
    let failure = match &finished.outcome {
        Outcome::Failed(failure) => Some(failure),
        Outcome::Passed
        | Outcome::Crashed(_)
        | Outcome::TimedOut { .. }
        | Outcome::UnexpectedPass { .. }
        | Outcome::Broken { .. }
        | Outcome::Skipped { .. }
        | Outcome::Interrupted => None,
    };
    let difference = failure.and_then(|failure| failure.difference.as_ref());
    let lines = match difference {
        Some(Difference::Lines(lines)) => lines.as_slice(),
        Some(Difference::NotRecorded | Difference::Unreadable) | None => &[],
    };
    FailedScenario {
        name: &finished.name,
        outcome: finished.outcome.word(),
        gist,
        checks: failure.map_or(&[], |failure| &failure.checks),
        difference: lines,
        is_new: difference == Some(&Difference::NotRecorded),
        transcript: finished.transcript.as_ref(),
    }
}

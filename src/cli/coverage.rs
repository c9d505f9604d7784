//! `coverage`: where libvirt's source has raised errors, and where it has not.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::args::Running;
use super::exit_code::{ExitCode, of_summary};
use super::output::{counted, fail, note, print};
use super::replay::incomplete;
use super::run::{ended, not_run, options};
use super::select::{Selected, Selection, select};
use crate::coverage::{Catalogue, Coverage};
use crate::model::Version;
use crate::record::Recorded;
use crate::report::{Report, Style, Text};
use crate::run::{DriverChoice, Event, Finished, Summary, run};
use crate::suite::Suite;

pub(super) const EXAMPLES: &str = "\
Examples:
  backup-tck coverage                    run all on embed, then tell
  backup-tck run -d embed --record now.jsonl
  backup-tck coverage --from now.jsonl   the same of a run that was recorded
  backup-tck coverage --from now.jsonl --check snapshots/coverage-11.3.tsv

Function and line are those that libvirt's own log names for each error of a
call, so they belong to one version of libvirt. The catalogue is the suite's
scenarios/CATALOGUE.tsv.

Exit codes:
  0  told; with --check, the table is as the run
  1  with --check, it is not; or a scenario failed, or has not raised the error
     that the catalogue says it shows
  2  wrong usage, or a file that cannot be compared
All others are those of a run: backup-tck --help";

#[derive(Args, Debug)]
pub(super) struct CoverageArgs {
    #[command(flatten)]
    selection: Selection,

    /// What answers the calls; `embed` tells most, since libvirt's client is in the same log
    #[arg(long, short, value_name = "DRIVER", default_value = "embed")]
    driver: DriverChoice,

    /// Run nothing; take what `run --record FILE` wrote
    #[arg(long, value_name = "FILE", conflicts_with = "driver")]
    from: Option<PathBuf>,

    /// Compare with a table of the whole suite, made with `--format table`, and tell what differs
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,

    /// How to write it; a table is for --check and for other tools
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    #[command(flatten)]
    running: Running,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Table,
}

/// What is known of a run.
struct Run {
    driver: String,
    libvirt: Version,
    finished: Vec<Finished>,
    code: ExitCode,
}

pub(super) fn execute(args: &CoverageArgs) -> Result<ExitCode, ExitCode> {
    let table = args.check.as_deref().map(read).transpose()?;
    let selected = select(&args.selection)?;
    let catalogue = catalogue_of(&selected.suite)?;
    let run = match &args.from {
        Some(path) => recorded(path, &selected)?,
        None => ran(args, selected)?,
    };
    let coverage = Coverage::of(run.libvirt, &run.driver, run.finished.iter(), &catalogue)
        .map_err(|error| fail(ExitCode::Usage, &error.to_string()))?;
    let (text, as_expected) = match (&args.check, table) {
        (Some(path), Some(table)) => checked(&coverage, path, &table)?,
        _ => match args.format {
            Format::Text => (described(&coverage, run.finished.len()), true),
            Format::Table => (coverage.to_table(), true),
        },
    };
    let printed = print(&text);
    if printed != ExitCode::Success || run.code != ExitCode::Success {
        return Ok(if printed == ExitCode::Success {
            run.code
        } else {
            printed
        });
    }
    Ok(if as_expected && coverage.is_complete() {
        ExitCode::Success
    } else {
        ExitCode::Failed
    })
}

fn read(path: &Path) -> Result<String, ExitCode> {
    fs::read_to_string(path).map_err(|error| {
        let text = format!("cannot read {}: {error}", path.display());
        fail(ExitCode::Usage, &text)
    })
}

fn catalogue_of(suite: &Suite) -> Result<Catalogue, ExitCode> {
    let text = suite
        .catalogue()
        .map_err(|error| fail(ExitCode::Broken, &error.to_string()))?;
    let catalogue = text.map(|text| Catalogue::parse(&text)).transpose();
    let catalogue = catalogue.map_err(|reason| {
        let text = format!("scenarios/{}: {reason}", Suite::CATALOGUE);
        fail(ExitCode::Broken, &text)
    })?;
    Ok(catalogue.unwrap_or_default())
}

fn recorded(path: &Path, selected: &Selected) -> Result<Run, ExitCode> {
    selected.require_some()?;
    let recorded =
        Recorded::read(path).map_err(|error| fail(ExitCode::Usage, &error.to_string()))?;
    if !recorded.is_whole() {
        note(&incomplete(path, &recorded));
    }
    let Some(identity) = recorded.identity() else {
        let text = format!("{}: no libvirt has answered in this run", path.display());
        return Err(fail(ExitCode::Usage, &text));
    };
    let is_selected = |finished: &&Finished| {
        let mut cases = selected.cases.iter();
        cases.any(|case| case.name == finished.name)
    };
    Ok(Run {
        driver: identity.driver.clone(),
        libvirt: identity.libvirt,
        finished: recorded.finished().filter(is_selected).cloned().collect(),
        code: of_summary(&recorded.summary().unwrap_or_else(|| recorded.counted())),
    })
}

fn ran(args: &CoverageArgs, selected: Selected) -> Result<Run, ExitCode> {
    if matches!(args.driver, DriverChoice::Mock(_)) {
        let text = "the mock has no source of libvirt's to raise errors in; real libvirt is wanted, \
                    such as embed";
        return Err(fail(ExitCode::Usage, text));
    }
    let options = options(&args.driver, &args.running)?;
    selected.require_some()?;
    let Selected { suite, cases, .. } = selected;
    let live = io::stderr().is_terminal();
    // Standard output is the table's.
    let mut progress = Text::new(
        io::stderr(),
        Style {
            colour: false,
            live,
        },
    );
    let mut identity = None;
    let mut finished = Vec::new();
    let summary: Summary = run(&cases, &suite, &options, |event| {
        progress.consume(event);
        match event {
            Event::Identified(found) => identity = Some(found.clone()),
            Event::ScenarioFinished(one) => finished.push((**one).clone()),
            Event::Started { .. } | Event::ScenarioStarted { .. } | Event::Finished(_) => {}
        }
    })
    .map_err(|error| not_run(&error))?;
    // A standard error that is gone is no reason to hold back the table.
    let _ = progress.close();
    let code = ended(&options, &summary);
    let Some(identity) = identity else {
        return Err(code);
    };
    Ok(Run {
        driver: identity.driver,
        libvirt: identity.libvirt,
        finished,
        code,
    })
}

fn checked(coverage: &Coverage, path: &Path, table: &str) -> Result<(String, bool), ExitCode> {
    let name = path.display();
    let differences = coverage.differences(table).map_err(|error| {
        fail(
            ExitCode::Usage,
            &format!("{name} cannot be compared: {error}"),
        )
    })?;
    if differences.is_empty() {
        let places = counted(coverage.raised.len(), "place");
        return Ok((format!("{name} is as this run: {places}\n"), true));
    }
    let head = format!("{name} is not as this run (- only there, + only in the run):\n");
    Ok((head + &differences.join("\n") + "\n", false))
}

fn described(coverage: &Coverage, scenarios: usize) -> String {
    let mut lines = vec![
        format!(
            "libvirt {}: {} in {}",
            coverage.libvirt,
            counted(coverage.raised.len(), "place"),
            counted(scenarios, "scenario"),
        ),
        String::new(),
    ];
    for ((function, line), names) in &coverage.raised {
        lines.push(format!("{function}:{line}"));
        let others = match names.len() {
            0 | 1 => String::new(),
            count => format!(", and {} more", count - 1),
        };
        lines.extend(names.first().map(|first| format!("    {first}{others}")));
    }
    let missed = coverage.missed().count();
    lines.extend([
        String::new(),
        format!(
            "catalogue: {}, {} raised, {} with a reason why not, {} missed",
            counted(coverage.reached + coverage.never.len(), "row"),
            coverage.reached,
            coverage.never.len() - missed,
            missed,
        ),
    ]);
    for row in coverage.missed() {
        lines.push(format!("  {} {} {}", row.api, row.code, row.site));
        lines.push(format!("    {}", row.why_never()));
    }
    lines.join("\n") + "\n"
}

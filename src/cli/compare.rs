//! `compare`: what changed between two recorded runs.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::args::When;
use super::exit_code::ExitCode;
use super::output::{fail, note, print, style};
use super::replay::incomplete;
use crate::record::{Recorded, compare};
use crate::report::comparison::{json, markdown, text};

pub(super) const EXAMPLES: &str = "\
Examples:
  backup-tck run -d embed --record before.jsonl
  sudo apt-get upgrade
  backup-tck run -d embed --record after.jsonl
  backup-tck compare before.jsonl after.jsonl

A regression is a scenario that fails in B and did not in A, or that has the
same outcome in both and another answer: of two runs on one libvirt, every
answer should be the same.

Exit codes:
  0    no regression
  1    a regression
  2    wrong usage, or a file is no record that this build reads
  130  no regression as far as it can be told: a run did not get to its end";

#[derive(Args, Debug)]
pub(super) struct CompareArgs {
    /// The record of the run before
    a: PathBuf,

    /// The record of the run now
    b: PathBuf,

    /// How to write it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// End with 0 whatever the difference
    #[arg(long)]
    exit_zero: bool,

    /// When to use colours; `auto` asks the terminal and `NO_COLOR`
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: When,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Markdown,
    Json,
}

pub(super) fn execute(args: &CompareArgs) -> Result<ExitCode, ExitCode> {
    let (a, b) = (read(&args.a)?, read(&args.b)?);
    let comparison = compare(&a, &b);
    let names = [&args.a, &args.b].map(|path| path.display().to_string());
    let names = [&*names[0], &*names[1]];
    let printed = print(&match args.format {
        Format::Text => text(&comparison, names, style(args.color).colour),
        Format::Markdown => markdown(&comparison, names),
        Format::Json => json(&comparison).map_err(|error| {
            let text = format!("cannot write the comparison as JSON: {error}");
            fail(ExitCode::Broken, &text)
        })?,
    });
    Ok(if printed != ExitCode::Success || args.exit_zero {
        printed
    } else if comparison.has_regression() {
        ExitCode::Failed
    } else if comparison.a.whole && comparison.b.whole {
        ExitCode::Success
    } else {
        ExitCode::Interrupted
    })
}

fn read(path: &Path) -> Result<Recorded, ExitCode> {
    let recorded =
        Recorded::read(path).map_err(|error| fail(ExitCode::Usage, &error.to_string()))?;
    if !recorded.is_whole() {
        note(&incomplete(path, &recorded));
    }
    Ok(recorded)
}

//! Arguments.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::compare::{self, CompareArgs};
use super::replay::{self, ReplayArgs};
use super::reporting::Recording;
use crate::run::DriverChoice;

const EXIT_CODES: &str = "\
Exit codes:
  0    all as expected
  1    a scenario failed, or a known difference did not happen
  2    wrong usage
  3    a scenario or its set-up could not run
  4    a driver's process crashed or did not answer in time
  5    no scenario was selected
  6    the driver cannot be used here: see `backup-tck doctor`
  130  interrupted";

/// Conformance kit and simulator for the error semantics of libvirt's backup and checkpoint
/// APIs.
///
/// A scenario describes disks, a checkpoint history and damage; a run executes it against real
/// libvirt or against an in-process mock of libvirt's QEMU driver, compares every answer with
/// the recorded one, and executes and proves the documented recovery.
#[derive(Debug, Parser)]
#[command(name = "backup-tck", version, after_help = EXIT_CODES, max_term_width = 80)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run scenarios
    #[command(after_help = "\
Examples:
  backup-tck run                         every scenario on the mock
  backup-tck run seed/                   those of one area
  backup-tck run '*raw*' -d embed        those that match, on real libvirt
  backup-tck run --report junit=out.xml  the text, and a file for a CI server
  backup-tck run --record monday.jsonl   kept, to replay and to compare")]
    Run(RunArgs),
    /// Show a recorded run again, in any report
    #[command(after_help = replay::EXAMPLES)]
    Replay(ReplayArgs),
    /// Compare two recorded runs, answer by answer
    #[command(after_help = compare::EXAMPLES)]
    Compare(CompareArgs),
    /// List scenarios, what they expect and what they show
    List(ListArgs),
    /// Record snapshots from real libvirt of the reference version
    ///
    /// Runs the scenarios on real libvirt and writes what it answers into `snapshots/`. A
    /// scenario whose expectations do not hold is not recorded, and the mock never records.
    #[command(after_help = "\
Examples:
  backup-tck bless seed/my-new-scenario
  git diff snapshots/                   then look at what was recorded")]
    Bless(BlessArgs),
    /// Tell what is installed, what is missing, and how to get it
    Doctor,
    /// Serve driver calls over standard input and output
    #[cfg(feature = "libvirt")]
    #[command(hide = true)]
    Worker(HiddenArgs),
    /// Stand above a worker and end what it leaves
    #[cfg(feature = "libvirt")]
    #[command(hide = true)]
    Reaper(HiddenArgs),
}

/// Which scenarios.
#[derive(Args, Debug)]
pub(super) struct Selection {
    /// Parts of names, or globs over whole names; all scenarios where none is given
    #[arg(value_name = "PATTERN")]
    pub(super) patterns: Vec<String>,

    /// Folder with `scenarios/` and `snapshots/`; else the nearest one above the working
    /// directory, else the suite inside this binary
    #[arg(long, value_name = "DIR")]
    pub(super) suite: Option<PathBuf>,
}

/// How to run them.
#[derive(Args, Debug)]
pub(super) struct Running {
    /// How many scenarios run at once; default: one for each core on the mock, two for each
    /// core on real libvirt, which mostly waits
    #[arg(long, short, value_name = "N", value_parser = positive)]
    pub(super) jobs: Option<usize>,

    /// Seconds that one scenario may take
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    pub(super) timeout: Duration,

    /// When to use colours; `auto` asks the terminal and `NO_COLOR`
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(super) color: When,
}

#[derive(Args, Debug)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) selection: Selection,

    /// What answers the calls: `mock` (the newest modelled libvirt), `mock@VERSION`, or
    /// `embed` (real libvirt in worker processes, no daemon)
    #[arg(long, short, value_name = "DRIVER", default_value = "mock")]
    pub(super) driver: DriverChoice,

    #[command(flatten)]
    pub(super) running: Running,

    #[command(flatten)]
    pub(super) recording: Recording,
}

#[derive(Args, Debug)]
pub(super) struct BlessArgs {
    #[command(flatten)]
    pub(super) selection: Selection,

    /// What answers the calls; only real libvirt may
    #[arg(long, short, value_name = "DRIVER", default_value = "embed")]
    pub(super) driver: DriverChoice,

    #[command(flatten)]
    pub(super) running: Running,
}

#[derive(Args, Debug)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) selection: Selection,

    /// Only the names, one a line
    #[arg(long)]
    pub(super) names: bool,
}

#[cfg(feature = "libvirt")]
#[derive(Args, Debug)]
pub(super) struct HiddenArgs {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(super) rest: Vec<std::ffi::OsString>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum When {
    Auto,
    Always,
    Never,
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1".to_owned()),
        Ok(count) => Ok(count),
        Err(_) => Err("a whole number is wanted".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "a number of seconds is wanted".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        Err(_) if seconds > 0.0 => Err("too large".to_owned()),
        Ok(_) | Err(_) => Err("more than 0 is wanted".to_owned()),
    }
}

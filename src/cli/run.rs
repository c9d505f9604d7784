//! `run`: execute scenarios and compare.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::available_parallelism;

use clap::Args;

use super::args::Running;
use super::exit_code::{ExitCode, of_summary};
use super::output::{fail, note, style};
use super::part::{self, Outcomes, Part};
use super::reporting::{Recording, Reports};
use super::select::{Selected, Selection, select};
use crate::report::{Pending, Report};
use crate::run::{Backing, DriverChoice, DriverError, Extent, Options, Summary, run};
use crate::suite::Suite;

#[derive(Args, Debug)]
pub(super) struct RunArgs {
    #[command(flatten)]
    selection: Selection,

    #[command(flatten)]
    part: Part,

    /// What answers the calls: `mock` (libvirt 11.3), `mock@VERSION`, `embed`
    /// (real libvirt in worker processes, no daemon), `libvirtd` (a private daemon for each), or
    /// a local URI (`qemu:///system`: that daemon, on which nothing but domains of the run is
    /// touched)
    #[arg(long, short, value_name = "DRIVER", default_value = "mock")]
    driver: DriverChoice,

    #[command(flatten)]
    running: Running,

    /// Stop at the decision: execute no recovery, prove none, and compare the snapshot so far
    #[arg(long)]
    no_recovery: bool,

    #[command(flatten)]
    recording: Recording,
}

pub(super) fn execute(args: &RunArgs) -> Result<ExitCode, ExitCode> {
    let targets = args.recording.targets()?;
    let mut selected = select(&args.selection)?;
    part::take(&args.part, &args.driver, &mut selected)?;
    let mut options = options(&args.driver, &args.running)?;
    options.fail_fast = args.part.fail_fast;
    if args.no_recovery {
        options.extent = Extent::UntilDecision;
    }
    selected.require_some()?;
    let Selected { suite, cases, .. } = selected;
    let folder = match &suite {
        Suite::Folder(folder) => folder.as_path(),
        Suite::Embedded => Path::new(""),
    };
    let mut reports = Reports::open(&targets, style(args.running.color), folder)?;
    let mut pending = Pending::new(&suite);
    // In a pipeline nobody reviews a pending file, and half a transcript is no snapshot.
    let review = std::env::var_os("CI").is_none() && !args.no_recovery;
    let mut outcomes = Outcomes::default();
    let ran = run(&cases, &suite, &options, |event| {
        reports.consume(event);
        outcomes.consume(event);
        if review {
            pending.consume(event);
        }
    });
    let summary = ran.map_err(|error| not_run(&error))?;
    outcomes.remember(&suite, &args.driver, &cases);
    for path in pending.written() {
        note(&format!("for review: {}", path.display()));
    }
    for error in pending.errors() {
        note(&format!("warning: {error}"));
    }
    Ok(reports.close(ended(&options, &summary)))
}

/// The exit code of a run that was brought to its end, or stopped by the user.
pub(super) fn ended(options: &Options, summary: &Summary) -> ExitCode {
    if options.backing.stop.load(Ordering::Relaxed) {
        ExitCode::Interrupted
    } else {
        of_summary(summary)
    }
}

/// Why a run did not even begin.
pub(super) fn not_run(error: &DriverError) -> ExitCode {
    let code = match error {
        DriverError::Unavailable(_) => ExitCode::NoDriver,
        DriverError::NotModelled(_)
        | DriverError::Crashed(_)
        | DriverError::TimedOut { .. }
        | DriverError::Interrupted
        | DriverError::Failed(_) => ExitCode::Broken,
    };
    fail(code, &error.to_string())
}

/// Sees that the driver works here, and tells what is on it already.
fn try_out(driver: &DriverChoice, backing: &Backing) -> Result<(), ExitCode> {
    let found = match driver.try_out(backing) {
        Ok(found) => found,
        Err(DriverError::Interrupted) => {
            return Err(fail(ExitCode::Interrupted, "interrupted"));
        }
        Err(error) => {
            let text =
                format!("driver `{driver}` cannot be used here: {error}\nsee: backup-tck doctor");
            return Err(fail(ExitCode::NoDriver, &text));
        }
    };
    for name in found {
        note(&format!(
            "warning: {name} is on {driver} already: if no other run is under way there, one has \
             left it behind; remove it: virsh -c '{driver}' destroy {name}; virsh -c '{driver}' \
             undefine {name} --managed-save --checkpoints-metadata --snapshots-metadata"
        ));
    }
    Ok(())
}

/// How to run, once the driver is known to be there and Ctrl-C is handled.
pub(super) fn options(driver: &DriverChoice, running: &Running) -> Result<Options, ExitCode> {
    if let Some(reason) = driver.unavailable() {
        let text =
            format!("driver `{driver}` cannot be used here: {reason}\nsee: backup-tck doctor");
        return Err(fail(ExitCode::NoDriver, &text));
    }
    let backing = Backing::own().map_err(|error| {
        fail(
            ExitCode::Broken,
            &format!("cannot find the program's own file: {error}"),
        )
    })?;
    let asked = Arc::clone(&backing.stop);
    let handled = ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            // Asked twice: at once. What still runs is ended by the processes above it.
            note("interrupted again: ending without waiting for the scenarios that run");
            std::process::exit(ExitCode::Interrupted as i32);
        }
    });
    if let Err(error) = handled {
        return Err(fail(
            ExitCode::Broken,
            &format!("cannot handle Ctrl-C: {error}"),
        ));
    }
    try_out(driver, &backing)?;
    let cores = available_parallelism().map_or(1, usize::from);
    let default_jobs = if driver.is_real() { 2 * cores } else { cores };
    Ok(Options {
        driver: driver.clone(),
        jobs: running.jobs.unwrap_or(default_jobs),
        time_limit: running.timeout,
        fail_fast: false,
        extent: Extent::Whole,
        backing,
    })
}

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
use crate::run::{Backing, DriverChoice, DriverError, Options, Summary, run};
use crate::suite::Suite;

#[derive(Args, Debug)]
pub(super) struct RunArgs {
    #[command(flatten)]
    selection: Selection,

    #[command(flatten)]
    part: Part,

    /// What answers the calls: `mock` (the newest modelled libvirt), `mock@VERSION`, or
    /// `embed` (real libvirt in worker processes, no daemon)
    #[arg(long, short, value_name = "DRIVER", default_value = "mock")]
    driver: DriverChoice,

    #[command(flatten)]
    running: Running,

    #[command(flatten)]
    recording: Recording,
}

pub(super) fn execute(args: &RunArgs) -> Result<ExitCode, ExitCode> {
    let targets = args.recording.targets()?;
    let mut selected = select(&args.selection)?;
    part::take(&args.part, &args.driver, &mut selected)?;
    let mut options = options(&args.driver, &args.running)?;
    options.fail_fast = args.part.fail_fast;
    selected.require_some()?;
    let Selected { suite, cases, .. } = selected;
    let folder = match &suite {
        Suite::Folder(folder) => folder.as_path(),
        Suite::Embedded => Path::new(""),
    };
    let mut reports = Reports::open(&targets, style(args.running.color), folder)?;
    let mut pending = Pending::new(&suite);
    // In a pipeline nobody reviews a pending file.
    let review = std::env::var_os("CI").is_none();
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
    let cores = available_parallelism().map_or(1, usize::from);
    let default_jobs = match driver {
        DriverChoice::Mock(_) => cores,
        DriverChoice::Embed => 2 * cores,
    };
    Ok(Options {
        driver: driver.clone(),
        jobs: running.jobs.unwrap_or(default_jobs),
        time_limit: running.timeout,
        fail_fast: false,
        backing,
    })
}

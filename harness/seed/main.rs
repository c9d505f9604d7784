//! The suite's area `seed`, run and by hand: `cargo bench --features libvirt --bench seed`.
//!
//! Wall times of one machine, and the ratio between two of them; nothing is asserted about time.
//!
//! * `run` is the command as a user starts it, with its own number of jobs: whole, and up to the
//!   decision (`--no-recovery`); with all scenarios, and without those in which libvirt itself
//!   waits (`waits` in their files). The median of three runs.
//! * By hand is what a careful person does for the same scenarios without the waits: one `virsh`
//!   session on a driver root of its own, line after line, with `qemu-img` and `qemu-io`
//!   between. The steps are those that the runner asks of its driver: set-up, history, call under
//!   test, the states before and after, the judge's probes, recovery and proof. The driver here is
//!   [`by_hand::ByHand`]; the mock beside it says what must come of each step, and a step of
//!   which something else comes is a failure of this program. Only the time of the lines and
//!   commands counts, not that of the emulator's first probe, and none for thinking, typing,
//!   reading, comparing, or for files made, listed and removed. libvirt waits for the zombie of an
//!   ended QEMU, so it is measured twice: with a sub-reaper above `virsh`, as each worker of
//!   `run` has one, and as a person has it, who leaves that to process 1.
//!
//! Where a run fails, or a step by hand, the figure that it would give is not told, and the program
//! fails in the end.

mod by_hand;
mod host;
mod places;
mod runs;
mod tools;
mod virsh;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backup_tck::driver::libvirt::sweep;
use backup_tck::driver::mock::Mock;
use backup_tck::driver::{Driver as _, DriverError};
use backup_tck::model::Version;
use backup_tck::run::{DriverChoice, Extent, run_scenario};
use backup_tck::suite::{Case, Suite};

use crate::by_hand::ByHand;
use crate::virsh::Collector;

const ROUNDS: usize = 3;

const AREA: &str = "seed";

/// The driver whose time is held against that by hand.
const COMPARED: &str = "embed";

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), String> {
    let suite = Suite::near(Path::new(env!("CARGO_MANIFEST_DIR")));
    let mut cases = suite.cases().map_err(|error| error.to_string())?;
    cases.retain(|case| case.area() == AREA);
    let waits = |case: &&Case| {
        let scenario = case.scenario.as_ref();
        scenario.is_ok_and(|scenario| scenario.waits.is_some())
    };
    let waiting: Vec<&Case> = cases.iter().filter(waits).collect();
    let quick: Vec<&Case> = cases.iter().filter(|case| !waits(case)).collect();
    let directory = tempfile::Builder::new().prefix("backup-tckb").tempdir();
    let directory = directory.map_err(|error| format!("no directory: {error}"))?;
    let stop = stop_on_interrupt()?;
    let mut failures = Vec::new();
    let compared = by_run(&waiting, &quick, directory.path(), &stop, &mut failures)?;
    for (collector, who) in [
        (Collector::AtOnce, "an ended QEMU is collected at once"),
        (Collector::Process1, "process 1 collects an ended QEMU"),
    ] {
        let root = directory.path().join(format!("{collector:?}"));
        println!("by hand, where {who}:");
        let taken = by_hand(&quick, &root, collector, &stop, &mut failures);
        sweep(Path::new(env!("CARGO_BIN_EXE_backup-tck")), &root);
        if let (Some(run), Some(taken)) = (compared, taken?) {
            let ratio = taken.as_secs_f64() / run.as_secs_f64();
            println!("  {ratio:.1} times as long as `run --driver {COMPARED}`");
        }
    }
    if failures.is_empty() {
        return Ok(());
    }
    Err(failures.join("\n"))
}

/// Prints the times of `run`; the one that is compared, if the driver can be used.
fn by_run(
    waiting: &[&Case],
    quick: &[&Case],
    directory: &Path,
    stop: &Arc<AtomicBool>,
    failures: &mut Vec<String>,
) -> Result<Option<Duration>, String> {
    let names: Vec<&str> = quick.iter().map(|case| case.name.as_str()).collect();
    // The command takes a part of a name for all names that hold it.
    let selected = |case: &&&Case| names.iter().any(|name| case.name.contains(name));
    if let Some(case) = waiting.iter().find(selected) {
        return Err(format!("{} cannot be left out by its name", case.name));
    }
    let mut compared = None;
    for driver in ["mock", "embed", "libvirtd"] {
        let choice: Result<DriverChoice, _> = driver.parse();
        let reason = match choice {
            Ok(choice) => choice.unavailable(),
            Err(unknown) => Some(unknown.to_string()),
        };
        if let Some(reason) = reason {
            println!("run, {driver}: not measured, {reason}");
            continue;
        }
        let area = format!("{AREA}/");
        for (what, count, patterns) in [
            ("", quick.len() + waiting.len(), vec![area.as_str()]),
            (" without waits", quick.len(), names.clone()),
        ] {
            if stop.load(Ordering::Relaxed) {
                return Err("interrupted".to_owned());
            }
            let time = |extra| runs::median(ROUNDS, driver, &patterns, extra, directory);
            match time(&[]).and_then(|whole| Ok((whole, time(&["--no-recovery"])?))) {
                Ok((whole, short)) => {
                    println!(
                        "run, {driver}, {count} scenarios{what}: {:.3} s; --no-recovery: {:.3} s",
                        whole.as_secs_f64(),
                        short.as_secs_f64()
                    );
                    if driver == COMPARED {
                        compared = Some(whole);
                    }
                }
                Err(why) => failures.push(format!("run, {driver}, {count} scenarios{what}: {why}")),
            }
        }
    }
    Ok(compared)
}

/// Plays the scenarios by hand and prints the time; `None` where that cannot be done here.
fn by_hand(
    cases: &[&Case],
    root: &Path,
    collector: Collector,
    stop: &Arc<AtomicBool>,
    failures: &mut Vec<String>,
) -> Result<Option<Duration>, String> {
    let not_here = |reason: &str| {
        println!("  not measured, {reason}");
        Ok(None)
    };
    if which::which("virsh").is_err() {
        return not_here("there is no virsh");
    }
    let oracle = match version().map(Mock::of) {
        None => return not_here("libvirt does not tell its version"),
        Some(Err(error)) => return not_here(&error.to_string()),
        Some(Ok(oracle)) => oracle,
    };
    std::fs::create_dir(root).map_err(|error| error.to_string())?;
    let mut driver = ByHand::open(root, oracle, collector, Arc::clone(stop))
        .map_err(|error| error.to_string())?;
    let identity = driver.identity().map_err(|error| error.to_string())?;
    let before = failures.len();
    for case in cases {
        let scenario = case.scenario.as_ref();
        let scenario = scenario.map_err(|_| format!("{} has problems", case.name))?;
        let ran = run_scenario(&mut driver, &identity, &case.name, scenario, Extent::Whole);
        match ran {
            Ok(ran) if ran.checks.iter().all(|check| check.holds) => {}
            Ok(_) => failures.push(format!("by hand, {}: the mock contradicts it", case.name)),
            Err(stopped) if stopped.error == DriverError::Interrupted => {
                return Err("interrupted".to_owned());
            }
            Err(stopped) => failures.push(format!("by hand, {}: {}", case.name, stopped.error)),
        }
    }
    let taken = driver.taken;
    if failures.len() > before {
        return Ok(None);
    }
    println!(
        "  {} scenarios without waits, {} lines of virsh and commands: {:.3} s",
        cases.len(),
        taken.commands,
        taken.time.as_secs_f64()
    );
    Ok(Some(taken.time))
}

/// The version of the libvirt that `virsh` is of.
fn version() -> Option<Version> {
    let output = std::process::Command::new("virsh")
        .arg("--version")
        .output();
    String::from_utf8(output.ok()?.stdout)
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// Set once somebody loses patience: what is under way is then ended in good order.
fn stop_on_interrupt() -> Result<Arc<AtomicBool>, String> {
    let stop = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&stop);
    ctrlc::set_handler(move || set.store(true, Ordering::Relaxed))
        .map_err(|error| format!("cannot handle Ctrl-C: {error}"))?;
    Ok(stop)
}

//! Every scenario on every driver as a named test: `mock::seed/…`, `embed::seed/…`,
//! `libvirtd::seed/…`.
//!
//! What a driver needs and does not find makes its tests ignored, with the reason in front of the
//! name; this is decided while listing, since a test that ignores itself while running looks
//! passed to some runners.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use backup_tck::report::{Pending, Report, Style, Text};
use backup_tck::run::{Backing, DriverChoice, Extent, Options, Outcome, run};
use backup_tck::suite::{Case, Suite};
use libtest_mimic::{Arguments, Failed, Trial};

const DRIVERS: [DriverChoice; 3] = [
    DriverChoice::Mock(None),
    DriverChoice::Embed,
    DriverChoice::Libvirtd,
];

/// libvirt's own waits last 30 s.
const TIME_LIMIT: Duration = Duration::from_mins(2);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let suite =
        Suite::in_folder(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("the checkout has a suite");
    let cases = suite.cases().expect("the suite can be read");
    let mut trials = Vec::new();
    for driver in &DRIVERS {
        let unavailable = driver.unavailable();
        for case in &cases {
            let (driver, case, suite) = (driver.clone(), case.clone(), suite.clone());
            let name = format!("{driver}::{}", case.name);
            let trial = Trial::test(name, move || test(driver, case, &suite));
            trials.push(match &unavailable {
                None => trial,
                Some(reason) => trial.with_kind(reason.clone()).with_ignored_flag(true),
            });
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn test(driver: DriverChoice, case: Case, suite: &Suite) -> Result<(), Failed> {
    let options = Options {
        driver,
        jobs: 1,
        time_limit: TIME_LIMIT,
        fail_fast: false,
        extent: Extent::Whole,
        backing: Backing {
            program: PathBuf::from(env!("CARGO_BIN_EXE_backup-tck")),
            stop: std::sync::Arc::default(),
        },
    };
    let mut told = Vec::new();
    let mut text = Text::new(&mut told, Style::default());
    let mut pending = Pending::new(suite);
    let review = std::env::var_os("CI").is_none();
    let mut bad = false;
    run(&[case], suite, &options, |event| {
        text.consume(event);
        if review {
            pending.consume(event);
        }
        if let backup_tck::run::Event::ScenarioFinished(finished) = event {
            bad = finished.outcome != Outcome::Passed;
        }
    })
    .map_err(|error| Failed::from(error.to_string()))?;
    drop(text);
    if bad {
        Err(Failed::from(String::from_utf8_lossy(&told).into_owned()))
    } else {
        Ok(())
    }
}

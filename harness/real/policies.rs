//! The table of policies on real libvirt: a few rows come out as on the mock.

use std::time::{Duration, Instant};

use backup_tck::driver::Driver;
use backup_tck::driver::libvirt::Connection;
use backup_tck::driver::mock::Mock;
use backup_tck::policy::{Played, Row, shipped};
use backup_tck::suite::Suite;

use crate::bench::{directory, start};

/// A few; each is played by every client, which takes ten seconds and more.
const SCENARIOS: [&str; 2] = [
    "recovery/delete-of-half-present-checkpoint@with-monitor",
    "seed/middle-bitmap-lost@itself",
];

pub(crate) fn clients_fare_as_on_the_mock(connection: &Connection) {
    let place = directory();
    let mut driver = start(connection, place.path(), &std::sync::Arc::default());
    let cases = Suite::Embedded.cases().unwrap();
    let profiles = shipped();
    let mut mock = Mock::newest();
    let mut differences = Vec::new();
    for name in scenarios() {
        driver.set_deadline(Instant::now().checked_add(Duration::from_mins(5)));
        let case = cases.iter().find(|case| case.name == name).unwrap();
        let scenario = case.scenario.as_ref().unwrap();
        let words = |driver: &mut dyn Driver| -> Vec<String> {
            let row = Row::of(driver, (&name, scenario), &profiles);
            match row {
                Ok(row) => row.unwrap().played.iter().map(Played::word).collect(),
                Err(error) => vec![error.to_string()],
            }
        };
        let (real, mocked) = (words(&mut driver), words(&mut mock));
        if real != mocked {
            differences.push(format!("{name}: {real:?} instead of {mocked:?}"));
        }
    }
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

/// All that are named in `BACKUP_TCK_TEST_POLICIES`, one a word, or the usual ones.
fn scenarios() -> Vec<String> {
    match std::env::var("BACKUP_TCK_TEST_POLICIES") {
        Ok(names) => names.split_whitespace().map(str::to_owned).collect(),
        Err(_) => SCENARIOS.map(str::to_owned).into(),
    }
}

//! Random histories: what is backed up restores, byte for byte.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backup_tck::driver::Driver;
use backup_tck::driver::libvirt::Connection;
use proptest::test_runner::{Config, TestRunner};

use crate::bench::{directory, start};
use crate::chain;

/// Few, since each event is a QEMU at work; the mock plays many.
const CASES: u32 = 3;

pub(crate) fn whatever_is_backed_up_restores(connection: &Connection) {
    let place = directory();
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        max_shrink_iters: 10,
        failure_persistence: None,
        ..Config::default()
    });
    let played = runner.run(&chain::events(12), |events| {
        // A failure leaves the driver in a state of its own: each history has a new one.
        let mut driver = start(connection, place.path(), &Arc::default());
        driver.set_deadline(Instant::now().checked_add(Duration::from_mins(1)));
        chain::play(&mut driver, &events)
    });
    played.unwrap();
}

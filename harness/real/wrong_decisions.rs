//! The wrong decisions on real libvirt: they are caught there as well.

use std::time::{Duration, Instant};

use backup_tck::driver::Driver;
use backup_tck::driver::libvirt::Connection;

use crate::bench::{directory, start};
use crate::ended_job::{self, End};
use crate::wrong::WRONG;
use crate::{hole, silent};

/// But for the one that libvirt holds for 30 s; the mock plays that.
pub(crate) fn each_wrong_decision_is_caught(connection: &Connection) {
    let place = directory();
    let mut driver = start(connection, place.path(), &std::sync::Arc::default());
    driver.set_deadline(Instant::now().checked_add(Duration::from_mins(2)));
    let mut missed = Vec::new();
    for wrong in WRONG.iter().filter(|wrong| !wrong.waits) {
        let (broken, fails) = wrong.found(&mut driver);
        if !fails || !wrong.is_caught_by(&broken) {
            missed.push(format!(
                "{} instead of {}: {broken:?}",
                wrong.name, wrong.right
            ));
        }
    }
    assert!(missed.is_empty(), "not caught:\n{}", missed.join("\n"));
}

pub(crate) fn what_libvirt_does_not_tell_the_data_does(connection: &Connection) {
    let place = directory();
    let mut driver = start(connection, place.path(), &std::sync::Arc::default());
    driver.set_deadline(Instant::now().checked_add(Duration::from_mins(1)));
    silent::assert_only_data_tells(&mut driver);
    let difference = hole::difference(&mut driver);
    assert_eq!(difference, "byte 4194304 is 0x00 instead of 0xa2");
}

pub(crate) fn a_job_that_was_cancelled_is_taken_again(connection: &Connection) {
    let place = directory();
    let mut driver = start(connection, place.path(), &std::sync::Arc::default());
    driver.set_deadline(Instant::now().checked_add(Duration::from_mins(1)));
    for end in [End::Aborted, End::Killed] {
        ended_job::assert_recovers(&mut driver, end);
    }
    // Only root, and only for a daemon of its own, mounts a file system.
    if nix::unistd::geteuid().is_root() && !matches!(connection, Connection::Uri(_)) {
        ended_job::assert_recovers(&mut driver, End::NoSpace);
    }
}

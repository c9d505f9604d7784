//! The private drivers, `embed` and `libvirtd`, against the real libvirt and QEMU of this machine.
//!
//! What a driver needs and does not find makes its tests ignored, with the reason in front of its name.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a test cannot do is a failure of the test"
)]

mod agreement;
mod bench;
mod calls;
mod endings;
mod host;
mod product;
#[path = "../cli/suite.rs"]
mod suite;

use std::process::ExitCode;

use backup_tck::driver::libvirt::Connection;
use backup_tck::run::DriverChoice;
use libtest_mimic::{Arguments, Trial};

type Test = fn(&Connection);

const TESTS: &[(&str, Test)] = &[
    (
        "calls::a_checkpoint_lives_and_dies",
        calls::a_checkpoint_lives_and_dies,
    ),
    (
        "calls::a_refusal_is_told_whole",
        calls::a_refusal_is_told_whole,
    ),
    (
        "endings::a_killed_worker_has_crashed_and_leaves_nothing",
        endings::a_killed_worker_has_crashed_and_leaves_nothing,
    ),
    (
        "endings::a_killed_reaper_leaves_nothing_either",
        endings::a_killed_reaper_leaves_nothing_either,
    ),
    (
        "endings::the_log_of_a_crash_is_kept",
        endings::the_log_of_a_crash_is_kept,
    ),
    (
        "endings::a_hang_ends_at_the_deadline",
        endings::a_hang_ends_at_the_deadline,
    ),
    (
        "endings::a_large_request_to_a_hung_worker_times_out_as_well",
        endings::a_large_request_to_a_hung_worker_times_out_as_well,
    ),
    (
        "endings::an_interrupt_ends_a_call",
        endings::an_interrupt_ends_a_call,
    ),
    (
        "endings::a_supervisor_that_dies_leaves_nothing",
        endings::a_supervisor_that_dies_leaves_nothing,
    ),
    (
        "host::a_chain_of_backups_holds_what_the_guest_wrote",
        host::a_chain_of_backups_holds_what_the_guest_wrote,
    ),
    (
        "host::a_crash_of_qemu_keeps_the_data_and_spoils_the_bitmap",
        host::a_crash_of_qemu_keeps_the_data_and_spoils_the_bitmap,
    ),
    (
        "host::a_backup_that_failed_is_told_too",
        host::a_backup_that_failed_is_told_too,
    ),
    (
        "host::what_fails_is_never_taken_for_done",
        host::what_fails_is_never_taken_for_done,
    ),
    (
        "agreement::mock_and_real_libvirt_refuse_alike",
        agreement::mock_and_real_libvirt_refuse_alike,
    ),
    (
        "product::bless_records_what_expectations_allow",
        product::bless_records_what_expectations_allow,
    ),
    (
        "product::ctrl_c_leaves_nothing",
        product::ctrl_c_leaves_nothing,
    ),
    (
        "product::a_killed_worker_is_told_and_the_run_goes_on",
        product::a_killed_worker_is_told_and_the_run_goes_on,
    ),
    (
        "product::ctrl_c_twice_ends_at_once_and_leaves_nothing",
        product::ctrl_c_twice_ends_at_once_and_leaves_nothing,
    ),
    (
        "product::two_runs_at_once_do_not_disturb_each_other",
        product::two_runs_at_once_do_not_disturb_each_other,
    ),
    (
        "product::a_snapshot_folder_that_refuses_is_told",
        product::a_snapshot_folder_that_refuses_is_told,
    ),
    (
        "product::a_time_limit_leaves_nothing",
        product::a_time_limit_leaves_nothing,
    ),
    (
        "product::a_killed_run_leaves_nothing",
        product::a_killed_run_leaves_nothing,
    ),
];

fn main() -> ExitCode {
    endings::be_a_victim();
    let mut trials = Vec::new();
    for (driver, connection) in [
        (DriverChoice::Embed, Connection::Embed),
        (DriverChoice::Libvirtd, Connection::Libvirtd),
    ] {
        let unavailable = driver.unavailable();
        for &(name, test) in TESTS {
            let connection = connection.clone();
            let trial = Trial::test(format!("{driver}::{name}"), move || {
                test(&connection);
                Ok(())
            });
            trials.push(match &unavailable {
                None => trial,
                Some(reason) => trial.with_kind(reason.clone()).with_ignored_flag(true),
            });
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

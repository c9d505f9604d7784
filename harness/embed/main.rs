//! The driver `embed` against the real libvirt and QEMU of this machine.
//!
//! Without libvirt every test is ignored, with the reason in front of its name.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a test cannot do is a failure of the test"
)]

mod agreement;
mod bench;
mod calls;
mod endings;
mod faults;
mod host;
mod jobs;
mod product;
mod pull;
#[path = "../cli/suite.rs"]
mod suite;

use std::process::ExitCode;

use backup_tck::run::DriverChoice;
use libtest_mimic::{Arguments, Trial};

const TESTS: &[(&str, fn())] = &[
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
        "host::a_bitmap_of_a_closed_image_is_changed",
        host::a_bitmap_of_a_closed_image_is_changed,
    ),
    (
        "host::what_fails_is_never_taken_for_done",
        host::what_fails_is_never_taken_for_done,
    ),
    (
        "pull::a_chain_read_over_nbd_holds_each_instant",
        pull::a_chain_read_over_nbd_holds_each_instant,
    ),
    (
        "pull::a_backup_dies_with_its_emulator",
        pull::a_backup_dies_with_its_emulator,
    ),
    (
        "pull::an_aborted_push_is_awaited",
        pull::an_aborted_push_is_awaited,
    ),
    (
        "pull::a_port_is_occupied_until_it_is_released",
        pull::a_port_is_occupied_until_it_is_released,
    ),
    (
        "pull::a_probe_says_where_qemu_can_listen",
        pull::a_probe_says_where_qemu_can_listen,
    ),
    (
        "pull::a_server_behind_libvirts_back_is_in_the_way",
        pull::a_server_behind_libvirts_back_is_in_the_way,
    ),
    (
        "pull::a_copy_is_ready_when_it_was_awaited",
        pull::a_copy_is_ready_when_it_was_awaited,
    ),
    (
        "agreement::mock_and_real_libvirt_refuse_alike",
        agreement::mock_and_real_libvirt_refuse_alike,
    ),
    (
        "agreement::mock_and_real_libvirt_run_jobs_alike",
        jobs::mock_and_real_libvirt_run_jobs_alike,
    ),
    (
        "agreement::mock_and_real_libvirt_bear_faults_alike",
        faults::mock_and_real_libvirt_bear_faults_alike,
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
    let unavailable = DriverChoice::Embed.unavailable();
    let trial = |(name, test): &(&str, fn())| {
        let test = *test;
        let trial = Trial::test(format!("embed::{name}"), move || {
            test();
            Ok(())
        });
        match &unavailable {
            None => trial,
            Some(reason) => trial.with_kind(reason.clone()).with_ignored_flag(true),
        }
    };
    let trials = TESTS.iter().map(trial).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

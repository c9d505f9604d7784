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
#[path = "../chain.rs"]
mod chain;
mod daemon;
mod documents;
#[path = "../ended_job.rs"]
mod ended_job;
mod endings;
mod faults;
mod history;
#[path = "../hole.rs"]
mod hole;
mod host;
mod jobs;
mod killed;
mod machine;
mod policies;
mod product;
mod pull;
mod scripts;
#[path = "../silent.rs"]
mod silent;
#[path = "../cli/suite.rs"]
mod suite;
mod uri;
mod user;
#[path = "../wrong.rs"]
mod wrong;
mod wrong_decisions;

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
        "host::a_bitmap_of_a_closed_image_is_changed",
        host::a_bitmap_of_a_closed_image_is_changed,
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
        "history::whatever_is_backed_up_restores",
        history::whatever_is_backed_up_restores,
    ),
    (
        "host::what_fails_is_never_taken_for_done",
        host::what_fails_is_never_taken_for_done,
    ),
    (
        "policies::clients_fare_as_on_the_mock",
        policies::clients_fare_as_on_the_mock,
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
        "documents::mock_and_real_libvirt_accept_the_same_documents",
        documents::mock_and_real_libvirt_accept_the_same_documents,
    ),
    (
        "wrong_decisions::each_wrong_decision_is_caught",
        wrong_decisions::each_wrong_decision_is_caught,
    ),
    (
        "wrong_decisions::what_libvirt_does_not_tell_the_data_does",
        wrong_decisions::what_libvirt_does_not_tell_the_data_does,
    ),
    (
        "wrong_decisions::a_job_that_was_cancelled_is_taken_again",
        wrong_decisions::a_job_that_was_cancelled_is_taken_again,
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
    (
        "machine::what_is_not_installed_is_named",
        machine::what_is_not_installed_is_named,
    ),
    (
        "machine::a_tool_that_vanishes_breaks_what_needs_it",
        machine::a_tool_that_vanishes_breaks_what_needs_it,
    ),
    (
        "machine::an_emulator_that_vanishes_breaks_what_needs_it",
        machine::an_emulator_that_vanishes_breaks_what_needs_it,
    ),
    (
        "machine::what_one_scenario_leaves_breaks_no_other",
        machine::what_one_scenario_leaves_breaks_no_other,
    ),
    (
        "machine::nobody_else_is_told_of_a_domain",
        machine::nobody_else_is_told_of_a_domain,
    ),
    (
        "machine::what_is_left_is_named",
        machine::what_is_left_is_named,
    ),
    (
        "killed::a_run_killed_at_any_instant_leaves_nothing",
        killed::a_run_killed_at_any_instant_leaves_nothing,
    ),
];

/// Tests of what only a daemon has.
const OF_DAEMONS: &[(&str, Test)] = &[
    (
        "daemon::a_daemon_that_has_ended_is_a_crash",
        daemon::a_daemon_that_has_ended_is_a_crash,
    ),
    (
        "daemon::a_crash_tells_the_log_of_the_daemon",
        daemon::a_crash_tells_the_log_of_the_daemon,
    ),
    (
        "daemon::a_daemon_that_dies_during_a_call_is_a_crash",
        daemon::a_daemon_that_dies_during_a_call_is_a_crash,
    ),
    (
        "daemon::a_daemon_that_hangs_is_timed_out",
        daemon::a_daemon_that_hangs_is_timed_out,
    ),
    (
        "daemon::a_killed_daemon_is_told_and_the_run_goes_on",
        daemon::a_killed_daemon_is_told_and_the_run_goes_on,
    ),
    (
        "daemon::a_daemon_that_does_not_come_up_is_no_driver",
        daemon::a_daemon_that_does_not_come_up_is_no_driver,
    ),
    (
        "daemon::a_killed_reaper_leaves_no_daemon",
        daemon::a_killed_reaper_leaves_no_daemon,
    ),
    (
        "endings::a_program_that_was_replaced_cleans_up",
        endings::a_program_that_was_replaced_cleans_up,
    ),
    (
        "scripts::a_script_is_answered_as_its_scenario",
        scripts::a_script_is_answered_as_its_scenario,
    ),
    (
        "scripts::a_script_tells_another_answer_and_a_failed_step",
        scripts::a_script_tells_another_answer_and_a_failed_step,
    ),
    (
        "uri::a_run_touches_no_other_domain",
        uri::a_run_touches_no_other_domain,
    ),
    (
        "uri::a_domain_that_is_left_is_named",
        uri::a_domain_that_is_left_is_named,
    ),
    (
        "uri::another_ones_domain_is_not_taken_over",
        uri::another_ones_domain_is_not_taken_over,
    ),
    (
        "uri::a_scenario_is_nobody_elses",
        uri::a_scenario_is_nobody_elses,
    ),
    (
        "uri::a_domain_that_stays_keeps_no_other",
        uri::a_domain_that_stays_keeps_no_other,
    ),
    (
        "uri::whoever_is_killed_leaves_no_domain",
        uri::whoever_is_killed_leaves_no_domain,
    ),
    (
        "uri::the_next_run_removes_what_nobody_could",
        uri::the_next_run_removes_what_nobody_could,
    ),
    (
        "uri::a_daemon_that_dies_is_a_crash",
        uri::a_daemon_that_dies_is_a_crash,
    ),
    (
        "uri::a_socket_that_refuses_is_no_driver",
        uri::a_socket_that_refuses_is_no_driver,
    ),
    (
        "uri::a_daemon_that_hangs_is_no_hang_of_the_run",
        uri::a_daemon_that_hangs_is_no_hang_of_the_run,
    ),
    (
        "uri::another_ones_daemon_is_not_damaged",
        uri::another_ones_daemon_is_not_damaged,
    ),
];

/// Those of them that only root can make.
const OF_DAEMONS_AND_ROOT: &[(&str, Test)] = &[(
    "user::an_ordinary_user_has_a_session",
    user::an_ordinary_user_has_a_session,
)];

/// Tests that only root can make.
const OF_ROOT: &[(&str, Test)] = &[
    (
        "machine::a_mount_that_is_left_is_named",
        machine::a_mount_that_is_left_is_named,
    ),
    (
        "machine::an_emulator_stays_in_its_cgroup",
        machine::an_emulator_stays_in_its_cgroup,
    ),
    (
        "machine::what_the_host_lacks_is_not_made_there",
        machine::what_the_host_lacks_is_not_made_there,
    ),
    (
        "user::an_ordinary_user_runs_every_seed",
        user::an_ordinary_user_runs_every_seed,
    ),
    (
        "user::what_no_run_has_made_is_not_swept",
        user::what_no_run_has_made_is_not_swept,
    ),
];

fn main() -> ExitCode {
    endings::be_a_victim();
    let (embed, libvirtd) = (Connection::Embed, Connection::Libvirtd);
    let mut trials = Vec::new();
    for (connection, driver) in [
        (&embed, DriverChoice::Embed),
        (&libvirtd, DriverChoice::Libvirtd),
    ] {
        let here = driver.unavailable();
        let as_root = here.clone().or_else(user::unavailable);
        trials.extend(
            TESTS
                .iter()
                .map(|test| trial(test, connection, here.as_ref())),
        );
        trials.extend(
            OF_ROOT
                .iter()
                .map(|test| trial(test, connection, as_root.as_ref())),
        );
    }
    let here = DriverChoice::Libvirtd.unavailable();
    let as_root = here.clone().or_else(user::unavailable);
    for (tests, unavailable) in [(OF_DAEMONS, &here), (OF_DAEMONS_AND_ROOT, &as_root)] {
        trials.extend(
            tests
                .iter()
                .map(|test| trial(test, &libvirtd, unavailable.as_ref())),
        );
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(
    &(name, test): &(&str, Test),
    connection: &Connection,
    unavailable: Option<&String>,
) -> Trial {
    let connection = connection.clone();
    let trial = Trial::test(format!("{connection}::{name}"), move || {
        test(&connection);
        Ok(())
    });
    match unavailable {
        None => trial,
        Some(reason) => trial.with_kind(reason.clone()).with_ignored_flag(true),
    }
}

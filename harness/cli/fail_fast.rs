//! Stopping at the first bad end.

use super::suite::Copy;
use super::{backup_tck, told};

const RAW: &str = "scenarios/seed/checkpoint-on-raw-disk-refused.yaml";

#[test]
fn what_was_not_begun_is_counted_and_never_passed() {
    let copy = Copy::new();
    copy.edit(RAW, "fix-request", "treat-as-done");
    let mut command = backup_tck();
    command.args(["run", "--fail-fast", "--jobs", "1"]);
    insta::assert_snapshot!(told(command.current_dir(&copy.0)));
}

#[test]
fn the_exit_code_is_that_of_the_bad_end() {
    let copy = Copy::new();
    copy.edit(RAW, "disk: vda, offset: 0", "disk: vba, offset: 0");
    let mut command = backup_tck();
    command.args(["run", "--fail-fast", "--jobs", "1"]);
    let text = told(command.current_dir(&copy.0));
    assert!(text.starts_with("exit 3"), "{text}");
    assert!(
        text.contains("0 passed, 0 failed, 1 broken, 1 not-run"),
        "{text}"
    );
}

#[test]
fn a_good_run_does_not_stop() {
    let copy = Copy::new();
    let mut command = backup_tck();
    command.args(["run", "--fail-fast", "--jobs", "1"]);
    let text = told(command.current_dir(&copy.0));
    assert!(text.contains("2 passed, 0 failed  in"), "{text}");
}

#[test]
fn without_it_a_run_goes_on() {
    let copy = Copy::new();
    copy.edit(RAW, "fix-request", "treat-as-done");
    let mut command = backup_tck();
    let text = told(command.args(["run", "--jobs", "1"]).current_dir(&copy.0));
    assert!(text.contains("1 passed, 1 failed  in"), "{text}");
}

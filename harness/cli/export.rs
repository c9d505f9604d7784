//! The suite copied out of the binary.

use std::fs;

use backup_tck::suite::Suite;

use super::suite::Copy;
use super::{backup_tck, code, told};

#[test]
fn what_is_copied_out_runs() {
    let place = tempfile::tempdir().unwrap();
    let mut command = backup_tck();
    command.args(["export", "mine"]).current_dir(&place);
    let text = told(&mut command);
    let files = Suite::Embedded.files().unwrap().len();
    let cases = Suite::Embedded.cases().unwrap().len();
    let first = format!("{files} scenario files and {cases} snapshots are now in mine\n");
    assert!(
        text.starts_with("exit 0") && text.contains(&first),
        "{text}"
    );
    let copy = place.path().join("mine");
    assert_eq!(code(backup_tck().arg("run").current_dir(&copy)), 0);
    // It is the copy that ran.
    fs::remove_dir_all(copy.join("snapshots/seed")).unwrap();
    assert_eq!(code(backup_tck().arg("run").current_dir(&copy)), 1);
}

#[test]
fn a_folder_that_is_not_empty_is_kept() {
    let copy = Copy::new();
    copy.edit(
        "scenarios/seed/checkpoint-on-raw-disk-refused.yaml",
        "fix-request",
        "treat-as-done",
    );
    let export = |force: &[&str]| {
        let mut command = backup_tck();
        command
            .args(["export", "."])
            .args(force)
            .current_dir(&copy.0);
        told(&mut command)
    };
    insta::assert_snapshot!(export(&[]));
    let run = || code(backup_tck().arg("run").current_dir(&copy.0));
    assert_eq!(run(), 1, "the edit is still there");
    assert!(export(&["--force"]).starts_with("exit 0"));
    assert_eq!(run(), 0);
}

#[test]
fn another_suite_can_be_copied() {
    let (copy, place) = (Copy::new(), tempfile::tempdir().unwrap());
    fs::remove_file(
        copy.0
            .path()
            .join("scenarios/seed/checkpoint-on-raw-disk-refused.yaml"),
    )
    .unwrap();
    let target = place.path().join("target");
    let mut command = backup_tck();
    command
        .arg("export")
        .arg(&target)
        .arg("--suite")
        .arg(copy.0.path());
    let text = told(&mut command);
    assert!(
        text.contains("1 scenario file and 1 snapshot are"),
        "{text}"
    );
}

#[test]
fn a_place_that_cannot_be_written_is_told() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("file"), "").unwrap();
    for (folder, code) in [("file", "exit 2"), ("file/below", "exit 3")] {
        let mut command = backup_tck();
        command.args(["export", folder]).current_dir(&place);
        let text = told(&mut command);
        assert!(text.starts_with(code) && text.contains(folder), "{text}");
    }
    assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
}

/// A limit of file sizes stands for a disk that runs full half way.
#[cfg(unix)]
#[test]
fn a_write_that_fails_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let binary = backup_tck();
    let script = "trap '' XFSZ; ulimit -f 2; exec \"$0\" export new";
    let mut command = std::process::Command::new("bash");
    command.args(["-c", script]).arg(binary.get_program());
    let text = told(command.current_dir(&place));
    assert!(
        text.starts_with("exit 3") && text.contains("cannot write new/s"),
        "{text}"
    );
    assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
}

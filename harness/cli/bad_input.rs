//! Corrupt snapshots, full disks, readers that go away.

use std::fs::OpenOptions;
use std::process::Stdio;

use super::suite::Copy;
use super::{backup_tck, code, told};

const SNAPSHOT: &str = "snapshots/seed/checkpoint-on-raw-disk-refused.snap";

#[test]
fn a_corrupt_snapshot_is_named() {
    let copy = Copy::new();
    copy.edit(SNAPSHOT, "---\n", "");
    insta::assert_snapshot!(told(backup_tck().args(["run", "raw"]).current_dir(&copy.0)));
}

#[test]
fn a_missing_snapshot_is_no_pass() {
    let copy = Copy::new();
    std::fs::remove_file(copy.0.path().join(SNAPSHOT)).unwrap();
    assert_eq!(
        code(backup_tck().args(["run", "raw"]).current_dir(&copy.0)),
        1
    );
}

#[test]
fn the_mock_leaves_no_pending_file() {
    let copy = Copy::new();
    copy.edit(SNAPSHOT, "domain 10 QEMU", "domain 20 DOMAIN");
    assert_eq!(
        code(backup_tck().args(["run", "raw"]).current_dir(&copy.0)),
        1
    );
    assert!(!copy.exists(&format!("{SNAPSHOT}.new")));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = backup_tck().arg("run").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("cannot write to standard output"),
        "{stderr}"
    );
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let mut child = backup_tck()
        .arg("run")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

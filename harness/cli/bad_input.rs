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
    for arguments in [&["check"][..], &["check", "raw"]] {
        let text = told(backup_tck().args(arguments).current_dir(&copy.0));
        let file = format!("{SNAPSHOT} has no head");
        assert!(text.starts_with("exit 3") && text.contains(&file), "{text}");
    }
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

#[test]
fn a_scenario_out_of_place_is_told() {
    for place in ["scenarios/top.yaml", "scenarios/seed/deeper/x.yaml"] {
        let copy = Copy::new();
        let path = copy.0.path().join(place);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "format: 1\n").unwrap();
        let text = told(backup_tck().arg("run").current_dir(&copy.0));
        assert!(text.starts_with("exit 2") && text.contains(place), "{text}");
    }
}

#[test]
fn a_file_that_would_never_be_found_is_told() {
    for name in ["x.yml", "x.YAML"] {
        let copy = Copy::new();
        std::fs::write(copy.0.path().join("scenarios/seed").join(name), "").unwrap();
        let text = told(backup_tck().arg("run").current_dir(&copy.0));
        assert!(
            text.starts_with("exit 2") && text.contains("ends with .yaml"),
            "{text}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
    let copy = Copy::new();
    let pipe = copy.0.path().join("scenarios/seed/pipe.yaml");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let text = told(backup_tck().arg("check").current_dir(&copy.0));
    assert!(
        text.starts_with("exit 3") && text.contains("it is no file"),
        "{text}"
    );
}

#[test]
fn a_file_that_is_no_text_is_broken_and_the_others_run() {
    let copy = Copy::new();
    std::fs::write(
        copy.0.path().join("scenarios/seed/binary.yaml"),
        [0xFF, 0xFE, 0],
    )
    .unwrap();
    let text = told(backup_tck().arg("run").current_dir(&copy.0));
    assert!(
        text.starts_with("exit 3") && text.contains("2 passed, 0 failed, 1 broken"),
        "{text}"
    );
}

#[test]
fn areas_with_a_dot_stay_apart() {
    let copy = Copy::new();
    for area in ["v1.2", "v1.3"] {
        let folder = copy.0.path().join("scenarios").join(area);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("x.yaml"), "").unwrap();
    }
    let text = told(
        backup_tck()
            .args(["list", "--names", "v1"])
            .current_dir(&copy.0),
    );
    assert!(text.contains("v1.2/x\nv1.3/x"), "{text}");
}

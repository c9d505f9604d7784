//! `check`, `format` and `list --unsupported` on files that are not what they should be.

use std::fs;

use super::suite::Copy;
use super::{backup_tck, code, told};

/// A file in a folder of its own, and what `check` tells about it.
fn check(content: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("case.yaml"), content).unwrap();
    told(
        backup_tck()
            .args(["check", "case.yaml"])
            .current_dir(&folder),
    )
}

#[test]
fn problems_of_all_files_are_told_together() {
    let copy = Copy::new();
    copy.edit(
        "scenarios/seed/checkpoint-on-raw-disk-refused.yaml",
        "disk: vdb",
        "disk: vdc",
    );
    copy.edit(
        "scenarios/seed/redefine-validate-after-image-recreated.yaml",
        "- start",
        "- strat",
    );
    let text = told(backup_tck().arg("check").current_dir(&copy.0));
    insta::assert_snapshot!(text);
}

#[test]
fn problems_are_lines_of_json_for_other_tools() {
    let copy = Copy::new();
    copy.edit(
        "scenarios/seed/checkpoint-on-raw-disk-refused.yaml",
        "disk: vdb",
        "disk: vdc",
    );
    insta::assert_snapshot!(told(
        backup_tck()
            .args(["check", "--format", "json", "raw"])
            .current_dir(&copy.0)
    ));
}

#[test]
fn an_empty_file_is_told() {
    insta::assert_snapshot!(check(b""));
    assert!(check(b"# nothing but this\n").contains("scenario::"));
}

#[test]
fn a_large_file_is_not_read_to_its_end() {
    let text = check("a".repeat(10_000_000).as_bytes());
    assert!(
        text.starts_with("exit 3") && text.contains("larger than 1M"),
        "{text}"
    );
    assert!(text.len() < 1000, "{}", text.len());
}

#[test]
fn a_binary_file_is_told() {
    let text = check(&[0x7F, b'E', b'L', b'F', 0xFF, 0xFE]);
    assert!(
        text.contains("scenario::unreadable") && text.contains("UTF-8"),
        "{text}"
    );
}

#[test]
fn nesting_without_end_is_told() {
    let text = check(format!("format: {}", "[".repeat(100_000)).as_bytes());
    assert!(
        text.starts_with("exit 3") && text.contains("scenario::"),
        "{text}"
    );
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let text = told(backup_tck().args(["check", "no/such.yaml"]));
    assert!(
        text.starts_with("exit 3") && text.contains("No such file"),
        "{text}"
    );
}

#[test]
fn a_folder_without_scenarios_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let suite = folder.path().to_str().unwrap();
    let text = told(backup_tck().args(["check", "--suite", suite]));
    assert!(
        text.starts_with("exit 2") && text.contains("holds no `scenarios` folder"),
        "{text}"
    );
    fs::create_dir(folder.path().join("scenarios")).unwrap();
    for command in ["check", "format", "run", "list"] {
        let text = told(backup_tck().args([command, "--suite", suite]));
        assert!(
            text.starts_with("exit 5") && text.contains("holds no scenario"),
            "{text}"
        );
    }
    assert_eq!(code(backup_tck().args(["check", suite])), 2);
}

#[test]
fn a_snapshot_without_a_scenario_is_told() {
    let copy = Copy::new();
    fs::write(copy.0.path().join("snapshots/seed/gone.snap"), "---\n---\n").unwrap();
    insta::assert_snapshot!(told(backup_tck().arg("check").current_dir(&copy.0)));
}

#[test]
fn a_scenario_without_a_snapshot_is_told_and_sound() {
    let copy = Copy::new();
    let snapshot = "snapshots/seed/checkpoint-on-raw-disk-refused.snap";
    fs::remove_file(copy.0.path().join(snapshot)).unwrap();
    let file = "scenarios/seed/checkpoint-on-raw-disk-refused.yaml";
    for arguments in [&["check"][..], &["check", "raw"], &["check", file]] {
        let text = told(backup_tck().args(arguments).current_dir(&copy.0));
        assert!(
            text.starts_with("exit 0") && text.contains("has no snapshot yet"),
            "{text}"
        );
    }
}

#[test]
fn format_changes_what_is_not_canonical_and_nothing_else() {
    let copy = Copy::new();
    let file = "scenarios/seed/checkpoint-on-raw-disk-refused.yaml";
    let canonical = fs::read_to_string(copy.0.path().join(file)).unwrap();
    copy.edit(
        file,
        "{ format: raw, size: 16M }",
        "{size: 16384K,   format: raw}  # why",
    );
    let run = |arguments: &[&str]| told(backup_tck().args(arguments).current_dir(&copy.0));
    insta::assert_snapshot!(run(&["format", "--check"]));
    assert!(run(&["format"]).starts_with("exit 0"));
    let formatted = fs::read_to_string(copy.0.path().join(file)).unwrap();
    assert_eq!(formatted.replace("  # why", ""), canonical);
    assert!(run(&["format", "--check"]).starts_with("exit 0"));
}

#[test]
fn format_leaves_a_file_with_problems_as_it_is() {
    let copy = Copy::new();
    let file = "scenarios/seed/checkpoint-on-raw-disk-refused.yaml";
    copy.edit(file, "format: raw", "format: rwa");
    let before = fs::read_to_string(copy.0.path().join(file)).unwrap();
    let text = told(backup_tck().args(["format", "raw"]).current_dir(&copy.0));
    assert!(
        text.starts_with("exit 3") && text.contains("unknown_format"),
        "{text}"
    );
    assert_eq!(
        fs::read_to_string(copy.0.path().join(file)).unwrap(),
        before
    );
}

#[cfg(unix)]
#[test]
fn format_keeps_links_modes_and_owners() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
    let copy = Copy::new();
    let file = "scenarios/seed/checkpoint-on-raw-disk-refused.yaml";
    let path = copy.0.path().join(file);
    let canonical = fs::read_to_string(&path).unwrap();
    let link = copy.0.path().join("link.yaml");
    symlink(file, &link).unwrap();
    copy.edit(file, "format: 1", "format:   1");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
    let run = || {
        told(
            backup_tck()
                .args(["format", "link.yaml"])
                .current_dir(&copy.0),
        )
    };
    let text = run();
    assert!(
        text.starts_with("exit 3") && text.contains("read-only"),
        "{text}"
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    // Works for root alone.
    let _ = chown(&path, Some(65534), Some(65534));
    let before = fs::metadata(&path).unwrap();
    let text = run();
    assert!(text.starts_with("exit 0"), "{text}");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&path).unwrap(), canonical);
    let after = fs::metadata(&path).unwrap();
    assert_eq!(
        (after.mode(), after.uid(), after.gid()),
        (before.mode(), before.uid(), before.gid())
    );
}

#[cfg(target_os = "linux")]
#[test]
fn format_leaves_a_file_that_cannot_be_replaced() {
    // Nobody, root included, makes files in there.
    let text = told(backup_tck().args(["format", "/proc/version.yaml"]));
    assert!(text.starts_with("exit 3"), "{text}");
}

#[test]
fn what_no_driver_can_execute_is_broken_and_listed() {
    let copy = Copy::new();
    let file = "scenarios/seed/checkpoint-on-raw-disk-refused.yaml";
    copy.edit(
        file,
        "vda: { format: qcow2,",
        "vda: { format: qcow2, cluster-size: 1M,",
    );
    assert_eq!(
        code(backup_tck().args(["check", "raw"]).current_dir(&copy.0)),
        0
    );
    insta::assert_snapshot!(told(
        backup_tck()
            .args(["list", "--unsupported"])
            .current_dir(&copy.0)
    ));
    insta::assert_snapshot!(told(backup_tck().args(["run", "raw"]).current_dir(&copy.0)));
}

#[test]
fn what_does_not_apply_is_skipped_with_its_reason() {
    let copy = Copy::new();
    let file = "scenarios/seed/checkpoint-on-raw-disk-refused.yaml";
    copy.edit(file, "disks:\n  vda", "until: 9.0\ndisks:\n  vda");
    insta::assert_snapshot!(told(backup_tck().args(["run", "raw"]).current_dir(&copy.0)));
}

#[test]
fn a_matrix_makes_scenarios_of_their_own() {
    let copy = Copy::new();
    let file = "scenarios/seed/checkpoint-on-raw-disk-refused.yaml";
    let matrix =
        "matrix:\n  version:\n    old: { until: 9.0 }\n    new: { since: 9.1 }\n\ndisks:\n  vda";
    copy.edit(file, "disks:\n  vda", matrix);
    insta::assert_snapshot!(told(
        backup_tck().args(["list", "--names"]).current_dir(&copy.0)
    ));
    insta::assert_snapshot!(told(
        backup_tck()
            .args(["run", "raw", "--jobs", "1"])
            .current_dir(&copy.0)
    ));
}

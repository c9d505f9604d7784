//! What selects scenarios beside their names.

use super::suite::Copy;
use super::{backup_tck, code, told};

const RAW: &str = "seed/checkpoint-on-raw-disk-refused";
const REDEFINE: &str = "seed/redefine-validate-after-image-recreated";

/// The names that these arguments select.
fn names(copy: &Copy, arguments: &[&str]) -> Vec<String> {
    let mut command = backup_tck();
    command.args(["list", "--names"]).args(arguments);
    let text = told(command.current_dir(&copy.0));
    let stdout = text.split("-- stdout\n").nth(1).unwrap();
    let stdout = stdout.split("-- stderr").next().unwrap();
    stdout.lines().map(str::to_owned).collect()
}

#[test]
fn values_of_one_flag_add_up_and_flags_narrow() {
    let copy = Copy::new();
    for (arguments, expected) in [
        (&["--area", "seed"][..], &[RAW, REDEFINE][..]),
        (&["--code", "VIR_ERR_CONFIG_UNSUPPORTED"], &[RAW]),
        (&["--code", "config_unsupported"], &[RAW]),
        (&["--code", "109"], &[REDEFINE]),
        (&["--code", "109", "--code", "67"], &[RAW, REDEFINE]),
        (&["--decision", "fix-request"], &[RAW]),
        (&["--reference", "1874846"], &[RAW, REDEFINE]),
        (&["--reference", "#c8"], &[REDEFINE]),
        (&["--code", "109", "--decision", "fix-request"], &[]),
        (&["--area", "seed", "--code", "67", "raw"], &[RAW]),
        (&["raw", "--code", "109"], &[]),
    ] {
        assert_eq!(names(&copy, arguments), expected, "{arguments:?}");
    }
}

#[test]
fn run_and_bless_take_the_same_filters() {
    let copy = Copy::new();
    let mut command = backup_tck();
    command.args(["run", "--code", "109"]);
    let text = told(command.current_dir(&copy.0));
    assert!(text.contains("1 passed, 0 failed"), "{text}");
    let text = told(
        backup_tck()
            .args(["bless", "--code", "42", "--driver", "embed"])
            .current_dir(&copy.0),
    );
    // Without real libvirt, that is what counts.
    assert!(
        text.starts_with("exit 5") || text.starts_with("exit 6"),
        "{text}"
    );
}

#[test]
fn the_filter_that_leaves_nothing_is_named() {
    let copy = Copy::new();
    for arguments in [
        &["--area", "sed"][..],
        &["--code", "VIR_ERR_NO_DOMAIN", "--code", "8"],
        &["raw", "--code", "109"],
        &["--code", "109", "--decision", "fix-request"],
        &["--reference", "1874847"],
        &["nothing", "--code", "109"],
    ] {
        let mut command = backup_tck();
        command.arg("run").args(arguments);
        let text = told(command.current_dir(&copy.0));
        insta::assert_snapshot!(text);
    }
}

#[test]
fn an_unknown_code_or_decision_is_wrong_usage() {
    insta::assert_snapshot!(told(backup_tck().args([
        "list",
        "--code",
        "CHECKPOINT_INCONSISTANT"
    ])));
    insta::assert_snapshot!(told(backup_tck().args([
        "list",
        "--decision",
        "full-backup-newchain"
    ])));
    for arguments in [
        &["--code", "4711"][..],
        &["--code", ""],
        &["--area", ""],
        &["--reference", ""],
    ] {
        assert_eq!(
            code(backup_tck().arg("list").args(arguments)),
            2,
            "{arguments:?}"
        );
    }
}

#[test]
fn a_scenario_that_cannot_be_read_is_told_and_not_hidden() {
    let copy = Copy::new();
    let raw = format!("scenarios/{RAW}.yaml");
    copy.edit(&raw, "disk: vda, offset: 0", "disk: vba, offset: 0");
    let mut command = backup_tck();
    command.args(["list", "--names", "--area", "seed", "--code", "109"]);
    insta::assert_snapshot!(told(command.current_dir(&copy.0)));
    // By name it is still found.
    assert_eq!(
        code(backup_tck().args(["run", "raw"]).current_dir(&copy.0)),
        3
    );
}

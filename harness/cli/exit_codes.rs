//! Every documented exit code that the mock can reach.

use std::fs;

use super::suite::Copy;
use super::{backup_tck, code, told};

const RAW: &str = "scenarios/seed/checkpoint-on-raw-disk-refused.yaml";

#[test]
fn all_as_expected_is_0() {
    let copy = Copy::new();
    insta::assert_snapshot!(told(
        backup_tck()
            .args(["run", "--jobs", "1"])
            .current_dir(&copy.0)
    ));
}

#[test]
fn the_embedded_suite_serves_outside_a_checkout() {
    let elsewhere = tempfile::tempdir().unwrap();
    let text = told(backup_tck().arg("run").current_dir(&elsewhere));
    assert!(text.starts_with("exit 0"), "{text}");
    let first = " scenarios of the suite inside this binary on mock, ";
    assert!(text.contains(first), "{text}");
}

#[test]
fn a_suite_without_snapshots_is_not_passed_over() {
    let copy = Copy::new();
    fs::remove_dir_all(copy.0.path().join("snapshots")).unwrap();
    let below = copy.0.path().join("scenarios/seed");
    for folder in [copy.0.path(), &below] {
        let text = told(backup_tck().arg("run").current_dir(folder));
        assert!(text.starts_with("exit 1"), "{text}");
        assert!(text.contains("no snapshot was recorded"), "{text}");
    }
}

#[test]
fn a_failed_check_is_1_and_all_checks_are_told() {
    let copy = Copy::new();
    copy.edit(RAW, "VIR_ERR_CONFIG_UNSUPPORTED", "VIR_ERR_INVALID_ARG");
    copy.edit(RAW, "storage type raw", "storage type qed");
    insta::assert_snapshot!(told(backup_tck().args(["run", "raw"]).current_dir(&copy.0)));
}

#[test]
fn a_changed_answer_is_1_with_a_diff() {
    let copy = Copy::new();
    let snapshot = "snapshots/seed/checkpoint-on-raw-disk-refused.snap";
    copy.edit(snapshot, "domain 10 QEMU", "domain 69 DOMAIN_CHECKPOINT");
    insta::assert_snapshot!(told(backup_tck().args(["run", "raw"]).current_dir(&copy.0)));
}

#[test]
fn wrong_usage_is_2() {
    for arguments in [
        &["run", "--driver", "mocc"][..],
        &["run", "--jobs", "0"],
        &["run", "--timeout", "-1"],
        &["run", "[a"],
        &["nonsense"],
        &[],
        &["run", "--suite", "no/such/folder"],
    ] {
        assert_eq!(code(backup_tck().args(arguments)), 2, "{arguments:?}");
    }
}

#[test]
fn a_broken_scenario_is_3_and_the_others_run() {
    let copy = Copy::new();
    copy.edit(RAW, "disk: vda, offset: 0", "disk: vba, offset: 0");
    insta::assert_snapshot!(told(
        backup_tck()
            .args(["run", "--jobs", "1"])
            .current_dir(&copy.0)
    ));
}

#[test]
fn what_the_mock_has_no_rule_for_is_3() {
    let copy = Copy::new();
    copy.edit(
        RAW,
        "  - start\n",
        "  - start\n  - call: { api: virDomainManagedSave }\n",
    );
    insta::assert_snapshot!(told(backup_tck().args(["run", "raw"]).current_dir(&copy.0)));
}

#[test]
fn nothing_selected_is_5() {
    insta::assert_snapshot!(told(backup_tck().args(["run", "sed/raw"])));
}

#[test]
fn an_unknown_version_of_the_mock_is_6() {
    insta::assert_snapshot!(told(backup_tck().args(["run", "--driver", "mock@4.2"])));
}

#[cfg(not(feature = "libvirt"))]
#[test]
fn a_real_driver_in_a_build_without_is_6() {
    insta::assert_snapshot!(told(backup_tck().args(["run", "--driver", "embed"])));
}

#[test]
fn an_unusable_driver_outranks_an_empty_selection() {
    assert_eq!(
        code(backup_tck().args(["run", "zzz", "--driver", "mock@4.2"])),
        6
    );
    assert_eq!(
        code(backup_tck().args(["run", "[a", "--driver", "mock@4.2"])),
        2
    );
}

#[test]
fn a_pattern_that_matches_nothing_is_told() {
    let text = told(backup_tck().args(["run", "raw", "no/such"]));
    assert!(
        text.contains("warning: no scenario matches `no/such`"),
        "{text}"
    );
}

#[test]
fn a_path_selects_its_scenario() {
    let copy = Copy::new();
    for path in [
        RAW.to_owned(),
        format!("./{RAW}"),
        copy.0.path().join(RAW).display().to_string(),
    ] {
        assert_eq!(
            code(backup_tck().args(["list", &path]).current_dir(&copy.0)),
            0,
            "{path}"
        );
    }
}

#[test]
fn broken_wins_over_failed() {
    let copy = Copy::new();
    copy.edit(RAW, "disk: vda, offset: 0", "disk: vba, offset: 0");
    let other = "scenarios/seed/redefine-validate-after-image-recreated.yaml";
    copy.edit(other, "full-backup-new-chain", "treat-as-done");
    assert_eq!(code(backup_tck().arg("run").current_dir(&copy.0)), 3);
    fs::remove_file(copy.0.path().join(RAW)).unwrap();
    assert_eq!(code(backup_tck().arg("run").current_dir(&copy.0)), 1);
}

//! What words mean, as the command tells it.

use super::suite::Copy;
use super::{backup_tck, code, told};

#[test]
fn a_page_of_each_kind() {
    let copy = Copy::new();
    for (name, topic) in [
        ("explain_code", "109"),
        ("explain_decision", "full-backup-new-chain"),
        ("explain_clean_up", "purge-stale-bitmap-live"),
        ("explain_category", "unrecoverable"),
        ("explain_clean_up_of_a_job", "clear-stuck-backup-job"),
        ("explain_code_by_function", "103"),
        ("explain_rule", "B1-other-base"),
        ("explain_rule_of_a_snapshot", "B27"),
        ("explain_rule_that_reads", "B14"),
        ("explain_probe", "bitmap-health"),
        ("explain_probe_with_a_namesake", "server"),
        ("explain_problem", "scenario::unknown_dump"),
        ("explain_scenario", "raw-disk"),
    ] {
        let mut command = backup_tck();
        command.args(["explain", topic]).current_dir(&copy.0);
        insta::assert_snapshot!(name, told(&mut command));
    }
}

#[test]
fn a_code_has_three_names() {
    let by_number = told(backup_tck().args(["explain", "67"]));
    assert!(by_number.contains("seed/checkpoint-on-raw-disk-refused"));
    for name in ["VIR_ERR_CONFIG_UNSUPPORTED", "config_unsupported"] {
        assert_eq!(told(backup_tck().args(["explain", name])), by_number);
    }
}

#[test]
fn every_topic_of_the_list_is_one() {
    let list = told(backup_tck().args(["explain", "--list"]));
    assert!(list.starts_with("exit 0"), "{list}");
    for topic in [
        "treat-as-done",
        "scenario::yaml",
        "109 VIR_ERR_",
        "B5a",
        "\n  bitmap-health\n",
    ] {
        assert!(list.contains(topic), "{topic} is missing: {list}");
    }
}

#[test]
fn an_unknown_topic_is_wrong_usage_with_the_nearest_ones() {
    let copy = Copy::new();
    for topic in ["full-backup-newchain", "seed/", "bitmap-helth"] {
        let mut command = backup_tck();
        command.args(["explain", topic]).current_dir(&copy.0);
        insta::assert_snapshot!(told(&mut command));
    }
    assert_eq!(code(backup_tck().arg("explain")), 2);
    assert_eq!(code(backup_tck().args(["explain", ""])), 2);
}

#[test]
fn every_decision_and_clean_up_has_its_page_as_a_whole() {
    for topic in [
        "fix-request",
        "retry-after-job-ends",
        "change-domain-state-then-retry",
        "restore-environment-then-retry",
        "redefine-missing-checkpoints-then-retry",
        "incremental-from-other-good-checkpoint",
        "full-for-affected-disks",
        "treat-as-done",
        "investigate-escalate",
        "discard-uncommitted-checkpoint",
        "drop-checkpoint-metadata",
        "purge-stale-bitmap-offline",
    ] {
        let text = told(backup_tck().args(["explain", topic]));
        // Rules and scenarios come and go; the author's words are what is looked at here.
        let words = text.split("\nrules that come to it").next().unwrap();
        insta::assert_snapshot!(format!("explain_{topic}"), words);
    }
}

/// What a snapshot says of the judge, its rule's page says of the snapshot.
#[test]
fn rules_and_snapshots_refer_to_each_other() {
    let copy = Copy::new();
    let page = |rule| {
        let mut command = backup_tck();
        told(command.args(["explain", rule]).current_dir(&copy.0))
    };
    let name = "seed/checkpoint-on-raw-disk-refused";
    assert!(page("B27").contains(name));
    assert!(!page("B29").contains(name));
    let snapshot = format!("snapshots/{name}.snap");
    copy.edit(&snapshot, "because   B27:", "because   B29:");
    assert!(!page("B27").contains(name));
    assert!(page("B29").contains(name));
}

#[test]
fn a_broken_scenario_is_left_out_and_told() {
    let copy = Copy::new();
    let raw = "scenarios/seed/checkpoint-on-raw-disk-refused.yaml";
    copy.edit(raw, "disk: vda, offset: 0", "disk: vba, offset: 0");
    let text = told(
        backup_tck()
            .args(["explain", "fix-request"])
            .current_dir(&copy.0),
    );
    assert!(text.starts_with("exit 0"), "{text}");
    assert!(
        text.contains("has 1 problem and is left out") && text.contains("none yet"),
        "{text}"
    );
}

//! What failed in a recorded run, as `explain` tells it.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::reports::{EVERY_OUTCOME, mixed};
use super::suite::Copy;
use super::{backup_tck, code, told};

const RAW: &str = "scenarios/seed/checkpoint-on-raw-disk-refused.yaml";
const REDEFINE: &str = "scenarios/seed/redefine-validate-after-image-recreated.yaml";

/// Records a run of the copy and explains it.
fn explained(copy: &Copy, run: &[&str]) -> String {
    let mut command = backup_tck();
    command.args(["run", "--jobs", "1", "--record", "run.jsonl"]);
    code(command.args(run).current_dir(&copy.0));
    explain(copy.0.path(), &["run.jsonl"])
}

fn explain(folder: &Path, arguments: &[&str]) -> String {
    let mut command = backup_tck();
    told(command.arg("explain").args(arguments).current_dir(folder))
}

/// A record with other content, in a folder of its own.
fn altered(alter: impl FnOnce(String) -> String) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let text = alter(fs::read_to_string(EVERY_OUTCOME).unwrap());
    fs::write(folder.path().join("run.jsonl"), text).unwrap();
    let text = explain(folder.path(), &["run.jsonl"]);
    (folder, text)
}

#[track_caller]
fn assert_narrow(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn another_decision_than_the_expected_one() {
    let copy = Copy::new();
    copy.edit(RAW, "decision: fix-request", "decision: treat-as-done");
    let text = explained(&copy, &[]);
    assert_narrow(&text);
    insta::assert_snapshot!(text);
}

#[test]
fn a_claim_that_does_not_hold() {
    let copy = Copy::new();
    // The corrected request is as wrong as the refused one.
    let good = "vda: { target: push_full_backup.img, driver: qcow2 }\n        \
                checkpoint: { name: cp0, description: cp0, disks: [vda] }";
    copy.edit(RAW, good, &good.replace("vda", "vdb"));
    let text = explained(&copy, &["raw"]);
    assert_narrow(&text);
    insta::assert_snapshot!(text);
}

#[test]
fn what_the_judge_asked_and_what_changed() {
    let copy = Copy::new();
    let snapshot = "snapshots/seed/redefine-validate-after-image-recreated.snap";
    copy.edit(snapshot, "domain 10 QEMU", "domain 69 DOMAIN_CHECKPOINT");
    copy.edit(REDEFINE, "full-backup-new-chain", "treat-as-done");
    let text = explained(&copy, &["redefine"]);
    assert_narrow(&text);
    insta::assert_snapshot!(text);
}

#[test]
fn every_outcome() {
    let (_folder, text) = altered(|text| text);
    assert!(text.starts_with("exit 130"), "{text}");
    assert_narrow(&text);
    insta::assert_snapshot!(text);
}

/// What a page says to look at next is there to be looked at.
#[test]
fn the_commands_of_a_page_are_no_wrong_usage() {
    let copy = mixed();
    let text = explained(&copy, &[]);
    let commands = text
        .lines()
        .filter_map(|line| line.strip_prefix("  - backup-tck "));
    let mut count = 0;
    for command in commands {
        let arguments = command.split(' ');
        let ended = code(backup_tck().args(arguments).current_dir(&copy.0));
        // A run of what failed fails again.
        assert!([0, 1, 3].contains(&ended), "{command} ended with {ended}");
        count += 1;
    }
    assert!(count > 5, "{text}");
}

#[test]
fn both_ways_to_name_a_record_tell_the_same() {
    let copy = mixed();
    let text = explained(&copy, &[]);
    assert!(text.starts_with("exit 0"), "{text}");
    assert_eq!(explain(copy.0.path(), &["--record", "run.jsonl"]), text);
    fs::rename(copy.0.path().join("run.jsonl"), copy.0.path().join("run")).unwrap();
    let by_option = explain(copy.0.path(), &["--record", "run"]);
    assert_eq!(by_option.replace("run: ", "run.jsonl: "), text);
    let told = explain(copy.0.path(), &["run"]);
    assert!(told.starts_with("exit 2"), "{told}");
    assert!(told.contains("backup-tck explain --record run\n"), "{told}");
}

#[test]
fn a_run_without_a_failure_says_so() {
    let copy = Copy::new();
    insta::assert_snapshot!(explained(&copy, &[]));
}

#[test]
fn of_the_last_run_only_names_are_kept() {
    let text = told(backup_tck().args(["explain", "--failed"]));
    assert!(text.starts_with("exit 2"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn a_record_without_its_end_is_told_as_far_as_it_goes() {
    // In the middle of the line about the scenario `two/hangs`.
    let cut = |text: String| text[..text.rfind("await-backup").unwrap()].to_owned();
    let (_folder, text) = altered(cut);
    assert!(text.starts_with("exit 130"), "{text}");
    assert!(text.contains("run.jsonl ends before its run did"), "{text}");
    assert!(text.contains("one/fails: failed"), "{text}");
    assert!(!text.contains("two/hangs"), "{text}");
}

#[test]
fn what_is_no_record_of_this_format_is_2() {
    let damage = |text: String| text.replacen(r#""result":"timed-out""#, r#""result":"late""#, 1);
    let other = |text: String| text.replacen(r#""format":1"#, r#""format":2"#, 1);
    let (_folder, damaged) = altered(damage);
    let (_folder, other) = altered(other);
    let (_folder, none) = altered(|_| "<testsuites/>\n".to_owned());
    let missing = told(backup_tck().args(["explain", "no/such.jsonl"]));
    for (text, part) in [
        (damaged, "is no event of a run"),
        (
            other,
            "is a record of format 2, and this build reads format 1",
        ),
        (none, "is no recorded run"),
        (missing, "error: cannot read no/such.jsonl: "),
    ] {
        assert!(text.starts_with("exit 2\n-- stdout\n-- stderr"), "{text}");
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_record_and_a_topic_exclude_each_other() {
    for arguments in [
        &["explain", "109", "--record", EVERY_OUTCOME][..],
        &["explain", "--list", "--record", EVERY_OUTCOME],
        &["explain", "109", "--failed"],
        &["explain", "--record"],
    ] {
        assert_eq!(code(backup_tck().args(arguments)), 2, "{arguments:?}");
    }
}

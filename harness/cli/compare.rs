//! Two recorded runs against each other.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::reports::{EVERY_OUTCOME, offences};
use super::suite::Copy;
use super::{backup_tck, code, told};

/// Two records in a folder, `a.jsonl` and `b.jsonl`, the second one altered.
struct Records(TempDir);

impl Records {
    fn new(alter: impl FnOnce(&mut Vec<Value>)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = fs::read_to_string(EVERY_OUTCOME).unwrap();
        // The run was interrupted; these two are of runs that were not.
        let mut lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        lines.retain(|line| line["name"] != "two/is-interrupted");
        let end = lines.last_mut().unwrap();
        (end["stopped"], end["interrupted"]) = (json!(false), json!(0));
        write(&folder, "a.jsonl", &lines);
        alter(&mut lines);
        write(&folder, "b.jsonl", &lines);
        Self(folder)
    }

    fn compare(&self, arguments: &[&str]) -> Command {
        let mut command = backup_tck();
        command
            .args(["compare", "a.jsonl", "b.jsonl"])
            .args(arguments)
            .current_dir(self.0.path());
        command
    }

    fn told(&self) -> String {
        told(&mut self.compare(&[]))
    }
}

fn write(folder: &TempDir, name: &str, lines: &[Value]) {
    let lines: Vec<String> = lines.iter().map(|line| line.to_string() + "\n").collect();
    fs::write(folder.path().join(name), lines.concat()).unwrap();
}

/// The line about the end of a scenario.
fn end_of<'a>(lines: &'a mut [Value], name: &str) -> &'a mut Value {
    let is_it = |line: &&mut Value| line["event"] == "scenario-finished" && line["name"] == name;
    lines.iter_mut().find(is_it).unwrap()
}

/// A run in which everything that can change has changed.
fn everything() -> Records {
    Records::new(|lines| {
        let passes = end_of(lines, "one/passes");
        let refusal = &mut passes["transcript"]["when"]["exchange"]["call"]["answer"]["refused"];
        refusal["code"] = json!(109);
        refusal["domain"] = json!(20);
        refusal["message"] = json!("checkpoint inconsistent: no bitmap");
        let bitmaps = &mut passes["transcript"]["after"]["bitmaps"];
        *bitmaps = json!([{
            "disk": "vda", "layer": 0, "name": "ck1", "persistent": true, "recording": true,
            "inconsistent": true, "busy": false, "granularity": 65536, "dirty": null,
        }]);
        let proof = &mut passes["transcript"]["proof"][0];
        proof["holds"] = json!(false);
        proof["found"] = json!("byte 0 is 0x00 instead of 0xa1");
        let history = passes["transcript"]["history"].as_array_mut().unwrap();
        history.remove(1);
        end_of(lines, "one/has-no-head")["outcome"] = json!({ "result": "passed" });
        end_of(lines, "two/crashes")["outcome"]["end"] = json!("exit status 1");
        end_of(lines, "two/hangs")["outcome"] =
            json!({ "result": "broken", "reason": "no room", "problems": [] });
        end_of(lines, "two/is-skipped")["outcome"] =
            json!({ "result": "timed-out", "call": "virDomainBackupBegin" });
        lines.retain(|line| line["name"] != "two/is-broken");
        let mut new = end_of(lines, "one/has-no-head").clone();
        new["name"] = json!("three/is-new");
        lines.insert(3, new);
    })
}

#[test]
fn every_change_is_told_as_text() {
    insta::assert_snapshot!(everything().told());
}

#[test]
fn every_change_is_told_as_markdown() {
    insta::assert_snapshot!(told(&mut everything().compare(&["--format", "markdown"])));
}

#[test]
fn every_change_is_told_as_json() {
    let output = everything()
        .compare(&["--format", "json"])
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        offences("comparison", &document.to_string()),
        Vec::<String>::new()
    );
    let verdicts: Vec<&Value> = document["scenarios"]
        .as_array()
        .unwrap()
        .iter()
        .map(|compared| &compared["verdict"])
        .collect();
    let expected = [
        "still-failing",
        "fixed",
        "still-failing",
        "changed",
        "only-in-b",
        "fails-differently",
        "fails-differently",
        "still-failing",
        "only-in-a",
        "new-failure",
        "still-failing",
    ];
    assert_eq!(verdicts, expected);
    let broken = document.to_string().replace("fixed", "mended");
    assert_eq!(offences("comparison", &broken).len(), 1);
}

#[test]
fn a_run_is_as_itself() {
    let text = Records::new(|_| {}).told();
    assert!(text.starts_with("exit 0"), "{text}");
    let two = backup_tck()
        .args(["compare", EVERY_OUTCOME, EVERY_OUTCOME])
        .output()
        .unwrap();
    assert_eq!(
        two.status.code(),
        Some(130),
        "an interrupted run may hide a regression"
    );
}

#[test]
fn each_regression_alone_is_1() {
    let ends = |expected, alter: &dyn Fn(&mut Vec<Value>)| {
        let records = Records::new(|lines| alter(lines));
        let text = records.told();
        assert!(text.starts_with(&format!("exit {expected}")), "{text}");
        assert_eq!(code(&mut records.compare(&["--exit-zero"])), 0);
    };
    let failed = json!({ "result": "failed", "checks": [], "difference": null });
    ends(1, &|lines| {
        end_of(lines, "one/passes")["outcome"] = failed.clone();
    });
    ends(1, &|lines| {
        end_of(lines, "two/is-skipped")["outcome"] = failed.clone();
    });
    ends(1, &|lines| {
        end_of(lines, "two/hangs")["outcome"] = failed.clone();
    });
    ends(1, &|lines| {
        let passes = end_of(lines, "one/passes");
        passes["transcript"]["after"]["files"] = json!(["vda.qcow2"]);
    });
    ends(1, &|lines| {
        end_of(lines, "one/passes")["transcript"]["conclusion"]["rule"] = json!("B99");
    });
    // Neither better nor other, nor gone, nor only slower is worse.
    ends(0, &|lines| {
        end_of(lines, "two/hangs")["outcome"] = json!({ "result": "passed" });
    });
    ends(0, &|lines| {
        lines.retain(|line| line["name"] != "one/passes");
    });
    ends(0, &|lines| {
        end_of(lines, "one/passes")["duration_us"] = json!(1);
    });
}

#[test]
fn a_record_without_its_end_is_no_all_clear() {
    let records = Records::new(|lines| lines.truncate(lines.len() - 3));
    let text = records.told();
    assert!(text.starts_with("exit 130"), "{text}");
    assert!(
        text.contains("warning: b.jsonl ends before its run did"),
        "{text}"
    );
    assert_eq!(code(&mut records.compare(&["--exit-zero"])), 0);
}

#[test]
fn what_is_no_record_is_2() {
    let records = Records::new(|_| {});
    fs::write(records.0.path().join("b.jsonl"), "nonsense\n").unwrap();
    assert_eq!(code(&mut records.compare(&[])), 2);
    assert_eq!(code(&mut records.compare(&["--exit-zero"])), 2);
    assert_eq!(code(backup_tck().args(["compare", EVERY_OUTCOME])), 2);
    assert_eq!(
        code(backup_tck().args(["compare", EVERY_OUTCOME, "no/such"])),
        2
    );
}

#[test]
fn two_runs_of_one_suite_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for (name, jobs) in [("a.jsonl", "1"), ("b.jsonl", "2")] {
        let path = folder.path().join(name);
        let mut command = backup_tck();
        command.args(["run", "--jobs", jobs, "--record"]).arg(path);
        assert_eq!(code(&mut command), 0);
    }
    let mut command = backup_tck();
    command
        .args(["compare", "a.jsonl", "b.jsonl"])
        .current_dir(folder.path());
    assert_eq!(code(&mut command), 0);
}

#[test]
fn another_snapshot_is_told_apart_from_another_answer() {
    let copy = Copy::new();
    let record = |file: &str| {
        let mut command = backup_tck();
        command.args(["run", "raw", "--record", file]);
        code(command.current_dir(copy.0.path()))
    };
    assert_eq!(record("a.jsonl"), 0);
    let snapshot = "snapshots/seed/checkpoint-on-raw-disk-refused.snap";
    copy.edit(snapshot, "domain 10 QEMU", "domain 69 DOMAIN_CHECKPOINT");
    assert_eq!(record("b.jsonl"), 1);
    let mut command = backup_tck();
    command.args(["compare", "a.jsonl", "b.jsonl"]);
    let text = told(command.current_dir(copy.0.path()));
    assert!(text.starts_with("exit 1"), "{text}");
    for part in [
        "    same answers, another snapshot\n",
        "domain 10 QEMU",
        "domain 69 DOMAIN_CHECKPOINT",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

//! `decide`: facts in, an answer out, for programs in any language.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::backup_tck;

/// An incremental backup over a broken bitmap, and nothing asked yet.
fn facts() -> Value {
    json!({
        "api": "virDomainBackupBegin",
        "error": { "code": 109, "domain": 10, "message": "checkpoint inconsistent: some text" },
        "request": {
            "checkpoint": "tuesday",
            "disks": [{ "disk": "vda", "base": "monday" }, { "disk": "vdb", "base": "monday" }],
        },
        "records": { "verified_checkpoints": ["monday"] },
    })
}

fn bitmap(disk: &str, inconsistent: bool) -> Value {
    json!({
        "disk": disk, "layer": 0, "name": "monday", "persistent": true,
        "recording": !inconsistent, "inconsistent": inconsistent, "busy": false,
        "granularity": 65536, "dirty": 0,
    })
}

/// What each probe tells of a domain whose disk `vdb` has a broken bitmap.
fn answer(probe: &str) -> (&'static str, Value) {
    match probe {
        "domain-state" => ("domain_state", json!("running")),
        "disk-formats" => ("disk_formats", json!({ "vda": "qcow2", "vdb": "qcow2" })),
        "checkpoints" => ("checkpoints", json!({ "monday": ["vda", "vdb"] })),
        "bitmaps" => (
            "bitmaps",
            json!([bitmap("vda", false), bitmap("vdb", true)]),
        ),
        other => unreachable!("asks for {other}"),
    }
}

/// What the command prints and how it ends, with this on its standard input.
fn fed(arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut command: Command = backup_tck();
    command.arg("decide").args(arguments);
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that does not want it all has ended.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn answered(facts: &Value) -> Value {
    let (code, out, err) = fed(&[], &facts.to_string());
    assert_eq!((code, err.as_str()), (0, ""), "{facts}");
    serde_json::from_str(&out).unwrap()
}

#[test]
fn a_program_asks_until_it_is_told() {
    let mut facts = facts();
    let mut asked = Vec::new();
    let decided = loop {
        let answer_of_command = answered(&facts);
        if let Some(decided) = answer_of_command.get("decided") {
            break decided.clone();
        }
        let probe = answer_of_command["need"]["probe"]
            .as_str()
            .unwrap()
            .to_owned();
        let (field, value) = answer(&probe);
        facts["observed"][field] = value;
        asked.push(probe);
    };
    assert_eq!(
        asked,
        ["domain-state", "disk-formats", "checkpoints", "bitmaps"]
    );
    insta::assert_snapshot!(serde_json::to_string_pretty(&decided).unwrap());
}

#[test]
fn people_get_words() {
    let (_, need, _) = fed(&["--format", "text"], &facts().to_string());
    insta::assert_snapshot!("need", need);
    let mut known = facts();
    for probe in ["domain-state", "disk-formats", "checkpoints", "bitmaps"] {
        let (field, value) = answer(probe);
        known["observed"][field] = value;
    }
    let (_, decided, _) = fed(&["--format", "text"], &known.to_string());
    insta::assert_snapshot!("decided", decided);
}

#[test]
fn one_process_answers_line_by_line() {
    let unknown = json!({ "api": "virDomainBackupBegin", "error": { "code": 4711, "domain": 10 } });
    let input = format!("{}\n{{\"api\": 1}}\n\n{unknown}\n", facts());
    let (code, out, err) = fed(&["--lines"], &input);
    let lines: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(code, 2, "a line was not in the form");
    assert_eq!(lines.len(), 4, "each line has its answer");
    assert_eq!(lines[0]["need"]["probe"], "domain-state");
    assert!(lines[1]["error"].as_str().unwrap().contains("invalid type"));
    assert_eq!(lines[2]["error"], "there are no facts");
    assert_eq!(lines[3]["decided"]["decision"], "investigate-escalate");
    assert!(
        err.contains("line 2 of standard input: invalid type"),
        "{err}"
    );
}

#[test]
fn what_is_not_in_the_form_is_told_with_its_place() {
    let with = |key: &str, value: Value| {
        let mut facts = facts();
        facts[key] = value;
        facts.to_string()
    };
    let cases = [
        (String::new(), "there are no facts"),
        ("[1".to_owned(), "line 1 column 2"),
        ("{}".to_owned(), "missing field `api`"),
        (facts().to_string() + "{}", "trailing characters"),
        (
            with("reqest", json!({})),
            "unknown field `reqest`, expected one of `api`, `error`",
        ),
        (
            with("observed", json!({ "domain-state": "running" })),
            "unknown field `domain-state`",
        ),
        (
            with("observed", json!({ "domain_state": "asleep" })),
            "unknown variant `asleep`",
        ),
        (
            with("error", json!({ "code": 109 })),
            "missing field `domain`",
        ),
        (
            with("error", json!({ "code": "109", "domain": 10 })),
            "invalid type: string \"109\"",
        ),
        (
            with("request", json!({ "disks": [{ "base": "monday" }] })),
            "missing field `disk`",
        ),
        (
            with("records", json!({ "can_mix": "no" })),
            "expected a boolean",
        ),
    ];
    for (input, expected) in cases {
        let (code, out, err) = fed(&[], &input);
        assert_eq!((code, out.as_str()), (2, ""), "{input}");
        assert!(err.contains(expected), "{input}: {err}");
        assert!(err.contains("backup-tck decide --schema facts"), "{err}");
    }
    let (code, _, err) = fed(&["/nowhere/facts.json"], "");
    assert_eq!(code, 2);
    assert!(
        err.contains("cannot read the facts from /nowhere/facts.json"),
        "{err}"
    );
}

/// Contradictions, codes and functions that nobody knows: nothing is deleted, and nobody panics.
#[test]
fn facts_that_do_not_fit_are_escalated() {
    let mut contradiction = facts();
    for probe in ["domain-state", "disk-formats", "checkpoints"] {
        let (field, value) = answer(probe);
        contradiction["observed"][field] = value;
    }
    // libvirt says that a bitmap is broken, and each of them is good.
    contradiction["observed"]["bitmaps"] = json!([bitmap("vda", false), bitmap("vdb", false)]);
    let of_function =
        |api: &str, code: i64| json!({ "api": api, "error": { "code": code, "domain": 10 } });
    for facts in [
        contradiction,
        of_function("virDomainBackupBegin", 4711),
        of_function("virDomainBackupBegin", -1),
        of_function("virDomainOfTomorrow", 4711),
        json!({ "api": "virDomainBackupBegin", "error": null, "observed": { "completed_job": "none",
            "domain_state": "running", "checkpoints": {} } }),
    ] {
        let decided = answered(&facts)["decided"].clone();
        assert_eq!(decided["decision"], "investigate-escalate", "{facts}");
        assert_eq!(decided["clean_up"], json!([]), "{facts}");
    }
}

#[test]
fn the_schemas_tell_what_is_read_and_written() {
    let schema = |of: &str| -> Value {
        let (code, out, _) = fed(&["--schema", of], "");
        assert_eq!(code, 0);
        serde_json::from_str(&out).unwrap()
    };
    let (facts_schema, answer_schema) = (schema("facts"), schema("answer"));
    let reads = jsonschema::validator_for(&facts_schema).unwrap();
    let writes = jsonschema::validator_for(&answer_schema).unwrap();
    let mut asked = facts();
    assert!(writes.is_valid(&answered(&asked)));
    for probe in ["domain-state", "disk-formats", "checkpoints", "bitmaps"] {
        let (field, value) = answer(probe);
        asked["observed"][field] = value;
        assert!(reads.is_valid(&asked), "{asked}");
        assert!(writes.is_valid(&answered(&asked)));
    }
    asked["observed"]["domain_state"] = json!("asleep");
    assert!(!reads.is_valid(&asked));
    asked["observed"] = json!({ "bitmap": [] });
    assert!(!reads.is_valid(&asked));
}

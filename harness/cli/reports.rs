//! Every report of every outcome, where it goes, and what happens if it cannot go there.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::suite::Copy;
use super::{backup_tck, code, told};

/// A run with every outcome there is, among them those that no scenario of the mock reaches.
pub(crate) const EVERY_OUTCOME: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/harness/records/every-outcome.jsonl"
);

const RAW: &str = "scenarios/seed/checkpoint-on-raw-disk-refused.yaml";
const FORMATS: [&str; 5] = ["text", "jsonl", "junit", "github", "markdown"];

/// A suite with a scenario that passes, one that fails and one that is not sound.
pub(crate) fn mixed() -> Copy {
    let copy = Copy::new();
    let unsound = copy.0.path().join("scenarios/seed/unsound.yaml");
    fs::copy(copy.0.path().join(RAW), unsound).unwrap();
    copy.edit(
        "scenarios/seed/unsound.yaml",
        "disk: vda, offset: 0",
        "disk: vba, offset: 0",
    );
    copy.edit(RAW, "storage type raw", "storage type qed");
    copy
}

fn replay(format: &str) -> String {
    let mut command = backup_tck();
    told(command.args(["replay", EVERY_OUTCOME, "--report", format]))
}

#[test]
fn every_outcome_as_text() {
    insta::assert_snapshot!(replay("text"));
}

#[test]
fn every_outcome_as_junit() {
    insta::assert_snapshot!(replay("junit"));
}

#[test]
fn every_outcome_as_annotations() {
    insta::assert_snapshot!(replay("github"));
}

#[test]
fn every_outcome_as_markdown() {
    insta::assert_snapshot!(replay("markdown"));
}

#[test]
fn a_run_with_annotations() {
    let copy = mixed();
    let mut command = backup_tck();
    let arguments = ["run", "--jobs", "1", "--report", "github"];
    let text = told(command.args(arguments).current_dir(copy.0.path()));
    insta::with_settings!({filters => [(r"in \d+\.\d+ s", "in [TIME]")]}, {
        insta::assert_snapshot!(text);
    });
}

#[test]
fn every_line_of_every_outcome_is_as_the_schema_says() {
    let text = fs::read_to_string(EVERY_OUTCOME).unwrap();
    assert_eq!(offences("events", &text), Vec::<String>::new());
}

#[test]
fn every_line_of_a_run_is_as_the_schema_says() {
    let output = run(&mixed(), &["--report", "jsonl"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(offences("events", &text), Vec::<String>::new());
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["format"], 1);
    assert_eq!(lines[0]["tool"], "backup-tck");
    let unsound = lines
        .iter()
        .find(|line| line["source"] == "scenarios/seed/unsound.yaml");
    let problem = &unsound.unwrap()["outcome"]["problems"][1];
    assert_eq!(
        [&problem["line"], &problem["column"]],
        [17, 26],
        "{problem}"
    );
    let failed = lines
        .iter()
        .find(|line| line["outcome"]["result"] == "failed")
        .unwrap();
    let holds = |check: &&Value| check["holds"] == true;
    let checks = failed["checks"].as_array().unwrap();
    assert!(checks.iter().any(|check| holds(&check)), "{checks:?}");
    assert!(!checks.iter().all(|check| holds(&check)), "{checks:?}");
    assert!(
        !failed.to_string().contains("/mock/"),
        "paths of the run are redacted"
    );
}

#[test]
fn the_schema_refuses_what_is_no_event() {
    let good = fs::read_to_string(EVERY_OUTCOME).unwrap();
    for (from, to) in [
        (r#""event":"started""#, r#""event":"strated""#),
        (r#""duration_us":12345,"#, r#""duration_us":"12 ms","#),
        (r#""result":"timed-out""#, r#""result":"late""#),
        (r#""holds":false"#, r#""holds":"no""#),
        (r#""tool":"backup-tck","#, ""),
        (r#""code":109,"#, ""),
    ] {
        assert!(good.contains(from), "{from}");
        let broken = good.replacen(from, to, 1);
        assert_eq!(offences("events", &broken).len(), 1, "{to}");
    }
}

/// The lines that are not as a committed schema says.
pub(crate) fn offences(schema: &str, text: &str) -> Vec<String> {
    let file = match schema {
        "events" => "src/report/events.schema.json",
        _ => "src/report/comparison/comparison.schema.json",
    };
    let schema = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let schema = serde_json::from_slice(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let is_offence = |line: &&str| {
        serde_json::from_str(line).map_or(true, |line: Value| !validator.is_valid(&line))
    };
    text.lines().filter(is_offence).map(str::to_owned).collect()
}

#[test]
fn a_report_without_a_file_takes_the_place_of_the_text() {
    for format in ["jsonl", "junit", "github", "markdown"] {
        let copy = Copy::new();
        let output = run(&copy, &["--report", format, "--report", "text=run.txt"]);
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(
            !stdout.contains("2 scenarios on mock"),
            "{format}: {stdout}"
        );
        let text = fs::read_to_string(copy.0.path().join("run.txt")).unwrap();
        assert!(text.contains("2 passed, 0 failed"), "{format}: {text}");
    }
}

#[test]
fn a_report_in_a_file_leaves_the_text_where_it_was() {
    for format in FORMATS {
        let copy = Copy::new();
        let output = run(&copy, &["--report", &format!("{format}=out")]);
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(stdout.contains("2 passed, 0 failed"), "{format}: {stdout}");
        assert!(copy.exists("out"), "{format}");
        assert_eq!(output.status.code(), Some(0), "{format}");
    }
}

#[test]
fn two_reports_in_one_place_are_2() {
    for arguments in [
        &["--report", "jsonl", "--report", "github"][..],
        &["--report", "jsonl", "--report", "text=/dev/stdout"],
        &["--report", "junit=x", "--record", "x"],
        &["--report", "nonsense"],
        &["--report", "junit="],
    ] {
        let copy = Copy::new();
        let output = run(&copy, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(!copy.exists("x"), "{arguments:?}");
    }
    let text = told(backup_tck().args(["run", "--report", "jsonl", "--report", "github"]));
    assert!(
        text.contains("two reports cannot share standard output"),
        "{text}"
    );
}

#[test]
fn a_file_that_cannot_be_created_is_told_before_the_run() {
    for format in FORMATS {
        let copy = Copy::new();
        for file in ["no/such/folder", "scenarios"] {
            let output = run(&copy, &["--report", &format!("{format}={file}")]);
            assert_eq!(output.status.code(), Some(2), "{format} {file}");
            assert!(output.stdout.is_empty(), "{format} {file}: the run began");
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert!(
                stderr.contains(&format!("cannot write to {file}: ")),
                "{stderr}"
            );
            assert!(!stderr.contains(".tmp"), "{stderr}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_3_and_the_file_is_named() {
    for format in FORMATS {
        let output = run(&Copy::new(), &["--report", &format!("{format}=/dev/full")]);
        assert_eq!(output.status.code(), Some(3), "{format}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            stderr.contains("cannot write to /dev/full: No space"),
            "{format}: {stderr}"
        );
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(
            stdout.contains("2 passed"),
            "{format}: the run goes on: {stdout}"
        );
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error_in_any_format() {
    for format in FORMATS {
        let mut child = backup_tck()
            .args(["run", "--report", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{format}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{format}");
    }
}

#[test]
fn nothing_selected_leaves_the_last_report_alone() {
    let copy = Copy::new();
    fs::write(copy.0.path().join("out"), "old").unwrap();
    let mut command = backup_tck();
    command
        .args(["run", "no/such", "--report", "jsonl=out"])
        .current_dir(copy.0.path());
    assert_eq!(code(&mut command), 5);
    assert_eq!(
        fs::read_to_string(copy.0.path().join("out")).unwrap(),
        "old"
    );
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_still_has_its_reports() {
    let copy = Copy::new();
    // So many that the run cannot be over before it is interrupted.
    for number in 0..3000 {
        let name = format!("scenarios/seed/copy-{number}.yaml");
        fs::copy(copy.0.path().join(RAW), copy.0.path().join(name)).unwrap();
    }
    let mut child = backup_tck()
        .args(["run", "--report", "jsonl", "--report", "junit=out.xml"])
        .args(["--report", "markdown=out.md", "--report", "text=/dev/null"])
        .current_dir(copy.0.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.find(|line| line.as_ref().unwrap().contains("scenario-finished"));
    assert!(first.is_some());
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let last: Value = serde_json::from_str(&lines.last().unwrap().unwrap()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(last["event"], "finished");
    assert_eq!(last["stopped"], true);
    let junit = fs::read_to_string(copy.0.path().join("out.xml")).unwrap();
    assert!(junit.ends_with("</testsuites>\n"), "{junit}");
    assert!(
        junit.contains("<skipped message=\"the run was interrupted"),
        "{junit}"
    );
    let markdown = fs::read_to_string(copy.0.path().join("out.md")).unwrap();
    assert!(markdown.contains("| interrupted | "), "{markdown}");
}

fn run(copy: &Copy, arguments: &[&str]) -> Output {
    let mut command = backup_tck();
    command
        .arg("run")
        .args(arguments)
        .current_dir(copy.0.path());
    command.output().unwrap()
}

//! Recorded runs: written, shown again, and refused where they are none.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::reports::{EVERY_OUTCOME, mixed};
use super::suite::Copy;
use super::{backup_tck, code, told};

const RAW: &str = "scenarios/seed/checkpoint-on-raw-disk-refused.yaml";

/// A record with other content, in a folder of its own.
fn altered(alter: impl FnOnce(String) -> String) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    fs::write(&path, alter(fs::read_to_string(EVERY_OUTCOME).unwrap())).unwrap();
    (folder, path)
}

fn replayed(alter: impl FnOnce(String) -> String) -> String {
    let (folder, _) = altered(alter);
    told(
        backup_tck()
            .args(["replay", "run.jsonl"])
            .current_dir(folder.path()),
    )
}

#[test]
fn a_record_holds_all_that_any_report_needs() {
    let copy = mixed();
    for format in ["text", "junit", "github", "markdown", "jsonl"] {
        let mut command = backup_tck();
        command
            .args(["run", "--jobs", "1", "--record", "run.jsonl", "--report"])
            .arg(format!("{format}=direct"))
            .current_dir(copy.0.path());
        assert_eq!(code(&mut command), 3, "{format}");
        let mut command = backup_tck();
        command
            .args(["replay", "run.jsonl", "--report"])
            .arg(format!("{format}=again"))
            .current_dir(copy.0.path());
        assert_eq!(code(&mut command), 3, "{format}");
        let read = |name| fs::read_to_string(copy.0.path().join(name)).unwrap();
        assert_eq!(read("direct"), read("again"), "{format}");
    }
}

#[test]
fn what_was_read_is_what_was_written() {
    let (folder, path) = altered(|text| text);
    let mut command = backup_tck();
    command
        .args(["replay", "run.jsonl", "--report", "jsonl=again"])
        .current_dir(folder.path());
    assert_eq!(code(&mut command), 130);
    let again = fs::read_to_string(folder.path().join("again")).unwrap();
    assert_eq!(again, fs::read_to_string(path).unwrap());
}

#[test]
fn a_replay_ends_as_its_run_did() {
    let copy = Copy::new();
    let ends = |expected| {
        let run = ["run", "--record", "run.jsonl"];
        assert_eq!(
            code(backup_tck().args(run).current_dir(copy.0.path())),
            expected
        );
        let replay = ["replay", "run.jsonl"];
        assert_eq!(
            code(backup_tck().args(replay).current_dir(copy.0.path())),
            expected
        );
    };
    ends(0);
    copy.edit(RAW, "storage type raw", "storage type qed");
    ends(1);
    copy.edit(RAW, "disk: vda, offset: 0", "disk: vba, offset: 0");
    ends(3);
}

#[test]
fn a_record_without_its_end_is_read_as_far_as_it_goes() {
    // In the middle of the line about the scenario `two/hangs`.
    let cut = |text: String| text[..text.rfind("await-backup").unwrap()].to_owned();
    insta::assert_snapshot!(replayed(cut));
}

#[test]
fn a_record_that_ends_between_two_lines_has_no_end_either() {
    let cut = |text: String| text.split_inclusive('\n').take(4).collect();
    let text = replayed(cut);
    assert!(text.starts_with("exit 130"), "{text}");
    assert!(
        text.contains("run.jsonl ends before its run did: it holds 0 of 11"),
        "{text}"
    );
}

#[test]
fn a_damaged_line_is_named() {
    let damage = |text: String| text.replacen(r#""result":"timed-out""#, r#""result":"late""#, 1);
    insta::assert_snapshot!(replayed(damage));
    let damage = |text: String| text.replacen(r#"{"event":"identified""#, "{,", 1);
    let text = replayed(damage);
    assert!(
        text.contains("error: run.jsonl:3:2 is no event of a run"),
        "{text}"
    );
}

#[test]
fn a_record_of_another_format_says_how_to_get_on() {
    let other = |text: String| text.replacen(r#""format":1"#, r#""format":2"#, 1);
    insta::assert_snapshot!(replayed(other));
}

#[test]
fn what_is_no_record_is_2() {
    insta::assert_snapshot!(replayed(|_| "<testsuites/>\n".to_owned()));
    for text in [
        "",
        "\n",
        "{}\n",
        "[1]\n",
        r#"{"format":1,"tool":"other"}"#,
        "\u{0}\u{1}",
    ] {
        let told = replayed(|_| text.to_owned());
        assert!(
            told.starts_with("exit 2") && told.contains("no recorded run"),
            "{text:?}: {told}"
        );
    }
    for path in ["no/such/file", "/"] {
        let text = told(backup_tck().args(["replay", path]));
        assert!(text.starts_with("exit 2"), "{text}");
        assert!(
            text.contains(&format!("error: cannot read {path}: ")),
            "{text}"
        );
    }
}

#[test]
fn a_report_never_replaces_the_record() {
    let (folder, path) = altered(|text| text);
    let before = fs::read_to_string(&path).unwrap();
    let beside = folder.path().join("link.jsonl");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&path, &beside).unwrap();
    #[cfg(not(unix))]
    fs::hard_link(&path, &beside).unwrap();
    for file in ["run.jsonl", "./run.jsonl", "link.jsonl"] {
        for format in ["text", "junit", "jsonl"] {
            let report = format!("--report={format}={file}");
            for arguments in [
                ["replay", "run.jsonl", &report],
                ["run", "--record=run.jsonl", &report],
            ] {
                let text = told(backup_tck().args(arguments).current_dir(folder.path()));
                assert!(text.starts_with("exit 2"), "{text}");
                assert!(text.contains("file"), "{text}");
                assert_eq!(fs::read_to_string(&path).unwrap(), before, "{file}");
            }
        }
    }
}

#[test]
fn two_reports_of_one_new_file_are_refused_however_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = backup_tck();
    command.args([
        "run",
        "--record",
        "new.jsonl",
        "--report",
        "text=./new.jsonl",
    ]);
    let text = told(command.current_dir(folder.path()));
    assert!(text.starts_with("exit 2"), "{text}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_record_holds_no_path_of_the_machine_and_annotations_do() {
    let (copy, elsewhere) = (mixed(), tempfile::tempdir().unwrap());
    let suite = copy.0.path().display().to_string();
    let mut command = backup_tck();
    command
        .args([
            "run",
            "--record",
            "run.jsonl",
            "--report",
            "github",
            "--suite",
        ])
        .arg(&suite)
        .current_dir(&elsewhere);
    let text = told(&mut command);
    assert!(text.starts_with("exit 3"), "{text}");
    for file in ["checkpoint-on-raw-disk-refused", "unsound"] {
        let file = format!("file={suite}/scenarios/seed/{file}.yaml");
        assert!(text.contains(&file), "{text}");
    }
    let record = fs::read_to_string(elsewhere.path().join("run.jsonl")).unwrap();
    assert!(!record.contains(&suite), "{record}");
    let source = r#""source":"scenarios/seed/unsound.yaml""#;
    assert!(record.contains(source), "{record}");
}

#[test]
fn every_report_says_that_a_record_was_cut() {
    let (folder, _) = altered(|text| text[..text.rfind("await-backup").unwrap()].to_owned());
    for (format, mark) in [
        (
            "junit",
            "<error message=\"the run did not get to its end: 5 of 11",
        ),
        (
            "markdown",
            "**Warning:** the run did not get to its end: 5 of 11",
        ),
        ("github", "::the run did not get to its end: 5 of 11"),
    ] {
        let replay = |file: &str| {
            let mut command = backup_tck();
            command.args(["replay", file, "--report", format]);
            told(command.current_dir(folder.path()))
        };
        let text = replay("run.jsonl");
        assert!(text.contains(mark), "{text}");
        assert!(!replay(EVERY_OUTCOME).contains("to its end"), "{format}");
    }
}

#[test]
fn a_record_of_a_run_that_fail_fast_stopped_says_so() {
    let copy = mixed();
    let mut command = backup_tck();
    command.args(["run", "--fail-fast", "--jobs=1", "--record=run.jsonl"]);
    assert_eq!(code(command.current_dir(copy.0.path())), 1);
    let mut command = backup_tck();
    command.args(["compare", "run.jsonl", "run.jsonl"]);
    let text = told(command.current_dir(copy.0.path()));
    let words = "is of a run that --fail-fast stopped: it holds 1 of 3 scenarios";
    assert!(text.contains(words), "{text}");
}

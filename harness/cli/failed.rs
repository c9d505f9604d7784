//! Running again what did not pass.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::suite::Copy;
use super::{backup_tck, code, told};

const RAW: &str = "scenarios/seed/checkpoint-on-raw-disk-refused.yaml";
const REDEFINE: &str = "scenarios/seed/redefine-validate-after-image-recreated.yaml";

/// A suite of its own and a state of its own.
struct Place {
    copy: Copy,
    state: TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            copy: Copy::new(),
            state: tempfile::tempdir().unwrap(),
        }
    }

    fn run(&self, arguments: &[&str]) -> Command {
        let mut command = backup_tck();
        command
            .arg("run")
            .args(arguments)
            .current_dir(&self.copy.0)
            .env("XDG_STATE_HOME", self.state.path());
        command
    }

    /// The files below the state directory.
    fn kept(&self) -> Vec<PathBuf> {
        let folder = self.state.path().join("backup-tck");
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    fn break_both(&self) {
        self.copy.edit(RAW, "fix-request", "treat-as-done");
        self.copy
            .edit(REDEFINE, "full-backup-new-chain", "treat-as-done");
    }
}

/// What was told, without the date of the last run.
fn told_without_date(command: &mut Command) -> String {
    let text = told(command);
    let date = text
        .lines()
        .filter_map(|line| line.strip_prefix("last run on "))
        .find_map(|line| Some(line.split_once(", ")?.1.split_once(" UTC")?.0));
    match date {
        Some(date) => text.replace(date, "[DATE]"),
        None => text,
    }
}

#[test]
fn mending_one_by_one() {
    let place = Place::new();
    place.break_both();
    assert_eq!(code(&mut place.run(&[])), 1);
    assert_eq!(place.kept().len(), 1);

    place.copy.edit(RAW, "treat-as-done", "fix-request");
    let text = told_without_date(&mut place.run(&["--failed", "raw"]));
    insta::assert_snapshot!(text);

    // The other one is still known, and the mended one no more.
    let text = told(&mut place.run(&["--failed"]));
    assert!(text.contains("1 scenario on mock"), "{text}");
    assert!(text.contains("0 passed, 1 failed"), "{text}");

    place
        .copy
        .edit(REDEFINE, "treat-as-done", "full-backup-new-chain");
    assert_eq!(code(&mut place.run(&["--failed"])), 0);
    insta::assert_snapshot!(told_without_date(&mut place.run(&["--failed"])));
}

#[test]
fn it_narrows_what_else_selects() {
    let place = Place::new();
    place.copy.edit(RAW, "fix-request", "treat-as-done");
    assert_eq!(code(&mut place.run(&[])), 1);
    insta::assert_snapshot!(told_without_date(
        &mut place.run(&["--failed", "--code", "109"])
    ));
}

#[test]
fn what_a_stopped_run_did_not_reach_is_run_again() {
    let place = Place::new();
    place.copy.edit(RAW, "fix-request", "treat-as-done");
    let stopped = &mut place.run(&["--fail-fast", "--jobs", "1"]);
    assert_eq!(code(stopped), 1);
    let text = told(&mut place.run(&["--failed"]));
    assert!(text.contains("1 passed, 1 failed"), "{text}");
}

#[test]
fn drivers_are_kept_apart() {
    let place = Place::new();
    place.copy.edit(RAW, "fix-request", "treat-as-done");
    assert_eq!(code(&mut place.run(&["--driver", "mock@11.3"])), 1);
    insta::assert_snapshot!(told_without_date(&mut place.run(&["--failed"])));
}

#[test]
fn without_a_run_there_is_nothing_to_run_again() {
    insta::assert_snapshot!(told(&mut Place::new().run(&["--failed"])));
}

#[test]
fn without_a_home_nothing_is_kept_and_that_is_told() {
    let place = Place::new();
    let homeless = |arguments: &[&str]| {
        let mut command = place.run(arguments);
        command.env("XDG_STATE_HOME", "").env("HOME", "");
        told(&mut command)
    };
    let text = homeless(&[]);
    assert!(
        text.starts_with("exit 0") && !text.contains("warning"),
        "{text}"
    );
    insta::assert_snapshot!(homeless(&["--failed"]));
}

#[test]
fn what_cannot_be_read_is_told() {
    for (text, part) in [
        ("not json", "does not hold a last run"),
        (r#"{"version":2}"#, "is of version 2"),
    ] {
        let place = Place::new();
        assert_eq!(code(&mut place.run(&[])), 0);
        fs::write(&place.kept()[0], text).unwrap();
        let told_of_failed = told(&mut place.run(&["--failed"]));
        assert!(
            told_of_failed.starts_with("exit 3") && told_of_failed.contains(part),
            "{told_of_failed}"
        );
        // A run is none the worse for it, and destroys nothing.
        let told_of_run = told(&mut place.run(&[]));
        assert!(
            told_of_run.starts_with("exit 0")
                && told_of_run.contains("warning: this run is not kept for `--failed`"),
            "{told_of_run}"
        );
        assert_eq!(fs::read_to_string(&place.kept()[0]).unwrap(), text);
    }
}

#[test]
fn a_state_that_cannot_be_written_is_a_warning() {
    let place = Place::new();
    fs::write(place.state.path().join("backup-tck"), "in the way").unwrap();
    let text = told(&mut place.run(&[]));
    assert!(
        text.starts_with("exit 0") && text.contains("warning: this run is not kept"),
        "{text}"
    );
}

//! New scenarios.

use std::fs;

use super::suite::Copy;
use super::{backup_tck, told};

fn new(copy: &Copy, arguments: &[&str]) -> String {
    let mut command = backup_tck();
    command.arg("new").args(arguments).current_dir(&copy.0);
    told(&mut command)
}

fn run(copy: &Copy, pattern: &str) -> String {
    told(backup_tck().args(["run", pattern]).current_dir(&copy.0))
}

#[test]
fn the_template_runs_as_it_is() {
    let copy = Copy::new();
    insta::assert_snapshot!(new(&copy, &["bitmaps/my-new-one"]));
    let mut format = backup_tck();
    format.args(["format", "--check", "my-new-one"]);
    let text = told(format.current_dir(&copy.0));
    assert!(text.starts_with("exit 0"), "{text}");
    // All that is missing is its snapshot.
    insta::assert_snapshot!(run(&copy, "my-new-one"));
}

#[test]
fn a_copy_of_another_runs_too() {
    let copy = Copy::new();
    let text = new(&copy, &["bitmaps/my-copy", "--from", "recreated"]);
    assert!(text.starts_with("exit 0"), "{text}");
    let text = run(&copy, "my-copy");
    assert!(
        text.contains("no snapshot was recorded") && !text.contains("expected"),
        "{text}"
    );
}

#[test]
fn nothing_is_overwritten_and_nothing_odd_is_written() {
    let copy = Copy::new();
    for (arguments, part) in [
        (
            &["seed/checkpoint-on-raw-disk-refused"][..],
            "is there already",
        ),
        (&["my-new-one"], "is not AREA/NAME"),
        (&["seed/My_New_One"], "is not a name"),
        (&["../out/side"], "is not an area"),
        (&["a/b", "--from", "seed/"], "a part of 2 names"),
        (&["a/b", "--from", "row-disk"], "the nearest name is"),
    ] {
        let text = new(&copy, arguments);
        assert!(text.starts_with("exit 2") && text.contains(part), "{text}");
    }
    let areas = fs::read_dir(copy.0.path().join("scenarios")).unwrap();
    assert_eq!(areas.count(), 1);
}

#[test]
fn the_embedded_suite_is_not_written_to() {
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = backup_tck();
    command.args(["new", "a/b"]).current_dir(&elsewhere);
    insta::assert_snapshot!(told(&mut command));
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn a_broken_source_is_told_with_its_problems() {
    let copy = Copy::new();
    let raw = "scenarios/seed/checkpoint-on-raw-disk-refused.yaml";
    copy.edit(raw, "disk: vda, offset: 0", "disk: vba, offset: 0");
    let text = new(&copy, &["a/b", "--from", "raw"]);
    assert!(
        text.starts_with("exit 3") && text.contains("scenario::unknown_disk"),
        "{text}"
    );
}

//! `run --no-recovery`: up to the decision, and no further.

use super::suite::Copy;
use super::{backup_tck, code, told};

const SCENARIO: &str = "scenarios/seed/redefine-validate-after-image-recreated.yaml";
const SNAPSHOT: &str = "snapshots/seed/redefine-validate-after-image-recreated.snap";

fn run(copy: &Copy, more: &[&str]) -> i32 {
    let arguments = [&["run", "image-recreated"], more].concat();
    code(backup_tck().args(arguments).current_dir(&copy.0))
}

#[test]
fn what_lies_behind_the_decision_is_not_compared() {
    let copy = Copy::new();
    copy.edit(SNAPSHOT, "4 usable, none stale", "5 usable, none stale");
    assert_eq!(run(&copy, &[]), 1);
    assert_eq!(run(&copy, &["--no-recovery"]), 0);
}

#[test]
fn the_decision_is() {
    let copy = Copy::new();
    copy.edit(SNAPSHOT, "because   B1", "because   B9");
    assert_eq!(run(&copy, &["--no-recovery"]), 1);
    let copy = Copy::new();
    copy.edit(SCENARIO, "full-backup-new-chain", "treat-as-done");
    assert_eq!(run(&copy, &["--no-recovery"]), 1);
    assert!(
        !copy.exists(&format!("{SNAPSHOT}.new")),
        "half a transcript is no snapshot"
    );
}

#[test]
fn no_proof_is_no_failure() {
    let copy = Copy::new();
    let mut command = backup_tck();
    command.args(["run", "--no-recovery", "--report", "jsonl"]);
    let text = told(command.current_dir(&copy.0));
    assert!(text.starts_with("exit 0"), "{text}");
    assert!(text.contains(r#""recovery":[],"proof":[]"#), "{text}");
}

//! The list of what other versions of libvirt answer otherwise.

use std::fs;

use super::suite::Copy;
use super::{backup_tck, told};

const SNAPSHOT: &str = "snapshots/seed/checkpoint-on-raw-disk-refused.snap";
const MEASURED: &str =
    "refused 67 VIR_ERR_CONFIG_UNSUPPORTED  domain 10 QEMU  level 2  int1 -1  int2 -1";
const OTHER: &str =
    "refused 67 VIR_ERR_CONFIG_UNSUPPORTED  domain 20 DOMAIN  level 2  int1 -1  int2 -1";

/// A suite whose list says that this line of the snapshot is another one on libvirt 11.3.
fn copy_with(line: &str, with: &str) -> Copy {
    let copy = Copy::new();
    let list = format!(
        "format: 1
divergences:
  - scenario: seed/checkpoint-on-raw-disk-refused
    since: \"11.0\"
    until: \"11.3\"
    replace:
      - line: \"{line}\"
        with: [\"{with}\"]
    reason: another part of libvirt says so
    link: measured on libvirt 11.3.0
"
    );
    fs::write(copy.0.path().join("snapshots/divergences.yaml"), list).unwrap();
    copy
}

fn run(copy: &Copy) -> String {
    told(backup_tck().args(["run", "raw"]).current_dir(&copy.0))
}

#[test]
fn a_known_difference_passes() {
    let copy = copy_with(OTHER, MEASURED);
    copy.edit(SNAPSHOT, MEASURED, OTHER);
    let text = run(&copy);
    assert!(text.starts_with("exit 0"), "{text}");
    // Of another version it says nothing.
    copy.edit("snapshots/divergences.yaml", "11.0", "11.4");
    copy.edit("snapshots/divergences.yaml", "11.3\"", "11.9\"");
    let text = run(&copy);
    assert!(text.starts_with("exit 1"), "{text}");
}

#[test]
fn one_that_does_not_happen_is_an_unexpected_pass() {
    insta::assert_snapshot!(run(&copy_with(MEASURED, OTHER)));
}

#[test]
fn one_about_a_line_that_is_not_there_is_told() {
    insta::assert_snapshot!(run(&copy_with("refused 1", OTHER)));
}

#[test]
fn a_list_that_cannot_be_read_is_no_pass() {
    let copy = copy_with(MEASURED, OTHER);
    copy.edit("snapshots/divergences.yaml", "format: 1", "format: 2");
    insta::assert_snapshot!(run(&copy));
    copy.edit("snapshots/divergences.yaml", "reason:", "cause:");
    let text = run(&copy);
    assert!(
        text.starts_with("exit 3") && text.contains("cause"),
        "{text}"
    );
}

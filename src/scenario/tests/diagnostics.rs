//! Diagnostics as a person reads them.

use std::path::Path;

use super::super::{STACK, parse};

const GOOD: &str = "\
format: 1
scenario: case
summary: A checkpoint on a raw disk is refused.
disks:
  vda: { format: qcow2, size: 16M }
  vdb: { format: raw, size: 16M }
history:
  - start
  - guest-write: { disk: vda, offset: 0, length: 64K, pattern: 0xA1 }
when:
  checkpoint-create: { name: c1, disks: [vdb] }
then:
  error: VIR_ERR_CONFIG_UNSUPPORTED
  decision: fix-request
  remedy:
    - checkpoint-create: { name: c1, disks: [vda] }
";

fn report(text: &str) -> String {
    let diagnostics = parse(Path::new("case.yaml"), text).unwrap_err();
    let rendered = diagnostics.render(false);
    // A line of the file itself is shown as it is.
    let ours = rendered
        .lines()
        .filter(|line| !line.contains(" │ ") && !line.contains(" · "));
    assert!(
        ours.map(|line| line.chars().count())
            .all(|width| width <= 80),
        "{rendered}"
    );
    format!("{diagnostics}\n{rendered}")
}

#[test]
fn a_sound_scenario_has_no_problems() {
    let scenarios = parse(Path::new("case.yaml"), GOOD).unwrap();
    assert_eq!(scenarios.len(), 1);
    assert_eq!(scenarios[0].disks.0.len(), 2);
    assert_eq!(scenarios[0].history.len(), 2);
}

#[test]
fn all_problems_are_reported_together() {
    let text = GOOD
        .replace("disk: vda, offset: 0", "disk: vba, offest: 0")
        .replace("VIR_ERR_CONFIG_UNSUPPORTED", "VIR_ERR_CONFIG_UNSUPORTED")
        .replace("format: raw", "format: rwa")
        .replace("fix-request", "fix-the-request");
    insta::assert_snapshot!(report(&text));
}

#[test]
fn problems_of_meaning_are_reported_together() {
    let text = GOOD
        .replace("disk: vda, offset: 0", "disk: vdc, offset: 0")
        .replace("disks: [vdb]", "disks: [vdx]")
        .replace("scenario: case", "scenario: other")
        .replace("length: 64K", "length: 17M")
        .replace("disk: vdc", "disk: vda");
    insta::assert_snapshot!(report(&text));
}

#[test]
fn broken_yaml_is_shown_with_its_place() {
    insta::assert_snapshot!(report(
        &GOOD.replace("size: 16M }\nhistory", "size: 16M\nhistory")
    ));
}

#[test]
fn an_anchor_is_refused() {
    insta::assert_snapshot!(report(&GOOD.replace("summary: A", "summary: &a A")));
}

#[test]
fn a_raw_call_knows_its_arguments() {
    let text = GOOD.replace(
        "checkpoint-create: { name: c1, disks: [vdb] }",
        "call: { api: virDomainBackupBegn, xml: \"<domainbackup/>\", flags: -1 }",
    );
    insta::assert_snapshot!(report(&text));
    let text = GOOD.replace(
        "checkpoint-create: { name: c1, disks: [vdb] }",
        "call: { api: virDomainAbortJob, xml: \"<domainbackup/>\" }",
    );
    insta::assert_snapshot!(report(&text));
}

#[test]
fn names_stay_inside_the_scenarios_directory() {
    let text = GOOD.replace("  vda: {", "  \"../vda\": {").replace(
        "checkpoint-create: { name: c1, disks: [vdb] }",
        "backup-begin: { mode: push, disks: { vdb: { target: .. } } }",
    );
    insta::assert_snapshot!(report(&text));
}

#[test]
fn nesting_without_end_is_refused() {
    for (depth, code) in [
        (100, "scenario::too_large"),
        (10_000, "scenario::too_large"),
    ] {
        let text = format!("format: {}{}", "[".repeat(depth), "]".repeat(depth));
        let parse = move || parse(Path::new("case.yaml"), &text).unwrap_err();
        // The stack of a run's slots.
        let thread = std::thread::Builder::new().stack_size(STACK).spawn(parse);
        let diagnostics = thread.unwrap().join().unwrap();
        assert_eq!(diagnostics.problems().len(), 1);
        assert_eq!(diagnostics.problems()[0].code, code);
    }
}

#[test]
fn what_could_never_fail_is_refused() {
    let text = GOOD
        .replace(
            "decision: fix-request",
            "message: \"\"\n  decision: fix-request",
        )
        .replace(
            "    - checkpoint-create: { name: c1, disks: [vda] }",
            "    - pause",
        )
        .replace("format: raw, size: 16M", "format: raw, size: 1000");
    insta::assert_snapshot!(report(&text));
}

//! What libvirt allows is no problem, and one mistake is told once.

use std::path::Path;

use rstest::rstest;

use crate::scenario::parse;

const HEAD: &str = "\
format: 1
scenario: case
summary: A case.
disks:
  vda: { format: qcow2, size: 16M }
  vdb: { format: qcow2, size: 16M }
";

const OK: &str = "when: { checkpoint-create: { name: z, disks: [vda] } }\nthen: { result: ok }\n";

fn codes(text: &str) -> Vec<&'static str> {
    match parse(Path::new("case.yaml"), text) {
        Ok(_) => Vec::new(),
        Err(told) => told.problems().iter().map(|problem| problem.code).collect(),
    }
}

#[rstest]
#[case::snapshot_again(
    "[start, {snapshot-create: {name: s, kind: internal}}, {snapshot-delete: {name: s}}, {snapshot-create: {name: s, kind: internal}}]"
)]
#[case::disk_of_a_raw_call(
    "[start, {call: {api: virDomainAttachDeviceFlags, xml: <disk/>}}, {guest-write: {disk: vdc, offset: 0, length: 512, pattern: 1}}]"
)]
#[case::detached_and_defined_again(
    "[{detach-disk: {disk: vdb}}, undefine, define, start, {guest-write: {disk: vdb, offset: 0, length: 512, pattern: 1}}]"
)]
#[case::attached_and_defined_again(
    "[{attach-disk: {disk: vdc, format: raw, size: 1M}}, undefine, define, {attach-disk: {disk: vdc, format: raw, size: 1M}}, start]"
)]
#[case::restored_to_its_old_size(
    "[{copy-image: {disk: vda, as: old}}, {resize-image: {disk: vda, size: 8M}}, {restore-image: {disk: vda, from: old}}, {image-write: {disk: vda, offset: 12M, length: 512, pattern: 1}}, start]"
)]
#[case::backup_in_the_background(
    "[start, {background: {step: {backup-begin: {mode: push, disks: {vda: {target: t}}}}, as: b}}, backup-abort, {join: {from: b}}]"
)]
#[case::transient_and_back("[start, undefine, define, destroy, start]")]
#[case::defined_twice("[define, start]")]
#[case::paused_twice("[start-paused, pause]")]
#[case::renamed_bitmap(
    "[{bitmap-add: {disk: vda, bitmap: ab}}, {damage-bitmap: {disk: vda, bitmap: ab, kind: renamed}}, {bitmap-remove: {disk: vda, bitmap: aX}}, start]"
)]
fn what_libvirt_allows_is_no_problem(#[case] history: &str) {
    let text = format!("{HEAD}history: {history}\n{OK}");
    assert_eq!(codes(&text), [""; 0], "{text}");
}

#[rstest]
#[case::attached_twice(
    "[start]",
    "{attach-disk: {disk: vda, format: raw, size: 1M}}",
    "VIR_ERR_OPERATION_FAILED",
    "[{attach-disk: {disk: vdc, format: raw, size: 1M}}]"
)]
#[case::dumped_in_vain(
    "[start, {checkpoint-create: {name: c}}]",
    "{checkpoint-dump: {name: nope, as: d}}",
    "VIR_ERR_NO_DOMAIN_CHECKPOINT",
    "[{checkpoint-dump: {name: c, as: d}}]"
)]
#[case::resized_in_vain(
    "[start]",
    "{block-resize: {disk: vda, size: 1M}}",
    "VIR_ERR_INTERNAL_ERROR",
    "[{guest-write: {disk: vda, offset: 8M, length: 512, pattern: 1}}, {block-resize: {disk: vda, size: 32M}}]"
)]
#[case::missed_in_the_background(
    "[start, {background: {step: {checkpoint-delete: {name: nope}}, as: b}}]",
    "{join: {from: b}}",
    "VIR_ERR_NO_DOMAIN_CHECKPOINT",
    "[join-instead]"
)]
#[case::base_of_the_same_call(
    "[start]",
    "{backup-begin: {mode: push, incremental: c, disks: {vda: {target: t}}, checkpoint: {name: c}}}",
    "VIR_ERR_CHECKPOINT_INCONSISTENT",
    "[{backup-begin: {mode: push, disks: {vda: {target: t}}}}]"
)]
fn what_is_refused_may_lack_what_it_needs(
    #[case] history: &str,
    #[case] when: &str,
    #[case] error: &str,
    #[case] remedy: &str,
) {
    let (decision, remedy) = if remedy == "[join-instead]" {
        ("investigate-escalate", "[]")
    } else {
        ("fix-request", remedy)
    };
    let text = format!(
        "{HEAD}history: {history}\nwhen: {when}\n\
         then: {{error: {error}, decision: {decision}, remedy: {remedy}}}\n"
    );
    assert_eq!(codes(&text), [""; 0], "{text}");
}

#[rstest]
#[case::step_that_brings_a_disk(
    "[start, {atach-disk: {disk: vdc, format: raw, size: 1M}}, {guest-write: {disk: vdc, offset: 0, length: 512, pattern: 1}}]",
    "scenario::unknown_step"
)]
#[case::step_that_resizes(
    "[start, {blok-resize: {disk: vda, size: 32M}}, {guest-write: {disk: vda, offset: 20M, length: 512, pattern: 1}}]",
    "scenario::unknown_step"
)]
#[case::misspelt_key_that_must_stand(
    "[start, {guest-write: {disk: vda, offset: 0, length: 512, patern: 1}}]",
    "scenario::unknown_key"
)]
#[case::dump_that_was_never_made(
    "[start, {checkpoint-redefine: {from: d}}, {checkpoint-delete: {name: c}}]",
    "scenario::unknown_dump"
)]
fn one_mistake_is_told_once(#[case] history: &str, #[case] code: &str) {
    let text = format!("{HEAD}history: {history}\n{OK}");
    assert_eq!(codes(&text), [code], "{text}");
}

#[test]
fn arguments_beside_their_step_are_told_as_such() {
    let history = "history:\n  - start\n  - guest-write:\n    disk: vda\n    offset: 0\n";
    let told = parse(Path::new("case.yaml"), &format!("{HEAD}{history}{OK}")).unwrap_err();
    insta::assert_snapshot!(told.render(false));
}

#[test]
fn a_matrix_beyond_all_numbers_is_told() {
    for (axes, values) in [(40, 40), (64, 2)] {
        let mut text = format!("{HEAD}history: [start]\n{OK}matrix:\n");
        for axis in 0..axes {
            let values: Vec<String> = (0..values).map(|value| format!("v{value}: {{}}")).collect();
            text.push_str(&["  a", &axis.to_string(), ": { ", &values.join(", "), " }\n"].concat());
        }
        assert_eq!(codes(&text), ["scenario::matrix"]);
    }
}

#[test]
fn what_no_case_has_is_told_once() {
    let text = format!(
        "{HEAD}history: [start]\nmatrix:\n  one:\n    a: {{}}\n    b: {{}}\n  two:\n    c: {{}}\n    d: {{}}\n"
    );
    assert_eq!(
        codes(&text),
        ["scenario::missing_key", "scenario::missing_key"]
    );
}

//! `script`: scenarios as shell scripts.

use super::{backup_tck, told};

fn script(scenario: &str) -> String {
    told(backup_tck().args(["script", scenario]))
}

#[test]
fn a_scenario_is_printed_as_a_script() {
    insta::assert_snapshot!(script("seed/redefine-validate-under-wrong-name"));
    insta::assert_snapshot!(script("recovery/metadata-store-unwritable"));
}

#[test]
fn a_part_of_a_name_is_enough() {
    let text = script("recovery/abort-w");
    assert!(text.starts_with("exit 0\n-- stdout\n#!/bin/sh\n# recovery/abort-without-job\n"));
}

#[test]
fn another_version_answers_in_its_own_words() {
    let port = "backup-begin/port-missing-refused@absent";
    let text = |version| told(backup_tck().args(["script", port, "--libvirt", version]));
    assert!(text("11.3").contains("On libvirt 11.3.0 it is refused with 84"));
    assert!(text("12.8").contains("On libvirt 12.8.0 it succeeds"));
    assert!(text("7.0").contains("<qemu:add capability='incremental-backup'/>"));
}

#[test]
fn why_there_is_no_script_is_told() {
    let words = [
        "no-such-scenario",
        "seed/nbd",
        "seed/validate-flag-without-redefine",
        "backup-begin/unknown-flag-refused@preserve-shutdown-domain",
        "bitmaps/broken-directory-refuses-start@size-zero",
    ];
    let texts: Vec<String> = words.map(script).to_vec();
    let version =
        told(backup_tck().args(["script", "recovery/abort-without-job", "--libvirt", "8.0"]));
    insta::assert_snapshot!(texts.join("\n") + "\n" + &version);
}

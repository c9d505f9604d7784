//! What products do after the same error, as a user meets it.

use std::collections::BTreeSet;
use std::fs;

use super::{backup_tck, code, told};

fn policies(arguments: &[&str]) -> String {
    told(backup_tck().arg("policies").args(arguments))
}

#[test]
fn a_few_rows_as_text() {
    let text = policies(&["seed/middle-bitmap-lost", "seed/disk-has-block-job"]);
    insta::assert_snapshot!(text);
}

#[test]
fn the_steps_show_how_it_came_to_that() {
    let arguments = [
        "--steps",
        "--only",
        "ovirt",
        "seed/middle-bitmap-lost@itself",
    ];
    insta::assert_snapshot!(policies(&arguments));
}

#[test]
fn a_profile_is_told_with_its_sources() {
    insta::assert_snapshot!(policies(&["--explain", "kubevirt"]));
}

#[test]
fn markdown_and_json_hold_the_same() {
    let arguments = ["--only", "kubevirt", "seed/nbd-port-busy"];
    let with = |format| policies(&[&arguments[..], &["--format", format]].concat());
    let markdown = with("markdown");
    let row = "| `seed/nbd-port-busy` | 1 | restore-environment-then-retry | recovers | recovers |";
    assert!(markdown.contains(row), "{markdown}");
    let json = with("json");
    let json = json.split("-- stdout\n").nth(1).unwrap();
    let json = json.split("-- stderr").next().unwrap();
    let table: serde_json::Value = serde_json::from_str(json).unwrap();
    let played = &table["rows"][0]["played"][0];
    assert_eq!(played["outcome"], "recovers");
    let steps = played["steps"].as_array().unwrap();
    assert!(
        steps.iter().any(|step| step == "meanwhile release-port 1"),
        "{steps:?}"
    );
}

/// The profile that the page about the language begins with is played as it stands there.
#[test]
fn the_example_of_the_page_is_a_profile() {
    let page = include_str!("../../src/policy/LANGUAGE.md");
    let example = page.split("```yaml\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    let row = outcome_of(example, "seed/incremental-over-inconsistent-bitmap");
    assert!(row.ends_with("\trecovers\trecovers"), "{row}");
}

/// The README shows a profile, and what is said to come of it.
#[test]
fn the_example_of_the_readme_comes_out_as_it_says() {
    let readme = include_str!("../../README.md");
    let example = readme.split("```yaml\nname: ours\n").nth(1).unwrap();
    let example = format!("name: ours\n{}", example.split("```").next().unwrap());
    let row = outcome_of(&example, "seed/middle-bitmap-lost@itself");
    assert!(row.ends_with("\tneedless-full+\trecovers"), "{row}");
    assert!(readme.contains("a full backup that was not needed, and leaves something behind"));
}

fn outcome_of(profile: &str, scenario: &str) -> String {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("ours.yaml"), profile).unwrap();
    let arguments = [
        "policies",
        "--profile",
        "ours.yaml",
        "--only",
        "ours",
        scenario,
    ];
    let mut command = backup_tck();
    command.args(arguments).args(["--format", "tsv"]);
    let text = told(command.current_dir(&place));
    assert!(text.starts_with("exit 0"), "{text}");
    let mut rows = text.lines().filter(|line| line.starts_with(scenario));
    rows.next().unwrap().to_owned()
}

#[test]
fn what_is_wrong_with_a_profile_is_told_at_its_place() {
    let place = tempfile::tempdir().unwrap();
    let told = |text: &str| {
        fs::write(place.path().join("ours.yaml"), text).unwrap();
        let mut command = backup_tck();
        command.args(["policies", "--profile", "ours.yaml"]);
        told(command.current_dir(&place))
    };
    let wrong = "name: ours\nabout: x\nrules:\n  - do: [full-backups]\n";
    insta::assert_snapshot!(told(wrong), @r"
    exit 3
    -- stdout
    -- stderr
    error: ours.yaml:4:10: unknown word `full-backups`; did you mean `full-backup`?
    ");
    let taken = "name: ovirt\nabout: x\nrules:\n  - do: [give-up]\n";
    assert!(told(taken).contains("ours.yaml: another profile is named `ovirt`"));
}

#[test]
fn exit_codes_of_wrong_arguments() {
    let ends = |arguments: &[&str]| code(backup_tck().arg("policies").args(arguments));
    assert_eq!(ends(&["--profile", "not-there.yaml"]), 2);
    assert_eq!(ends(&["--only", "kubvirt"]), 2);
    assert_eq!(ends(&["--explain", "kubvirt"]), 2);
    assert_eq!(ends(&["no-such-scenario"]), 5);
    // A call that succeeds, and one that no backup client makes.
    assert_eq!(ends(&["--area", "checkpoint-query"]), 5);
}

/// The committed table shows each outcome, and in no row the judge fares worse than to give up.
#[test]
fn the_table_has_every_outcome_and_the_judge_harms_nobody() {
    let table = include_str!("../../snapshots/policies.tsv");
    let rows = table.lines().filter(|line| !line.starts_with('#')).skip(1);
    let mut seen = BTreeSet::new();
    for row in rows {
        let cells: Vec<&str> = row.split('\t').collect();
        seen.extend(cells[4..].iter().map(|cell| cell.trim_end_matches('+')));
        let judge = cells.last().unwrap();
        let is_silent = row.starts_with("silent/");
        assert!(
            ["recovers", "gives-up"].contains(judge) || is_silent,
            "{row}"
        );
    }
    let all = BTreeSet::from([
        "gives-up",
        "loops",
        "loses-data",
        "needless-full",
        "not-called",
        "recovers",
    ]);
    assert_eq!(seen, all);
}

//! The table against the source and against the reader itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rstest::rstest;

use super::{ProblemKind, catalogue};
use crate::scenario::parse;

/// A sound scenario, one element for each key.
const SOUND: [(&str, &str); 7] = [
    ("format", "format: 1\n"),
    ("scenario", "scenario: raw-disk-refused\n"),
    (
        "summary",
        "summary: A checkpoint on a raw disk is refused.\n",
    ),
    (
        "disks",
        "disks:\n  vda: { format: qcow2, size: 16M }\n  vdb: { format: raw, size: 16M }\n",
    ),
    ("history", "history:\n  - start\n"),
    (
        "when",
        "when:\n  checkpoint-create: { name: c1, disks: [vdb] }\n",
    ),
    (
        "then",
        "then:\n  error: VIR_ERR_CHECKPOINT_INCONSISTENT\n  decision: full-backup-new-chain\n",
    ),
];

#[test]
fn every_code_of_the_source_has_its_row_and_the_other_way_round() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/scenario");
    let mut texts = String::new();
    read_sources(&folder, &mut texts);
    assert_eq!(differences(&texts, catalogue()), [""; 0]);
}

#[test]
fn that_comparison_can_fail() {
    let texts = r#"Problem::new("scenario::when", …) Problem::new("scenario::new_one", …)"#;
    let when = catalogue().filter(|kind| kind.code == "scenario::when");
    assert_eq!(
        differences(texts, when),
        ["scenario::new_one is reported, but has no row in the catalogue"]
    );
    let two = catalogue().take(2);
    assert_eq!(
        differences("\"scenario::unreadable\"", two),
        ["scenario::yaml has a row in the catalogue, but is never reported"]
    );
}

#[test]
fn codes_are_unique() {
    let codes: BTreeSet<&str> = catalogue().map(|kind| kind.code).collect();
    assert_eq!(codes.len(), catalogue().count());
}

#[test]
fn every_example_has_its_problem_and_no_other() {
    for kind in catalogue() {
        let Some(example) = kind.example else {
            let without = ["unreadable", "too_large", "comment", "canonical"];
            let without = without.map(|code| format!("scenario::{code}"));
            assert!(
                without.contains(&kind.code.to_owned()),
                "{} shows nothing",
                kind.code
            );
            continue;
        };
        assert_eq!(codes(example.wrong), [kind.code], "{}", example.wrong);
        assert_eq!(codes(example.right), [""; 0], "{}", example.right);
    }
}

#[rstest]
#[case("disks:\n  vda: { format: qcow2, size: 0 }", &["scenario::empty_disk", "scenario::unknown_disk"])]
#[case("format: 1", &[])]
fn a_fragment_replaces_its_keys(#[case] fragment: &str, #[case] expected: &[&str]) {
    let mut found = codes(fragment);
    found.sort_unstable();
    assert_eq!(found, expected);
}

/// The codes of the problems that a sound scenario has with this fragment in it.
fn codes(fragment: &str) -> Vec<&'static str> {
    let replaced = |key: &str| {
        let head = format!("{key}:");
        fragment.lines().any(|line| line.starts_with(&head))
    };
    let kept = SOUND.iter().filter(|(key, _)| !replaced(key));
    let mut text: String = kept.map(|(_, lines)| *lines).collect();
    text.push_str(fragment);
    text.push('\n');
    match parse(Path::new("scenarios/seed/raw-disk-refused.yaml"), &text) {
        Ok(_) => Vec::new(),
        Err(diagnostics) => {
            let problems = diagnostics.problems().iter();
            problems.map(|problem| problem.code).collect()
        }
    }
}

/// Where the codes of the source and the rows of the table are not the same.
fn differences<'a>(source: &str, rows: impl Iterator<Item = &'a ProblemKind>) -> Vec<String> {
    let reported: BTreeSet<&str> = source
        .split("\"scenario::")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .map(|(code, _)| code)
        .collect();
    let rows: BTreeSet<&str> = rows
        .map(|kind| kind.code.trim_start_matches("scenario::"))
        .collect();
    let without_row = reported
        .difference(&rows)
        .map(|code| format!("scenario::{code} is reported, but has no row in the catalogue"));
    let never_reported = rows
        .difference(&reported)
        .map(|code| format!("scenario::{code} has a row in the catalogue, but is never reported"));
    without_row.chain(never_reported).collect()
}

/// The text of every source file but those of the catalogue itself and of tests.
fn read_sources(folder: &Path, texts: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("catalogue") && !path.ends_with("tests") {
                read_sources(&path, texts);
            }
        } else if !path.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).unwrap();
            let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
            texts.push_str(&text[..end]);
        }
    }
}

//! Files that are made from the code are fresh.

use std::fs;
use std::path::Path;

use super::{backup_tck, code};

/// Each generated file, and the arguments that print it.
const GENERATED: [(&str, &[&str]); 4] = [
    ("scenarios/scenario.schema.json", &["schema"]),
    ("scenarios/LANGUAGE.md", &["schema", "--reference"]),
    ("DECISIONS.md", &["explain", "--decisions"]),
    ("snapshots/policies.tsv", &["policies", "--format", "tsv"]),
];

#[test]
fn generated_files_are_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (path, arguments) in GENERATED {
        let committed = fs::read_to_string(root.join(path)).unwrap_or_default();
        let output = backup_tck().args(arguments).output().unwrap();
        let fresh = String::from_utf8(output.stdout).unwrap();
        assert!(
            committed == fresh,
            "{path} is stale; run: cargo run -- {} > {path}",
            arguments.join(" ")
        );
    }
}

#[test]
fn the_suite_is_in_its_canonical_form() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = backup_tck();
    assert_eq!(
        code(command.args(["format", "--check"]).current_dir(root)),
        0
    );
}

/// Every situation of the field that the judge's rules are named after.
const SITUATIONS: [(char, u8); 5] = [('B', 34), ('J', 6), ('C', 12), ('D', 8), ('A', 4)];

/// Situations that the judge need not tell from another one.
const SAME: [(&str, &str); 7] = [
    ("B13", "B12"),
    ("B28", "B27"),
    ("C1", "B1"),
    ("C7", "B11"),
    ("C8", "B25"),
    ("C10", "B27"),
    ("C11", "B22"),
];

#[test]
fn each_situation_is_shown_or_has_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("DECISIONS.md")).unwrap();
    let told = |id: &str| {
        let heading = format!("### {id}\n");
        let refined = format!("### {id}-");
        let row = format!("\n| {id} |");
        page.contains(&heading) || page.contains(&refined) || page.contains(&row)
    };
    for (letter, last) in SITUATIONS {
        for number in 1..=last {
            let id = format!("{letter}{number}");
            let same = SAME.iter().find(|(one, _)| *one == id);
            let id = same.map_or(id.as_str(), |(_, other)| other);
            assert!(told(id), "{letter}{number}");
        }
    }
    assert!(
        !page.contains("\nNo scenario.\n"),
        "a rule without a reason"
    );
    let table = fs::read_to_string(root.join("scenarios/SITUATIONS.tsv")).unwrap();
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        let of_rule = page.split(&format!("\n### {}\n", cells[0])).nth(1);
        let of_rule = of_rule.and_then(|rest| rest.split("\n### ").next());
        let is_shown = of_rule.is_some_and(|text| text.contains("\nShown by:"));
        assert!(!is_shown, "{} is shown by now: drop its reason", cells[0]);
        for name in cells[2].split_whitespace() {
            let snapshot = root.join(format!("snapshots/{name}.snap"));
            assert!(snapshot.is_file(), "{}: no scenario {name}", cells[0]);
        }
    }
}

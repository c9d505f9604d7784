//! Files that are made from the code are fresh.

use std::fs;
use std::path::Path;

use super::{backup_tck, code};

/// Each generated file, and the arguments that print it.
const GENERATED: [(&str, &[&str]); 2] = [
    ("scenarios/scenario.schema.json", &["schema"]),
    ("scenarios/LANGUAGE.md", &["schema", "--reference"]),
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

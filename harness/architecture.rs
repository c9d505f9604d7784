//! The rules that keep the modules apart, checked on the source text.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot do is a failure of the test"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each module of the crate may import of it, beside itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("scenario", &["model"]),
    ("plan", &["model", "scenario"]),
    ("qcow2", &["model"]),
    ("world", &["model", "qcow2"]),
    ("driver", &["model", "qcow2", "world"]),
    ("transcript", &["model"]),
    ("session", &["driver", "model", "plan", "transcript"]),
    ("judge", &["model"]),
    ("verdict", &["model", "scenario", "transcript"]),
    (
        "recovery",
        &["driver", "judge", "model", "plan", "session", "transcript"],
    ),
    (
        "policy",
        &[
            "driver",
            "model",
            "plan",
            "recovery",
            "scenario",
            "session",
            "transcript",
        ],
    ),
    (
        "explain",
        &[
            "divergence",
            "findings",
            "judge",
            "model",
            "scenario",
            "transcript",
            "verdict",
        ],
    ),
    ("findings", &[]),
    ("suite", &["model", "scenario"]),
    ("strategies", &["model"]),
    ("divergence", &["model", "scenario"]),
    ("snapshot", &["model"]),
    (
        "run",
        &[
            "divergence",
            "driver",
            "model",
            "plan",
            "recovery",
            "scenario",
            "session",
            "snapshot",
            "suite",
            "transcript",
            "verdict",
        ],
    ),
    (
        "script",
        &["model", "plan", "run", "scenario", "transcript"],
    ),
    ("last_run", &["run", "suite"]),
    ("coverage", &["model", "run"]),
    ("record", &["model", "run", "transcript"]),
    (
        "report",
        &[
            "model", "policy", "record", "run", "snapshot", "suite", "verdict",
        ],
    ),
    (
        "cli",
        &[
            "coverage",
            "divergence",
            "driver",
            "explain",
            "judge",
            "last_run",
            "model",
            "plan",
            "policy",
            "record",
            "report",
            "run",
            "scenario",
            "script",
            "snapshot",
            "suite",
        ],
    ),
];

/// Modules that do no I/O, read no clock and start nothing.
const PURE: [&str; 12] = [
    "findings",
    "model",
    "qcow2",
    "scenario",
    "plan",
    "world",
    "transcript",
    "judge",
    "verdict",
    "divergence",
    "explain",
    "script",
];

/// Ways to the outside that pure modules must not take.
const OUTSIDE: [&str; 15] = [
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::env",
    "std::thread",
    "std::time",
    "std::os",
    "tempfile",
    "uuid::",
    "which::",
    "nix::",
    "rand::",
    "println!",
    "print!",
];

/// The only file with `unsafe`.
const UNSAFE_FILE: &str = "driver/libvirt/ffi.rs";

/// Lines that a file may have.
const LONGEST: usize = 800;

#[test]
fn modules_import_only_what_lies_before_them() {
    assert_no_offence(&import_offences(&sources()));
}

#[test]
fn pure_modules_do_no_io() {
    assert_no_offence(&io_offences(&sources()));
}

#[test]
fn only_one_file_has_unsafe_code() {
    assert_no_offence(&unsafe_offences(&sources()));
}

#[test]
fn no_file_is_too_long() {
    let long = |(path, text): (&String, &String)| {
        let lines = text.lines().count();
        (lines > LONGEST).then(|| format!("{path} has {lines} lines, {LONGEST} are allowed"))
    };
    assert_no_offence(&sources().iter().filter_map(long).collect::<Vec<_>>());
}

#[test]
fn module_files_are_thin() {
    let thick = |(path, text): (&String, &String)| {
        let has_code = text
            .lines()
            .any(|line| line.starts_with("fn ") || line.starts_with("impl"));
        (path.ends_with("/mod.rs") && has_code)
            .then(|| format!("{path} holds more than modules and re-exports"))
    };
    assert_no_offence(&sources().iter().filter_map(thick).collect::<Vec<_>>());
}

/// Each check fails when it should: the same rules over a source that breaks them.
#[test]
fn the_rules_can_fail() {
    let source = |path: &str, text: &str| BTreeMap::from([(path.to_owned(), text.to_owned())]);
    let offends = |offences: Vec<String>| assert_eq!(offences.len(), 1, "{offences:?}");
    offends(import_offences(&source(
        "world/host.rs",
        "use crate::driver::Call;",
    )));
    offends(import_offences(&source(
        "report/text.rs",
        "let x = crate::driver::mock::Mock::newest();",
    )));
    offends(import_offences(&source(
        "run/one.rs",
        "use crate::cli::ExitCode;",
    )));
    offends(import_offences(&source("extra/one.rs", "")));
    offends(io_offences(&source("judge/rules.rs", "use std::fs::read;")));
    offends(unsafe_offences(&source(
        "world/host.rs",
        "    unsafe { f() }",
    )));
}

fn import_offences(sources: &BTreeMap<String, String>) -> Vec<String> {
    let mut offences = Vec::new();
    for (path, text) in sources {
        let Some((module, _)) = path.split_once('/') else {
            continue;
        };
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
            offences.push(format!("{path}: the module `{module}` has no rule yet"));
            continue;
        };
        // In `module/file.rs` this leaves the module, past the table.
        let is_shallow = path.matches('/').count() == 1;
        for (number, line) in code(text) {
            if is_shallow && line.contains("super::super::") {
                offences.push(format!("{path}:{number}: name the module: `crate::…`"));
            }
            for used in line.split("crate::").skip(1) {
                let used: String = used
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                if used != module && !allowed.contains(&used.as_str()) {
                    offences.push(format!("{path}:{number}: `{module}` must not use `{used}`"));
                }
            }
        }
    }
    offences
}

fn io_offences(sources: &BTreeMap<String, String>) -> Vec<String> {
    let mut offences = Vec::new();
    for (path, text) in sources {
        if !PURE
            .iter()
            .any(|module| path.starts_with(&format!("{module}/")))
        {
            continue;
        }
        for (number, line) in code(text) {
            for way in OUTSIDE.iter().filter(|way| line.contains(**way)) {
                offences.push(format!(
                    "{path}:{number}: a pure module must not use `{way}`"
                ));
            }
        }
    }
    offences
}

fn unsafe_offences(sources: &BTreeMap<String, String>) -> Vec<String> {
    let mut offences = Vec::new();
    for (path, text) in sources {
        let is_unsafe = |line: &str| {
            line.contains("unsafe {")
                || line.contains("unsafe fn")
                || line.contains("unsafe extern")
        };
        for (number, line) in code(text) {
            if path != UNSAFE_FILE && is_unsafe(line) {
                offences.push(format!(
                    "{path}:{number}: `unsafe` belongs into {UNSAFE_FILE}"
                ));
            }
        }
    }
    offences
}

/// The lines that are neither comments nor tests, with their numbers.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    // The tests of a file stand at its end.
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let lines = (1..).zip(text[..end].lines());
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Every source file of the library but its tests, by its path below `src/`.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() && path.ends_with("tests") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !path.ends_with("tests.rs")
            {
                let name = path
                    .strip_prefix(&root)
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                sources.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    assert!(sources.len() > 50, "the sources were not found");
    sources
}

fn assert_no_offence(offences: &[String]) {
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}

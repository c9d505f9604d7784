//! The way in: text to scenarios.

use std::path::Path;

use serde::Deserialize;

use super::check::{check, check_name, check_words};
use super::diagnostic::{Diagnostics, Problem};
use super::expand::expand;
use super::shape;
use super::syntax::{Document, FORMAT, Scenario};
use super::tree::{Kind, Node};

/// The stack that a thread needs to parse, in bytes: the YAML reader recurses up to its own limit
/// before ours holds.
pub const STACK: usize = 16 << 20;

/// The bytes that a scenario file may have; those of the suite have two thousand.
pub const LARGEST: u64 = 1 << 20;

/// Problems of meaning that a wrong structure elsewhere in the file cannot have caused.
const INDEPENDENT: [&str; 14] = [
    "scenario::alignment",
    "scenario::argument",
    "scenario::beyond_end",
    "scenario::category",
    "scenario::cluster_size",
    "scenario::disk_name",
    "scenario::empty_disk",
    "scenario::empty_message",
    "scenario::empty_write",
    "scenario::matrix",
    "scenario::name",
    "scenario::no_error",
    "scenario::raw_disk",
    "scenario::unknown_disk",
];

/// Reads the scenarios of a file from its text: one, or one for each combination of its matrix.
/// `path` is only named in messages, and its file name must be the scenario's name.
///
/// # Errors
/// All problems of the text together.
pub fn parse(path: &Path, text: &str) -> Result<Vec<Scenario>, Diagnostics> {
    let broken = |problems| Diagnostics::new(path, text, problems);
    let root = tree(text).map_err(|problem| broken(vec![problem]))?;
    if let Some(problem) = other_format(&root) {
        return Err(broken(vec![problem]));
    }
    let file_stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let shape::Found {
        mut problems,
        sound,
    } = shape::check(&root);
    let Some(sound) = sound else {
        return Err(broken(problems));
    };
    let (scenarios, mut meaning) = read(&sound, &file_stem);
    if !problems.is_empty() {
        meaning.retain(|problem| INDEPENDENT.contains(&problem.code));
    }
    problems.extend(meaning);
    if problems.is_empty() {
        Ok(scenarios)
    } else {
        Err(broken(problems))
    }
}

/// The text of a file with another name in it; comments and all else stay.
///
/// # Errors
/// The structure of the file is not sound.
pub fn renamed(path: &Path, text: &str, name: &str) -> Result<String, Diagnostics> {
    let broken = |problems| Diagnostics::new(path, text, problems);
    let root = tree(text).map_err(|problem| broken(vec![problem]))?;
    let problems = shape::check(&root).problems;
    let name_node = root.get("scenario").filter(|_| problems.is_empty());
    let Some(name_node) = name_node else {
        return Err(broken(problems));
    };
    let mut renamed = text.to_owned();
    renamed.replace_range(name_node.span.clone(), name);
    Ok(renamed)
}

/// The tree of a text that may be a scenario.
pub(super) fn tree(text: &str) -> Result<Node, Problem> {
    let empty = || {
        let problem = Problem::new("scenario::empty", 0..0, "the file is empty");
        problem.help("`backup-tck new AREA/NAME` writes a scenario to start from")
    };
    if text.trim().is_empty() {
        return Err(empty());
    }
    let root = Node::parse(text)?;
    // Comments alone say nothing.
    if matches!(root.kind, Kind::Null) {
        return Err(empty());
    }
    Ok(root)
}

/// The scenarios of a tree whose structure is sound, and every problem of their meaning.
fn read(root: &Node, file_stem: &str) -> (Vec<Scenario>, Vec<Problem>) {
    let mut problems = Vec::new();
    let document = match Document::deserialize(root) {
        Ok(document) => document,
        Err(error) => {
            let message = format!("a defect of the checker let this through: {error}");
            let problem = Problem::new("scenario::yaml", root.span.clone(), message);
            return (Vec::new(), vec![problem]);
        }
    };
    check_name(&document, file_stem, &mut problems);
    check_words(&document, &mut problems);
    let scenarios = expand(&document, &mut problems);
    for scenario in &scenarios {
        check(scenario, &mut problems);
    }
    (scenarios, problems)
}

/// Nothing else can be said about a file of another format.
fn other_format(root: &Node) -> Option<Problem> {
    let node = root.get("format")?;
    let Kind::Int(format) = node.kind else {
        return None;
    };
    (format != FORMAT).then(|| {
        Problem::new(
            "scenario::format",
            node.span.clone(),
            format!("format {format} is not known"),
        )
        .label(format!("this build reads format {FORMAT}"))
        .help("a newer backup-tck may read it")
    })
}

//! The way in: text to scenario.

use std::path::Path;

use super::check::check;
use super::decode::decode;
use super::diagnostic::Diagnostics;
use super::fields::Collected;
use super::syntax::Scenario;
use super::tree::Node;

/// Reads a scenario from its text. `path` is only named in messages, and its file name must be
/// the scenario's name.
///
/// # Errors
/// All problems of the text together.
pub fn parse(path: &Path, text: &str) -> Result<Scenario, Diagnostics> {
    let root = match Node::parse(text) {
        Ok(root) => root,
        Err(problem) => return Err(Diagnostics::new(path, text, vec![problem])),
    };
    let mut problems = Collected::default();
    let scenario = decode(&root, &mut problems);
    let file_stem = path.file_stem().unwrap_or_default().to_string_lossy();
    match scenario {
        Some(scenario) => {
            check(&scenario, &file_stem, &mut problems);
            if problems.0.is_empty() {
                return Ok(scenario);
            }
        }
        None => debug_assert!(!problems.0.is_empty(), "nothing decoded, nothing reported"),
    }
    Err(Diagnostics::new(path, text, problems.0))
}

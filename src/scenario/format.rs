//! The canonical form of a scenario file: one order, one layout, every comment kept.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::comments::Comments;
use super::diagnostic::{Diagnostics, Problem};
use super::emit::{emit, emit_part};
use super::parse::tree;
use super::shape;
use super::syntax::{Document, Step};
use super::tree::Node;

/// Brings a file into its canonical form. What the file means is not checked, only its structure;
/// what the form says is read back and compared before it is handed out. Its lines end with line
/// feeds, and no byte order mark stands before them.
///
/// # Errors
/// The file's structure is not sound, or a comment has no place in the canonical form.
pub fn format(path: &Path, text: &str) -> Result<String, Diagnostics> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let text = &text.replace("\r\n", "\n");
    let broken = |problems| Diagnostics::new(path, text, problems);
    if let Some(at) = text.find('\r') {
        return Err(broken(vec![bare_return(at)]));
    }
    let root = tree(text).map_err(|problem| broken(vec![problem]))?;
    let found = shape::check(&root);
    if !found.problems.is_empty() {
        return Err(broken(found.problems));
    }
    let document = decoded(&root).map_err(|problem| broken(vec![problem]))?;
    let value = value_of(&document);
    let mut comments = Comments::of(text, &root);
    comments.settle(&value);
    let mut left = comments.clone();
    let formatted = emit(&value, &mut left);
    let lost: Vec<Problem> = left.places().map(lost_comment).collect();
    if !lost.is_empty() {
        return Err(broken(lost));
    }
    let same = Node::parse(&formatted).is_ok_and(|root| {
        let mut read = Comments::of(&formatted, &root);
        read.settle(&value);
        read.agree_with(&comments) && decoded(&root).is_ok_and(|read| read == document)
    });
    if same {
        Ok(formatted)
    } else {
        let message = "a defect of the formatter: its form does not say the same";
        let problem = Problem::new("scenario::canonical", 0..0, message);
        Err(broken(vec![problem.help("the file was left as it is")]))
    }
}

fn decoded(root: &Node) -> Result<Document, Problem> {
    Document::deserialize(root).map_err(|error| {
        let message = format!("a defect of the checker let this through: {error}");
        Problem::new("scenario::yaml", root.span.clone(), message)
    })
}

/// YAML ends a line there, and few editors do: what looks like a comment may be more than that.
fn bare_return(at: usize) -> Problem {
    let message = "a carriage return without a line feed ends a line";
    Problem::new("scenario::yaml", at..at + 1, message)
        .label("it is here")
        .help("end the lines of the file with line feeds")
}

fn lost_comment(place: std::ops::Range<usize>) -> Problem {
    Problem::new(
        "scenario::comment",
        place,
        "this comment has no place in the canonical form",
    )
    .label("it stands at something that the canonical form leaves out")
    .help("move the comment to another line; defaults such as `validate: false` are left out")
}

/// A step in its canonical form, from the left edge.
#[must_use]
pub fn step_text(step: &Step) -> String {
    let mut value = serde_json::to_value(step).unwrap_or_default();
    prune(&mut value);
    let bare = value.as_str().map(str::to_owned);
    bare.unwrap_or_else(|| emit_part(&value).trim_end().to_owned())
}

/// What the canonical form writes: no key without a value, no flag that is false.
pub(super) fn value_of(document: &Document) -> Value {
    // Nothing in the types can fail to serialise; an empty form would be noticed when read back.
    let mut value = serde_json::to_value(document).unwrap_or_default();
    prune(&mut value);
    value
}

fn prune(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !matches!(value, Value::Null | Value::Bool(false)));
            map.values_mut().for_each(prune);
        }
        Value::Array(items) => items.iter_mut().for_each(prune),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

//! What was recorded against what happened.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use similar::{ChangeTag, TextDiff};

use super::file::body;

/// How a transcript differs from its snapshot.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// Nothing was ever recorded.
    NotRecorded,
    /// The recorded file is not a snapshot.
    Unreadable,
    /// Lines differ: `-` was recorded, `+` happened.
    Lines(Vec<String>),
}

/// Whether a file has the form of a snapshot.
#[must_use]
pub fn is_snapshot(file: &str) -> bool {
    body(file).is_some()
}

/// Compares a transcript's text with the recorded file.
#[must_use]
pub fn compare(recorded: Option<&str>, happened: &str) -> Option<Difference> {
    let Some(recorded) = recorded else {
        return Some(Difference::NotRecorded);
    };
    let Some(recorded) = body(recorded) else {
        return Some(Difference::Unreadable);
    };
    let happened = happened.trim_end();
    if recorded == happened {
        return None;
    }
    let diff = TextDiff::from_lines(recorded, happened);
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(2).iter().enumerate() {
        if index > 0 {
            lines.push("  …".to_owned());
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            lines.push(format!("{sign} {}", change.value().trim_end_matches('\n')));
        }
    }
    Some(Difference::Lines(lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: &str = "---\nsource: scenarios/a/b.yaml\n---\nhistory\n  1 start  ok\n";

    #[test]
    fn equal_texts_are_equal() {
        assert_eq!(compare(Some(RECORDED), "history\n  1 start  ok\n"), None);
    }

    #[test]
    fn a_changed_line_shows_both_sides() {
        let difference = compare(Some(RECORDED), "history\n  1 start  refused 1\n");
        let lines = ["  history", "-   1 start  ok", "+   1 start  refused 1"];
        assert_eq!(
            difference,
            Some(Difference::Lines(lines.map(str::to_owned).to_vec()))
        );
    }

    #[test]
    fn a_missing_or_broken_file_is_no_pass() {
        assert_eq!(compare(None, "x"), Some(Difference::NotRecorded));
        assert_eq!(
            compare(Some("history\n"), "history\n"),
            Some(Difference::Unreadable)
        );
    }
}

//! Values as YAML text in the canonical layout.
//!
//! What fits into a line and has no comment inside stands in one line, in flow style; the parts of
//! the file itself have lines of their own.

use std::fmt::Write;

use serde_json::Value;

use super::comments::Comments;
use super::parts::Path;
use super::tree::{Kind, Node};

/// Columns that a line in flow style may have.
const WIDTH: usize = 100;

/// Levels of lists and maps that a line in flow style may have.
const FLOW_DEPTH: usize = 2;

/// Keys of the file that start a group, with an empty line before.
const GROUPS: [&str; 7] = [
    "needs", "client", "disks", "history", "when", "then", "matrix",
];

/// Writes a document, and takes the comments that belong to what it writes.
pub(super) fn emit(document: &Value, comments: &mut Comments) -> String {
    let mut emitter = Emitter {
        text: String::new(),
        comments,
    };
    for comment in emitter.comments.take_head() {
        emitter.line(0, &comment);
    }
    emitter.map(document, 0, &Vec::new(), false);
    let end = emitter.comments.take_end();
    if !end.is_empty() {
        emitter.text.push('\n');
    }
    for line in end {
        emitter.line(0, &line);
    }
    emitter.text
}

/// Writes a part of a document, without comments.
pub(super) fn emit_part(part: &Value) -> String {
    let mut emitter = Emitter {
        text: String::new(),
        comments: &mut Comments::default(),
    };
    emitter.list(std::slice::from_ref(part), 0, &Vec::new());
    let lines = emitter.text.lines();
    // Without the dash.
    let lines: Vec<&str> = lines
        .map(|line| line.get(2..).unwrap_or_default())
        .collect();
    lines.join("\n")
}

struct Emitter<'a> {
    text: String,
    comments: &'a mut Comments,
}

impl Emitter<'_> {
    fn line(&mut self, indent: usize, line: &str) {
        if !line.is_empty() {
            self.text.push_str(&" ".repeat(indent));
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    /// The entries of a map, a line each at least. `inline` is set where the first of them stands
    /// behind the dash of an item.
    fn map(&mut self, map: &Value, indent: usize, path: &Path, inline: bool) {
        let entries = map.as_object().into_iter().flatten();
        for (number, (key, value)) in entries.enumerate() {
            let path = [path.as_slice(), std::slice::from_ref(key)].concat();
            if indent == 0 && number > 0 && GROUPS.contains(&key.as_str()) {
                self.text.push('\n');
            }
            for comment in self.comments.take_above(&path) {
                self.line(indent, &comment);
            }
            let margin = if inline && number == 0 { 0 } else { indent };
            self.text.push_str(&" ".repeat(margin));
            self.text.push_str(&scalar(key, false));
            self.text.push(':');
            self.value(key, value, indent, &path);
        }
        self.below(indent, path);
    }

    /// The comments behind the last entry.
    fn below(&mut self, indent: usize, path: &Path) {
        for comment in self.comments.take_below(path) {
            self.line(indent, &comment);
        }
    }

    /// What stands behind a key.
    fn value(&mut self, key: &str, value: &Value, indent: usize, path: &Path) {
        let column = indent + key.len() + 2;
        if let Some(flow) = self.flow(value, key, indent == 0, column, path) {
            self.text.push(' ');
            self.text.push_str(&flow);
            return self.end_line(path);
        }
        match value {
            Value::String(text) => self.block_text(text, indent, path),
            Value::Array(items) => {
                self.end_line(path);
                self.list(items, indent + 2, path);
            }
            Value::Object(_) => {
                self.end_line(path);
                self.map(value, indent + 2, path, false);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => self.end_line(path),
        }
    }

    fn list(&mut self, items: &[Value], indent: usize, path: &Path) {
        for (number, item) in items.iter().enumerate() {
            let path = [path.as_slice(), &[number.to_string()]].concat();
            for comment in self.comments.take_above(&path) {
                self.line(indent, &comment);
            }
            self.text.push_str(&" ".repeat(indent));
            self.text.push('-');
            let step = item.as_object().filter(|map| map.len() == 1);
            if let (Some(flow), None) = (self.flow(item, "", false, indent + 2, &path), step) {
                self.text.push(' ');
                self.text.push_str(&flow);
                self.end_line(&path);
            } else if let Value::String(text) = item {
                self.block_text(text, indent, &path);
            } else {
                self.text.push(' ');
                let beside = self.comments.take_beside(&path);
                // The item's first line is that of its first key.
                if let (Some(beside), Some((key, _))) =
                    (beside, item.as_object().and_then(|map| map.iter().next()))
                {
                    let first = [path.as_slice(), std::slice::from_ref(key)].concat();
                    self.comments.give_beside(first, beside);
                }
                self.map(item, indent + 2, &path, true);
            }
        }
        self.below(indent, path);
    }

    /// Ends the first line of a part.
    fn end_line(&mut self, path: &Path) {
        if let Some(comment) = self.comments.take_beside(path) {
            self.text.push_str("  ");
            self.text.push_str(&comment);
        }
        self.text.push('\n');
    }

    /// A text of several lines, or a long one folded at its blanks.
    fn block_text(&mut self, text: &str, indent: usize, path: &Path) {
        let body = text.strip_suffix('\n').unwrap_or(text);
        let chomp = if body.len() == text.len() { "-" } else { "" };
        let (style, lines): (&str, Vec<String>) = if body.contains('\n') {
            ("|", body.lines().map(str::to_owned).collect())
        } else {
            let wrapped = textwrap::wrap(body, folding(indent + 2));
            (">", wrapped.into_iter().map(Into::into).collect())
        };
        self.text.push(' ');
        self.text.push_str(style);
        self.text.push_str(chomp);
        self.end_line(path);
        for line in lines {
            self.line(indent + 2, &line);
        }
    }

    /// The value in one line, where it may stand in one.
    fn flow(
        &self,
        value: &Value,
        key: &str,
        is_group: bool,
        column: usize,
        path: &Path,
    ) -> Option<String> {
        let inside = depth(value);
        let is_map = value.as_object().is_some_and(|map| !map.is_empty());
        if self.comments.any_inside(path)
            || inside > FLOW_DEPTH
            || (is_group && (is_map || inside > 1))
            || has_maps(value)
            || has_block_text(value)
        {
            return None;
        }
        if let Value::String(text) = value {
            return wants_block(text, key, column)
                .then_some(())
                .map_or_else(|| Some(scalar(text, false)), |()| None);
        }
        let text = flow(value, key);
        (inside == 0 || column + text.chars().count() <= WIDTH).then_some(text)
    }
}

/// Levels of lists and maps.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// A map of maps is a table, one line an entry.
fn has_maps(value: &Value) -> bool {
    let is_full = |value: &Value| value.as_object().is_some_and(|map| !map.is_empty());
    value
        .as_object()
        .is_some_and(|map| map.values().any(is_full))
}

/// True where a part of a list or map is a text of several lines.
fn has_block_text(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_lines),
        Value::Object(map) => map.values().any(has_lines),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn has_lines(value: &Value) -> bool {
    match value {
        Value::String(text) => can_be_block(text),
        Value::Array(_) | Value::Object(_) => has_block_text(value),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A text that block style shows as it is.
fn can_be_block(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let shown = |c: char| c == '\n' || is_printable(c);
    body.contains('\n')
        && !body.starts_with([' ', '\n', '\t'])
        && !body.ends_with('\n')
        && body.chars().all(shown)
        && body
            .lines()
            .all(|line| line.trim_end() == line && !line.starts_with('\t'))
}

/// Only a summary is folded: elsewhere a text is looked for by its words.
fn wants_block(text: &str, key: &str, column: usize) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let words: Vec<&str> = body.split(' ').collect();
    let foldable = words.iter().all(|word| !word.is_empty())
        && body.chars().all(|c| is_printable(c) && c != '\t');
    let is_long = column + text.chars().count() > WIDTH || text.len() > body.len();
    can_be_block(text) || (key == "summary" && is_long && foldable)
}

/// Breaks lines at blanks and nowhere else, so that folding them back is exact.
fn folding<'a>(indent: usize) -> textwrap::Options<'a> {
    textwrap::Options::new(WIDTH - indent)
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
}

/// A value in flow style.
fn flow(value: &Value, key: &str) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => match (key, number.as_u64()) {
            ("pattern", Some(byte)) => format!("0x{byte:02X}"),
            ("flags", Some(bits)) => format!("{bits:#x}"),
            (_, _) => number.to_string(),
        },
        Value::String(text) => scalar(text, true),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| flow(item, "")).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| {
                format!("{}: {}", scalar(key, true), flow(value, key))
            };
            let entries: Vec<String> = map.iter().map(entry).collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// A text as it is where YAML reads it back as that text, else between quotes.
fn scalar(text: &str, in_flow: bool) -> String {
    if is_plain(text, in_flow) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        let code = u32::from(c);
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if is_printable(c) => quoted.push(c),
            _ => {
                // Writing into a string cannot fail.
                let _ = write!(quoted, "\\U{code:08X}");
            }
        }
    }
    quoted.push('"');
    quoted
}

/// Words that older readers of YAML take for something else than a text.
const AMBIGUOUS: [&str; 8] = ["y", "n", "yes", "no", "on", "off", "true", "false"];

fn is_plain(text: &str, in_flow: bool) -> bool {
    let first = |c: char| c.is_alphanumeric() || "/_.".contains(c);
    let starts_plain = text.starts_with(first);
    let has_syntax = text.contains(": ") || text.contains(" #") || text.ends_with([':', ' ']);
    let has_flow_syntax = in_flow && text.contains([',', '[', ']', '{', '}', ':']);
    if !starts_plain
        || has_syntax
        || has_flow_syntax
        || !text.chars().all(|c| is_printable(c) && c != '\t')
        || AMBIGUOUS.contains(&text.to_lowercase().as_str())
    {
        return false;
    }
    let Ok(read) = Node::parse(text) else {
        return false;
    };
    matches!(read.kind, Kind::Text(read) if read == text)
}

/// What YAML shows as it is (its `c-printable`, without line breaks and byte order marks).
fn is_printable(c: char) -> bool {
    matches!(c, '\t' | ' '..='~' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
        && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{FEFF}')
}

//! A YAML document as a tree in which every word knows its place.
//!
//! Deriving `Deserialize` for the language itself would stop at the first unknown key and lose
//! the rest. So the text becomes this tree first, and [`super::decode`] reports all problems
//! of it together.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::RequireIndent;
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{Location, Spanned};

use super::diagnostic::{Problem, Span};

/// One value of the document.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) kind: Kind,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Int(i128),
    /// A number with a fraction, by its text: `6.10` is a version, not 6.1.
    Float(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// Reads a document. A problem here is one of YAML itself, and hides all others.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let options = serde_saphyr::options! {
            duplicate_keys: DuplicateKeyPolicy::PassThrough,
            merge_keys: MergeKeyPolicy::Error,
            require_indent: RequireIndent::Even,
            with_snippet: false,
            budget: serde_saphyr::budget! { max_anchors: 0, max_aliases: 0, max_depth: 64 },
        };
        let root: Spanned<Raw> = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| syntax_problem(text, &error))?;
        Ok(Self::placed(text, root))
    }

    fn placed(text: &str, raw: Spanned<Raw>) -> Self {
        let mut span = byte_range(raw.referenced);
        let kind = match raw.value {
            Raw::Null => Kind::Null,
            Raw::Bool(value) => Kind::Bool(value),
            Raw::Int(value) => Kind::Int(value),
            Raw::Float => Kind::Float(text.get(span.clone()).unwrap_or_default().to_owned()),
            Raw::Text(value) => Kind::Text(value),
            Raw::List(items) => {
                let place = |item| Self::placed(text, item);
                Kind::List(items.into_iter().map(place).collect())
            }
            Raw::Map(entries) => {
                let place = |(key, value)| (Self::placed(text, key), Self::placed(text, value));
                Kind::Map(entries.into_iter().map(place).collect())
            }
        };
        // A map without brackets has no text of its own: its first key stands for it, and the
        // only key of a step does so within brackets too.
        if let Kind::Map(entries) = &kind
            && let Some((key, _)) = entries.first()
            && (span.is_empty() || entries.len() == 1)
        {
            span = key.span.clone();
        }
        Self { span, kind }
    }

    /// Something else in the same place.
    pub(super) fn with(&self, kind: Kind) -> Self {
        Self {
            span: self.span.clone(),
            kind,
        }
    }

    /// The value of a key, where the node is a map that has it.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        let Kind::Map(entries) = &self.kind else {
            return None;
        };
        let is_wanted = |key: &Self| matches!(&key.kind, Kind::Text(key) if key == name);
        let entry = entries.iter().find(|(key, _)| is_wanted(key));
        entry.map(|(_, value)| value)
    }

    /// The node as one word; a number by its digits.
    pub(super) fn word(&self) -> Option<String> {
        match &self.kind {
            Kind::Int(value) => Some(value.to_string()),
            Kind::Float(text) | Kind::Text(text) => Some(text.clone()),
            Kind::Null | Kind::Bool(_) | Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// What the node is, for messages: "a list".
    pub(super) fn noun(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "true or false",
            Kind::Int(_) => "a number",
            Kind::Float(_) => "a number with a fraction",
            Kind::Text(_) => "a text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }
}

fn byte_range(location: Location) -> Span {
    let start = location.span().byte_offset().unwrap_or(0);
    let length = location.span().byte_len().unwrap_or(0);
    let index = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
    index(start)..index(start + length)
}

fn syntax_problem(text: &str, error: &serde_saphyr::Error) -> Problem {
    let at = error
        .location()
        .map_or(0, |location| offset_of(text, location));
    let span = at..at;
    let full = error.without_snippet().to_string();
    // The place is shown by the label; keep the message to its first sentence.
    let said = full.lines().next().unwrap_or(&full);
    let said = said.split(" at line ").next().unwrap_or(said);
    let breach = if let serde_saphyr::Error::Budget { breach, .. } = error.without_snippet() {
        Some(breach)
    } else {
        None
    };
    if let Some(BudgetBreach::Anchors { .. } | BudgetBreach::Aliases { .. }) = breach {
        let message = "anchors and aliases are not part of the language";
        return Problem::new("scenario::anchor", span, message)
            .label("here or later in the file")
            .help("write the value out; the same text twice is easier to review");
    }
    if let Some(breach) = breach {
        let message = if matches!(breach, BudgetBreach::Depth { .. }) {
            "nested deeper than any scenario is"
        } else {
            "more of everything than any scenario holds"
        };
        return Problem::new("scenario::too_large", span, message)
            .label("the reader stopped here")
            .help("is this a scenario? split it if it is");
    }
    if said.contains("tabs disallowed") || said.contains("found a tab") {
        // Within a plain text the reader only notices behind it.
        let next = text[at..]
            .find("\n\t")
            .map_or(at, |newline| at + newline + 2);
        let here = text[..at].ends_with('\t');
        let at = if here { at } else { next };
        return Problem::new("scenario::tab", at..at, "a tab cannot indent a line")
            .label("there is a tab in front of this")
            .help("indent with blanks, two for each level");
    }
    if said.contains("recursion limit") {
        let message = "nested deeper than any scenario is";
        return Problem::new("scenario::too_large", span, message).label("the reader stopped here");
    }
    if said.contains("multiple YAML documents") {
        return Problem::new("scenario::yaml", span, "a second document begins")
            .label("behind the line `---`")
            .help("a file holds one scenario: remove `---`");
    }
    Problem::new("scenario::yaml", span, format!("not valid YAML: {said}"))
        .label("the reader stopped here")
        .help("check the indentation (two spaces a level) and the quotes around this place")
}

/// The byte where a location starts; errors of the scanner know only line and column.
fn offset_of(text: &str, location: Location) -> usize {
    let index = |number: u64| usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
    let mut lines = text.split_inclusive('\n');
    let before: usize = lines
        .clone()
        .take(index(location.line()))
        .map(str::len)
        .sum();
    let line = lines.nth(index(location.line())).unwrap_or_default();
    let column = line.char_indices().nth(index(location.column()));
    before + column.map_or(line.trim_end().len(), |(at, _)| at)
}

/// The tree before its spans are moved into it.
enum Raw {
    Null,
    Bool(bool),
    Int(i128),
    Float,
    Text(String),
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<Self>, Spanned<Self>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Int(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Int(value.into()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Raw, E> {
        Ok(Raw::Int(i128::try_from(value).unwrap_or(i128::MAX)))
    }

    fn visit_f64<E>(self, _value: f64) -> Result<Raw, E> {
        Ok(Raw::Float)
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_knows_its_place() {
        let text = "disks:\n  vda: { format: raw }\n";
        let root = Node::parse(text).unwrap();
        let Kind::Map(top) = &root.kind else {
            panic!("not a map")
        };
        assert_eq!(&text[top[0].0.span.clone()], "disks");
        let Kind::Map(disks) = &top[0].1.kind else {
            panic!("not a map")
        };
        let Kind::Map(fields) = &disks[0].1.kind else {
            panic!("not a map")
        };
        assert_eq!(&text[fields[0].1.span.clone()], "raw");
    }

    #[test]
    fn anchors_are_refused() {
        let problem = Node::parse("a: &x 1\nb: *x\n").unwrap_err();
        assert_eq!(problem.code, "scenario::anchor");
    }

    #[test]
    fn duplicate_keys_reach_the_tree() {
        let root = Node::parse("a: 1\na: 2\n").unwrap();
        let Kind::Map(top) = &root.kind else {
            panic!("not a map")
        };
        assert_eq!(top.len(), 2);
    }
}

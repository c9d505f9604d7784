//! The keys and items of a file by their places, for what stands beside them.

use std::ops::Range;

use super::tree::{Kind, Node};

/// A step on the way from the root to a part: a key, or the number of an item.
pub(super) type Path = Vec<String>;

/// A key with its value, or an item.
pub(super) struct Part {
    pub(super) start: usize,
    /// Of the key, or of the item's dash.
    pub(super) column: usize,
    /// Where the text of a value starts; a list or map starts with its parts.
    pub(super) value_start: usize,
    pub(super) is_container: bool,
    pub(super) path: Path,
    pub(super) parent: Option<usize>,
}

/// The parts of a file in the order they start, outer ones first.
pub(super) struct Parts<'a> {
    pub(super) text: &'a str,
    pub(super) lines: Vec<usize>,
    pub(super) all: Vec<Part>,
    pub(super) scalars: Vec<Range<usize>>,
}

impl<'a> Parts<'a> {
    pub(super) fn of(text: &'a str, root: &Node) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let mut parts = Self {
            text,
            lines: std::iter::once(0).chain(breaks).collect(),
            all: Vec::new(),
            scalars: Vec::new(),
        };
        parts.visit(root, &Vec::new(), None);
        parts
    }

    fn visit(&mut self, node: &Node, path: &Path, parent: Option<usize>) {
        let child = |name: String| [path.as_slice(), &[name]].concat();
        match &node.kind {
            Kind::List(items) => {
                for (number, item) in items.iter().enumerate() {
                    let start = item.span.start;
                    self.push(start, item, &child(number.to_string()), parent, true);
                }
            }
            Kind::Map(entries) => {
                for (key, value) in entries {
                    self.scalars.push(key.span.clone());
                    let path = child(key.word().unwrap_or_default());
                    self.push(key.span.start, value, &path, parent, false);
                }
            }
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) | Kind::Text(_) => {
                self.scalars.push(node.span.clone());
            }
        }
    }

    fn push(
        &mut self,
        start: usize,
        value: &Node,
        path: &Path,
        parent: Option<usize>,
        is_item: bool,
    ) {
        let line = self.lines[self.lines.partition_point(|line| *line <= start) - 1];
        let before = self.text.get(line..start).unwrap_or_default();
        let dash = before.trim_end_matches([' ', '{']);
        let is_container = matches!(value.kind, Kind::List(_) | Kind::Map(_));
        let is_text = !is_container && !matches!(value.kind, Kind::Null);
        let column = match dash.strip_suffix('-') {
            Some(margin) if is_item => margin.len(),
            Some(_) | None => before.len(),
        };
        self.all.push(Part {
            start,
            column,
            value_start: if is_text { value.span.start } else { start },
            is_container,
            path: path.clone(),
            parent,
        });
        let number = self.all.len() - 1;
        self.visit(value, path, Some(number));
    }

    /// Where a comment starts in a line; a `#` inside a scalar starts none.
    pub(super) fn hash(&self, line: &str, start: usize) -> Option<usize> {
        let is_free = |at: usize| {
            let before = line[..at].chars().next_back();
            let number = self
                .scalars
                .partition_point(|scalar| scalar.start <= start + at);
            let last = number
                .checked_sub(1)
                .and_then(|last| self.scalars.get(last));
            let is_inside = last.is_some_and(|scalar| scalar.contains(&(start + at)));
            before.is_none_or(char::is_whitespace) && !is_inside
        };
        let mut hashes = line.match_indices('#').map(|(at, _)| at);
        hashes.find(|at| is_free(*at))
    }

    /// The number of the first part behind a byte.
    pub(super) fn first_after(&self, byte: usize) -> usize {
        self.all.partition_point(|part| part.start <= byte)
    }

    /// The innermost list or map that is open behind a part and whose entries start at a column or
    /// left of it.
    pub(super) fn block_at(&self, last: usize, column: usize) -> Path {
        let parent = |part: &&Part| part.parent.map(|parent| &self.all[parent]);
        let mut open = std::iter::successors(Some(&self.all[last]), parent);
        let Some(part) = open.find(|part| part.column <= column) else {
            return Vec::new();
        };
        if part.is_container && part.column < column {
            return part.path.clone();
        }
        parent(&part).map_or_else(Vec::new, |parent| parent.path.clone())
    }

    /// The outermost part that starts between the start of a line and `byte`; else the last one
    /// before.
    pub(super) fn on_line(&self, line: usize, byte: usize) -> Option<&Path> {
        let first = self.all.partition_point(|part| part.start < line);
        let on_line = self.all.get(first).filter(|part| part.start < byte);
        let before = first.checked_sub(1).and_then(|last| self.all.get(last));
        on_line.or(before).map(|part| &part.path)
    }
}

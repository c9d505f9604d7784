//! The comments of a file, and what each of them is about.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};

use serde_json::Value;

use super::tree::{Kind, Node};

/// A step on the way from the root to a part: a key, or the number of an item.
pub(super) type Path = Vec<String>;

/// Comments by the part they belong to. [`super::emit`] takes each where it writes the part.
#[derive(Clone, Debug, Default)]
pub(super) struct Comments {
    /// About the whole file, above its first part in the canonical order.
    head: Vec<Comment>,
    above: BTreeMap<Path, Vec<Comment>>,
    beside: BTreeMap<Path, Comment>,
    /// Behind the last entry of a list or map.
    below: BTreeMap<Path, Vec<Comment>>,
    end: Vec<Comment>,
}

/// A comment from its `#` on; an empty text is the blank line between two comments.
#[derive(Clone, Debug)]
struct Comment {
    text: String,
    place: Range<usize>,
}

impl Comments {
    /// Finds the comments of a text, whose tree is `root`.
    pub(super) fn of(text: &str, root: &Node) -> Self {
        let parts = Parts::of(text, root);
        let mut comments = Self::default();
        let mut start = 0;
        let mut blank = false;
        for line in text.split_inclusive('\n') {
            if let Some(at) = parts.hash(line, start) {
                let comment = Comment {
                    text: line[at..].trim_end().to_owned(),
                    place: start + at..start + line.trim_end().len(),
                };
                if line[..at].trim().is_empty() {
                    comments.put_line(&parts, comment, at, blank);
                } else {
                    comments.put_beside(&parts, comment, start);
                }
                blank = false;
            } else {
                blank = line.trim().is_empty();
            }
            start += line.len();
        }
        if let Some(first) = parts.all.first() {
            comments.split_head(text, first);
        }
        comments
    }

    /// A comment that has a line of its own, by what is around it and by its column.
    fn put_line(&mut self, parts: &Parts, comment: Comment, column: usize, after_blank: bool) {
        let at = comment.place.start;
        let number = parts.first_after(at);
        let next = parts.all.get(number);
        let group = match number.checked_sub(1).map(|last| (last, &parts.all[last])) {
            None => &mut self.head,
            Some((_, last)) if last.value_start > at => {
                self.above.entry(last.path.clone()).or_default()
            }
            Some((last, _)) => {
                let block = parts.block_at(last, column);
                let ends_block = next.is_none_or(|next| {
                    next.column < column && !next.path.starts_with(block.as_slice())
                });
                if ends_block && !block.is_empty() {
                    self.below.entry(block).or_default()
                } else if let Some(next) = next {
                    self.above.entry(next.path.clone()).or_default()
                } else {
                    &mut self.end
                }
            }
        };
        if after_blank && !group.is_empty() {
            group.push(Comment {
                text: String::new(),
                place: comment.place.clone(),
            });
        }
        group.push(comment);
    }

    fn put_beside(&mut self, parts: &Parts, comment: Comment, line: usize) {
        match parts.on_line(line, comment.place.start) {
            None => self.head.push(comment),
            Some(path) if self.beside.contains_key(path) => {
                self.above.entry(path.clone()).or_default().push(comment);
            }
            Some(path) => {
                self.beside.insert(path.clone(), comment);
            }
        }
    }

    /// What touches the first key is about that key, which may come later in the canonical order.
    fn split_head(&mut self, text: &str, first: &Part) {
        let Some(last) = self.head.last() else {
            return;
        };
        let between = text.get(last.place.end..first.start).unwrap_or_default();
        if first.path == ["format"] || between.matches('\n').count() > 1 {
            return;
        }
        let blank = self.head.iter().rposition(|line| line.text.is_empty());
        let own = self.head.split_off(blank.map_or(0, |blank| blank + 1));
        self.head.pop();
        self.above.insert(first.path.clone(), own);
    }

    /// Moves what the canonical form of `value` shows elsewhere: the first line of an item is that
    /// of its first key, and what has no entries has no end of its own.
    pub(super) fn settle(&mut self, value: &Value) {
        if let Some(first) = value.as_object().and_then(|map| map.keys().next()) {
            let own = self.above.remove(std::slice::from_ref(first));
            self.head.extend(own.unwrap_or_default());
        }
        self.settle_part(value, &mut Vec::new());
    }

    fn settle_part(&mut self, value: &Value, path: &mut Path) {
        let is_open = match value {
            Value::Array(items) => !items.is_empty(),
            Value::Object(map) => !map.is_empty(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        };
        if !is_open && let Some(own) = self.below.remove(path) {
            self.above.entry(path.clone()).or_default().extend(own);
        }
        for (key, value) in value.as_object().into_iter().flatten() {
            path.push(key.clone());
            self.settle_part(value, path);
            path.pop();
        }
        for (number, item) in value.as_array().into_iter().flatten().enumerate() {
            path.push(number.to_string());
            self.settle_part(item, path);
            if let Some(first) = item.as_object().and_then(|map| map.keys().next()) {
                self.settle_first(path, first);
            }
            path.pop();
        }
    }

    fn settle_first(&mut self, item: &Path, first: &String) {
        let key = [item.as_slice(), std::slice::from_ref(first)].concat();
        let mut own = self.above.remove(&key).unwrap_or_default();
        if let Some(beside) = self.beside.remove(&key) {
            if self.beside.contains_key(item) {
                own.push(beside);
            } else {
                self.beside.insert(item.clone(), beside);
            }
        }
        if !own.is_empty() {
            self.above.entry(item.clone()).or_default().extend(own);
        }
    }

    /// The lines at the top of the file.
    pub(super) fn take_head(&mut self) -> Vec<String> {
        texts(std::mem::take(&mut self.head))
    }

    /// The lines above a part.
    pub(super) fn take_above(&mut self, path: &Path) -> Vec<String> {
        texts(self.above.remove(path).unwrap_or_default())
    }

    /// The comment at the end of a part's first line.
    pub(super) fn take_beside(&mut self, path: &Path) -> Option<String> {
        self.beside.remove(path).map(|comment| comment.text)
    }

    /// Puts a comment that was taken beside another part.
    pub(super) fn give_beside(&mut self, path: Path, text: String) {
        let place = 0..0;
        self.beside.entry(path).or_insert(Comment { text, place });
    }

    /// The lines behind the last entry of a list or map.
    pub(super) fn take_below(&mut self, path: &Path) -> Vec<String> {
        texts(self.below.remove(path).unwrap_or_default())
    }

    /// The lines behind the last part.
    pub(super) fn take_end(&mut self) -> Vec<String> {
        texts(std::mem::take(&mut self.end))
    }

    /// True where something inside a part has a comment, so that it needs lines of its own.
    pub(super) fn any_inside(&self, path: &Path) -> bool {
        // All that starts with a path comes right behind it.
        let behind = (Bound::Excluded(path), Bound::Unbounded);
        let next = [
            self.above.range::<Path, _>(behind).next().map(|at| at.0),
            self.beside.range::<Path, _>(behind).next().map(|at| at.0),
            self.below.range::<Path, _>(path..).next().map(|at| at.0),
        ];
        let mut next = next.into_iter().flatten();
        next.any(|found| found.starts_with(path))
    }

    /// The places of all comments that were not taken.
    pub(super) fn places(&self) -> impl Iterator<Item = Range<usize>> {
        self.all().map(|(_, _, comment)| comment.place.clone())
    }

    /// True where each comment stands at the same part, in the same way, in the same order.
    pub(super) fn agree_with(&self, other: &Self) -> bool {
        let told = |(kind, path, comment): (Kept, Option<&Path>, &Comment)| {
            (kind, path.cloned(), comment.text.clone())
        };
        self.all().map(told).eq(other.all().map(told))
    }

    fn all(&self) -> impl Iterator<Item = (Kept, Option<&Path>, &Comment)> {
        let whole = [(Kept::Head, &self.head), (Kept::End, &self.end)];
        let whole = whole.into_iter();
        let above = self
            .above
            .iter()
            .map(|(path, group)| (Kept::Above, path, group));
        let below = self
            .below
            .iter()
            .map(|(path, group)| (Kept::Below, path, group));
        let groups = above
            .chain(below)
            .map(|(kind, path, group)| (kind, Some(path), group));
        let beside = self
            .beside
            .iter()
            .map(|(path, own)| (Kept::Beside, Some(path), own));
        let groups = whole.map(|(kind, group)| (kind, None, group)).chain(groups);
        let lines =
            groups.flat_map(|(kind, path, group)| group.iter().map(move |own| (kind, path, own)));
        lines
            .chain(beside)
            .filter(|(_, _, own)| !own.text.is_empty())
    }
}

/// Where a comment stands, seen from its part.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kept {
    Head,
    Above,
    Beside,
    Below,
    End,
}

fn texts(comments: Vec<Comment>) -> Vec<String> {
    comments.into_iter().map(|comment| comment.text).collect()
}

/// A key with its value, or an item.
struct Part {
    start: usize,
    /// Of the key, or of the item's dash.
    column: usize,
    /// Where the text of a value starts; a list or map starts with its parts.
    value_start: usize,
    is_container: bool,
    path: Path,
    parent: Option<usize>,
}

/// The parts of a file in the order they start, outer ones first.
struct Parts<'a> {
    text: &'a str,
    lines: Vec<usize>,
    all: Vec<Part>,
    scalars: Vec<Range<usize>>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str, root: &Node) -> Self {
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
    fn hash(&self, line: &str, start: usize) -> Option<usize> {
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
    fn first_after(&self, byte: usize) -> usize {
        self.all.partition_point(|part| part.start <= byte)
    }

    /// The innermost list or map that is open behind a part and whose entries start at a column or
    /// left of it.
    fn block_at(&self, last: usize, column: usize) -> Path {
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
    fn on_line(&self, line: usize, byte: usize) -> Option<&Path> {
        let first = self.all.partition_point(|part| part.start < line);
        let on_line = self.all.get(first).filter(|part| part.start < byte);
        let before = first.checked_sub(1).and_then(|last| self.all.get(last));
        on_line.or(before).map(|part| &part.path)
    }
}

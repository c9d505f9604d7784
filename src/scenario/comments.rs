//! The comments of a file, and what each of them is about.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};

use serde_json::Value;

use super::parts::{Part, Parts, Path};
use super::tree::Node;

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

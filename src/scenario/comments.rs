//! The comments of a file, and what each of them is about.

use std::collections::BTreeMap;
use std::ops::Range;

use super::tree::{Kind, Node};

/// A step on the way from the root to a part: a key, or the number of an item.
pub(super) type Path = Vec<String>;

/// Comments by the part they belong to. [`super::emit`] takes each where it writes the part.
#[derive(Clone, Debug, Default)]
pub(super) struct Comments {
    /// Above the first part of the file, whichever the canonical order puts first.
    head: Vec<Comment>,
    above: BTreeMap<Path, Vec<Comment>>,
    beside: BTreeMap<Path, Comment>,
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
        let mut parts = Parts::default();
        parts.visit(root, &Vec::new());
        let mut comments = Self::default();
        let mut start = 0;
        let mut blank = false;
        for line in text.split_inclusive('\n') {
            let found = hash(line, start, &parts.scalars);
            match found {
                Some(at) => {
                    let comment = Comment {
                        text: line[at..].trim_end().to_owned(),
                        place: start + at..start + line.trim_end().len(),
                    };
                    if line[..at].trim().is_empty() {
                        comments.put_above(&parts, comment, blank);
                    } else {
                        comments.put_beside(&parts, comment, start);
                    }
                    blank = false;
                }
                None => blank = line.trim().is_empty(),
            }
            start += line.len();
        }
        comments
    }

    fn put_above(&mut self, parts: &Parts, comment: Comment, after_blank: bool) {
        let group = match parts.first_after(comment.place.start) {
            Some((0, _)) => &mut self.head,
            Some((_, path)) => self.above.entry(path.clone()).or_default(),
            None => &mut self.end,
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
            Some(path) if !self.beside.contains_key(path) => {
                self.beside.insert(path.clone(), comment);
            }
            Some(_) | None => self.put_above(parts, comment, false),
        }
    }

    /// The lines at the top of the file.
    pub(super) fn take_head(&mut self) -> Vec<String> {
        let taken = std::mem::take(&mut self.head);
        taken.into_iter().map(|comment| comment.text).collect()
    }

    /// The lines above a part.
    pub(super) fn take_above(&mut self, path: &Path) -> Vec<String> {
        let taken = self.above.remove(path).unwrap_or_default();
        taken.into_iter().map(|comment| comment.text).collect()
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

    /// The lines behind the last part.
    pub(super) fn take_end(&mut self) -> Vec<String> {
        let taken = std::mem::take(&mut self.end);
        taken.into_iter().map(|comment| comment.text).collect()
    }

    /// True where something inside a part has a comment, so that it needs lines of its own.
    pub(super) fn any_inside(&self, path: &Path) -> bool {
        let inside = |found: &Path| found.len() > path.len() && found.starts_with(path);
        self.above.keys().chain(self.beside.keys()).any(inside)
    }

    /// The places of all comments that were not taken.
    pub(super) fn places(&self) -> impl Iterator<Item = Range<usize>> {
        self.all().map(|comment| comment.place.clone())
    }

    /// The texts of all comments, sorted.
    pub(super) fn words(&self) -> Vec<&str> {
        let mut words: Vec<&str> = self.all().map(|comment| comment.text.as_str()).collect();
        words.sort_unstable();
        words
    }

    fn all(&self) -> impl Iterator<Item = &Comment> {
        let above = self
            .head
            .iter()
            .chain(self.above.values().flatten())
            .chain(&self.end);
        let all = above.chain(self.beside.values());
        all.filter(|comment| !comment.text.is_empty())
    }
}

/// Where a comment starts in a line; a `#` inside a scalar starts none.
fn hash(line: &str, start: usize, scalars: &[Range<usize>]) -> Option<usize> {
    let is_free = |at: usize| {
        let before = line[..at].chars().next_back();
        let inside = |scalar: &Range<usize>| scalar.contains(&(start + at));
        before.is_none_or(char::is_whitespace) && !scalars.iter().any(inside)
    };
    let mut hashes = line.match_indices('#').map(|(at, _)| at);
    hashes.find(|at| is_free(*at))
}

/// The parts of a file in the order they start, outer ones first.
#[derive(Default)]
struct Parts {
    starts: Vec<(usize, Path)>,
    scalars: Vec<Range<usize>>,
}

impl Parts {
    fn visit(&mut self, node: &Node, path: &Path) {
        let child = |name: String| [path.as_slice(), &[name]].concat();
        match &node.kind {
            Kind::List(items) => {
                for (number, item) in items.iter().enumerate() {
                    let path = child(number.to_string());
                    self.starts.push((item.span.start, path.clone()));
                    self.visit(item, &path);
                }
            }
            Kind::Map(entries) => {
                for (key, value) in entries {
                    let path = child(key.word().unwrap_or_default());
                    self.starts.push((key.span.start, path.clone()));
                    self.scalars.push(key.span.clone());
                    self.visit(value, &path);
                }
            }
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) | Kind::Text(_) => {
                self.scalars.push(node.span.clone());
            }
        }
    }

    /// The first part behind a byte, and its number.
    fn first_after(&self, byte: usize) -> Option<(usize, &Path)> {
        let mut parts = self.starts.iter().enumerate();
        let found = parts.find(|(_, (start, _))| *start > byte);
        found.map(|(number, (_, path))| (number, path))
    }

    /// The outermost part that starts between the start of a line and `byte`; else the last one
    /// before.
    fn on_line(&self, line: usize, byte: usize) -> Option<&Path> {
        let mut before = self.starts.iter().filter(|(start, _)| *start < byte);
        let on_line = before.clone().find(|(start, _)| *start >= line);
        on_line.or_else(|| before.next_back()).map(|(_, path)| path)
    }
}

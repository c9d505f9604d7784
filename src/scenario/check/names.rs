//! Names that a story brings up, and those it has used so far.

use std::collections::BTreeSet;

use crate::scenario::diagnostic::Problem;
use crate::scenario::syntax::Spanned;

/// Names of one kind that exist at one point of the story.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// "checkpoint".
    noun: &'static str,
    /// The code of a name that does not exist.
    code: &'static str,
    known: BTreeSet<String>,
    /// A raw call may have made or removed some.
    open: bool,
}

impl Names {
    pub(super) const fn new(noun: &'static str, code: &'static str) -> Self {
        Self {
            noun,
            code,
            known: BTreeSet::new(),
            open: false,
        }
    }

    /// Takes note of a new name.
    pub(super) fn add(&mut self, name: &str) {
        self.known.insert(name.to_owned());
    }

    /// A new name, which must not exist yet.
    pub(super) fn introduce(&mut self, name: &Spanned<String>) -> Option<Problem> {
        self.add_new(name).then(|| {
            Problem::new(
                "scenario::name_taken",
                name.span.clone(),
                format!("there is a {} `{}` already", self.noun, name.value),
            )
            .label("the second one of this name")
            .help("give it another name")
        })
    }

    /// True where the name exists already.
    fn add_new(&mut self, name: &Spanned<String>) -> bool {
        !self.known.insert(name.value.clone()) && !self.open
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.known.remove(name);
    }

    pub(super) fn clear(&mut self) {
        self.known.clear();
    }

    /// From here on any name may exist.
    pub(super) const fn open(&mut self) {
        self.open = true;
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.open || self.known.contains(name)
    }

    /// The names that nobody has removed.
    pub(super) fn left(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(String::as_str)
    }

    /// A problem where the name does not exist.
    pub(super) fn missing(&self, name: &Spanned<String>) -> Option<Problem> {
        if self.has(&name.value) {
            return None;
        }
        let problem = Problem::new(
            self.code,
            name.span.clone(),
            format!("unknown {} `{}`", self.noun, name.value),
        )
        .label(format!(
            "no such {} at this point of the history",
            self.noun
        ));
        Some(if self.known.is_empty() {
            problem.help(format!("there is no {} yet", self.noun))
        } else {
            problem.suggest(&name.value, self.left())
        })
    }
}

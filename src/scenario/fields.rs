//! Reading maps while collecting every problem on the way.

use std::str::FromStr;

use super::diagnostic::{Problem, Span};
use super::syntax::Spanned;
use super::tree::{Kind, Node};

/// The problems found so far.
#[derive(Default)]
pub(super) struct Collected(pub(super) Vec<Problem>);

impl Collected {
    pub(super) fn report(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    fn wrong_kind(&mut self, node: &Node, what: &str, wanted: &str) {
        let message = format!("{what} is {wanted}, not {}", node.noun());
        self.report(
            Problem::new("scenario::wrong_kind", node.span.clone(), message)
                .label(format!("{wanted} is wanted here")),
        );
    }

    /// The entries of a map, or a problem.
    pub(super) fn map<'a>(&mut self, node: &'a Node, what: &'static str) -> Option<Fields<'a>> {
        let Kind::Map(entries) = &node.kind else {
            self.wrong_kind(node, what, "a map");
            return None;
        };
        let mut fields = Fields {
            what,
            span: node.span.clone(),
            entries: Vec::new(),
            known: Vec::new(),
        };
        for (key, value) in entries {
            let Kind::Text(name) = &key.kind else {
                self.wrong_kind(key, "a key", "a text");
                continue;
            };
            if fields
                .entries
                .iter()
                .any(|entry: &Entry<'_>| entry.name == name)
            {
                self.report(
                    Problem::new(
                        "scenario::duplicate_key",
                        key.span.clone(),
                        format!("`{name}` stands here twice"),
                    )
                    .label("the second one")
                    .help("remove one of them"),
                );
                continue;
            }
            fields.entries.push(Entry {
                name,
                key: &key.span,
                value,
                used: false,
            });
        }
        Some(fields)
    }

    /// The items of a list, or a problem.
    pub(super) fn list<'a>(&mut self, node: &'a Node, what: &'static str) -> Option<&'a [Node]> {
        let Kind::List(items) = &node.kind else {
            self.wrong_kind(node, what, "a list");
            return None;
        };
        Some(items)
    }

    pub(super) fn text(&mut self, node: &Node, what: &'static str) -> Option<Spanned<String>> {
        let Kind::Text(text) = &node.kind else {
            self.wrong_kind(node, what, "a text");
            if matches!(node.kind, Kind::Int(_) | Kind::Bool(_) | Kind::Float)
                && let Some(problem) = self.0.last_mut()
            {
                problem.help = Some("put it between quotes".to_owned());
            }
            return None;
        };
        Some(Spanned {
            value: text.clone(),
            span: node.span.clone(),
        })
    }

    /// A list of texts, without those that are none.
    pub(super) fn texts(&mut self, node: &Node, what: &'static str) -> Vec<Spanned<String>> {
        let items = self.list(node, what).unwrap_or_default();
        items
            .iter()
            .filter_map(|item| self.text(item, what))
            .collect()
    }

    pub(super) fn flag(&mut self, node: &Node, what: &'static str) -> Option<bool> {
        let Kind::Bool(value) = node.kind else {
            self.wrong_kind(node, what, "true or false");
            return None;
        };
        Some(value)
    }

    pub(super) fn number<N: TryFrom<i128>>(
        &mut self,
        node: &Node,
        what: &'static str,
        range: &str,
    ) -> Option<N> {
        let Kind::Int(value) = node.kind else {
            self.wrong_kind(node, what, "a number");
            return None;
        };
        let number = N::try_from(value).ok();
        if number.is_none() {
            self.report(Problem::new(
                "scenario::out_of_range",
                node.span.clone(),
                format!("{what} is {range}, not {value}"),
            ));
        }
        number
    }

    /// A word that parses as `T`; numbers are taken by their digits.
    pub(super) fn word<T>(&mut self, node: &Node, what: &'static str) -> Option<Spanned<T>>
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        let text = match &node.kind {
            Kind::Text(text) => text.clone(),
            Kind::Int(value) => value.to_string(),
            Kind::Null | Kind::Bool(_) | Kind::Float | Kind::List(_) | Kind::Map(_) => {
                self.wrong_kind(node, what, "a word");
                return None;
            }
        };
        match text.parse() {
            Ok(value) => Some(Spanned {
                value,
                span: node.span.clone(),
            }),
            Err(error) => {
                self.report(Problem::new(
                    "scenario::bad_value",
                    node.span.clone(),
                    format!("{what} `{text}`: {error}"),
                ));
                None
            }
        }
    }

    /// A word out of a closed set.
    pub(super) fn choice<T>(
        &mut self,
        node: &Node,
        what: &'static str,
        code: &'static str,
        known: &[&str],
    ) -> Option<T>
    where
        T: FromStr,
    {
        let text = self.text(node, what)?;
        let parsed = text.value.parse().ok();
        if parsed.is_none() {
            self.report(
                Problem::new(code, text.span, format!("unknown {what} `{}`", text.value))
                    .label("not in the catalogue")
                    .suggest(&text.value, known.iter().copied()),
            );
        }
        parsed
    }
}

struct Entry<'a> {
    name: &'a str,
    key: &'a Span,
    value: &'a Node,
    used: bool,
}

/// The entries of one map; what was not asked for is reported by [`Fields::finish`].
pub(super) struct Fields<'a> {
    what: &'static str,
    span: Span,
    entries: Vec<Entry<'a>>,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    pub(super) fn optional(&mut self, name: &'static str) -> Option<&'a Node> {
        self.known.push(name);
        let entry = self.entries.iter_mut().find(|entry| entry.name == name)?;
        entry.used = true;
        Some(entry.value)
    }

    pub(super) fn required(
        &mut self,
        problems: &mut Collected,
        name: &'static str,
    ) -> Option<&'a Node> {
        let found = self.optional(name);
        if found.is_none() {
            let start = self.span.start;
            problems.report(
                Problem::new(
                    "scenario::missing_key",
                    start..start + 1,
                    format!("{} has no `{name}`", self.what),
                )
                .label(format!("`{name}` is missing in this map")),
            );
        }
        found
    }

    /// A text that must be there.
    pub(super) fn text(
        &mut self,
        problems: &mut Collected,
        name: &'static str,
        what: &'static str,
    ) -> Option<Spanned<String>> {
        self.required(problems, name)
            .and_then(|node| problems.text(node, what))
    }

    /// A text that may be absent; `None` where it is wrong.
    #[expect(clippy::option_option, reason = "absent and wrong are two things")]
    pub(super) fn text_if_given(
        &mut self,
        problems: &mut Collected,
        name: &'static str,
        what: &'static str,
    ) -> Option<Option<Spanned<String>>> {
        whole(self.optional(name).map(|node| problems.text(node, what)))
    }

    /// A flag that is false where it is absent.
    pub(super) fn flag(
        &mut self,
        problems: &mut Collected,
        name: &'static str,
        what: &'static str,
    ) -> Option<bool> {
        self.optional(name)
            .map_or(Some(false), |node| problems.flag(node, what))
    }

    /// A word that parses and must be there.
    pub(super) fn word<T>(
        &mut self,
        problems: &mut Collected,
        name: &'static str,
        what: &'static str,
    ) -> Option<Spanned<T>>
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        self.required(problems, name)
            .and_then(|node| problems.word(node, what))
    }

    /// Every entry, for a map whose keys are names.
    pub(super) fn all(mut self) -> impl Iterator<Item = (Spanned<String>, &'a Node)> {
        let entries = std::mem::take(&mut self.entries);
        entries.into_iter().map(|entry| {
            (
                Spanned {
                    value: entry.name.to_owned(),
                    span: entry.key.clone(),
                },
                entry.value,
            )
        })
    }

    pub(super) fn finish(self, problems: &mut Collected) {
        for entry in self.entries.iter().filter(|entry| !entry.used) {
            problems.report(
                Problem::new(
                    "scenario::unknown_key",
                    entry.key.clone(),
                    format!("unknown key `{}` in {}", entry.name, self.what),
                )
                .label("not a key here")
                .suggest(entry.name, self.known.iter().copied()),
            );
        }
    }
}

/// Turns "absent, wrong or right" into "wrong, or an optional value".
#[expect(clippy::option_option, reason = "that is the conversion")]
pub(super) fn whole<T>(field: Option<Option<T>>) -> Option<Option<T>> {
    match field {
        None => Some(None),
        Some(None) => None,
        Some(right) => Some(right),
    }
}

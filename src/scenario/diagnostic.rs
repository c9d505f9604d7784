//! Problems of a scenario file, each with its place and a way out.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A range of bytes of the scenario's text.
pub(super) type Span = Range<usize>;

/// One problem: what is wrong, where, and how to mend it. Text and path are joined later, by
/// [`Diagnostics`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// Stable identifier, such as `scenario::unknown_disk`.
    pub code: &'static str,
    /// The bytes of the text that are wrong.
    pub span: Span,
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
    /// What stands under the marked place.
    pub label: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl Problem {
    pub(super) fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            span,
            message: message.into(),
            label: "here".to_owned(),
            help: None,
        }
    }

    pub(super) fn label(self, label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            ..self
        }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }

    /// By place; what is equal stands together.
    fn order(&self) -> (usize, usize, &str, &str) {
        (self.span.start, self.span.end, self.code, &self.message)
    }

    /// Adds "did you mean" with the nearest of `known`, or the list of them.
    pub(super) fn suggest<'a>(self, wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        match meant(wrong, known.iter().copied()) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None if known.is_empty() || known.len() > 24 => self,
            None => self.help(format!("known: {}", known.join(", "))),
        }
    }
}

/// The known word that a wrong one is most like, where it is like one.
pub(super) fn meant<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let score = |name: &str| strsim::jaro_winkler(wrong, name);
    let nearest = known.max_by(|a, b| score(a).total_cmp(&score(b)))?;
    (score(nearest) > 0.75).then_some(nearest)
}

/// A place in a file as editors count it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// All problems of one scenario file, in the order of their places.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    path: PathBuf,
    source: Arc<str>,
    problems: Vec<Problem>,
}

impl Diagnostics {
    pub(super) fn new(path: &Path, text: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|a, b| a.order().cmp(&b.order()));
        // The cases of a matrix share what they do not replace, and its problems.
        problems.dedup_by(|a, b| a.order() == b.order());
        Self {
            path: path.to_owned(),
            source: text.into(),
            problems,
        }
    }

    /// The only problem of a file that cannot be read as text.
    #[must_use]
    pub fn unreadable(path: &Path, reason: &str) -> Self {
        let problem = Problem::new(
            "scenario::unreadable",
            0..0,
            format!("the file cannot be read: {reason}"),
        );
        let problem = problem.help("a scenario is a text in UTF-8 that this user may read");
        Self::new(path, "", vec![problem])
    }

    /// The problems, in the order of their places.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The file, as it is named in messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the marked text of a problem starts, and where it ends.
    #[must_use]
    pub fn places_of(&self, problem: &Problem) -> (Place, Place) {
        let place = |byte: usize| {
            let before = &self.source[..self.source.floor_char_boundary(byte)];
            let line = before.rsplit('\n').next().unwrap_or(before);
            Place {
                line: before.matches('\n').count() + 1,
                column: line.chars().count() + 1,
            }
        };
        (place(problem.span.start), place(problem.span.end))
    }

    /// The problems as a person reads them, at most 80 columns wide.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let theme = if colour {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(80)
            .with_links(false);
        let mut text = String::new();
        for problem in &self.problems {
            let report = Placed {
                problem,
                source: NamedSource::new(self.path.to_string_lossy(), Arc::clone(&self.source)),
            };
            // Writing into a string cannot fail; a rendering error still must not hide the problem.
            if handler.render_report(&mut text, &report).is_err() {
                text.push_str(&problem.message);
                text.push('\n');
            }
        }
        text
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        write!(f, "{} has {count} {noun}", self.path.display())
    }
}

impl std::error::Error for Diagnostics {}

/// A problem joined with its text.
#[derive(Debug)]
struct Placed<'a> {
    problem: &'a Problem,
    source: NamedSource<Arc<str>>,
}

impl fmt::Display for Placed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl std::error::Error for Placed<'_> {}

impl Diagnostic for Placed<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.problem.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.problem.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label =
            LabeledSpan::new_with_span(Some(self.problem.label.clone()), self.problem.span.clone());
        Some(Box::new(std::iter::once(label)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let text = "a: 1\nü: bäd\n";
        let at = |start| Problem::new("scenario::x", start..start + 1, "wrong");
        let place = |start| {
            let problem = at(start);
            let diagnostics = Diagnostics::new(Path::new("x.yaml"), text, vec![problem.clone()]);
            let (start, _) = diagnostics.places_of(&problem);
            (start.line, start.column)
        };
        assert_eq!(place(0), (1, 1));
        assert_eq!(place(9), (2, 4));
        assert_eq!(place(500), (3, 1), "behind the end");
        assert_eq!(place(6), (2, 1), "inside a character");
    }
}

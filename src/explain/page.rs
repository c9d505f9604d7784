//! A page of text, 80 columns wide.

use textwrap::Options;

const WIDTH: usize = 80;

/// Text under a title, in sections.
#[derive(Debug)]
pub(super) struct Page(String);

impl Page {
    /// A page with its title.
    pub(super) fn new(title: &str) -> Self {
        let mut page = Self(String::new());
        page.wrap(title, "", "");
        page
    }

    /// Begins a section.
    pub(super) fn section(&mut self, heading: &str) {
        self.line("");
        self.line(heading);
    }

    pub(super) fn paragraph(&mut self, text: &str) {
        self.wrap(text, "  ", "  ");
    }

    /// What must be done, in order.
    pub(super) fn steps<S: AsRef<str>>(&mut self, steps: impl IntoIterator<Item = S>) {
        for (number, step) in (1..).zip(steps) {
            self.wrap(step.as_ref(), &format!("{number:>4}. "), "      ");
        }
    }

    pub(super) fn bullets<S: AsRef<str>>(&mut self, items: impl IntoIterator<Item = S>) {
        for item in items {
            self.wrap(item.as_ref(), "  - ", "    ");
        }
    }

    /// A word and what it is, in two columns.
    pub(super) fn row(&mut self, word: &str, text: &str) {
        let others = "            ";
        if word.chars().count() < 10 {
            self.wrap(text, &format!("  {word:<10}"), others);
        } else {
            self.line(&format!("  {word}"));
            self.wrap(text, others, others);
        }
    }

    /// Lines that stay as they are.
    pub(super) fn verbatim(&mut self, text: &str) {
        for line in text.lines() {
            self.line(&format!("    {line}"));
        }
    }

    /// Names, one a line; `none` where there are none.
    pub(super) fn names<'a>(&mut self, names: impl IntoIterator<Item = &'a str>, none: &str) {
        let mut any = false;
        for name in names {
            self.line(&format!("  {name}"));
            any = true;
        }
        if !any {
            self.paragraph(none);
        }
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }

    fn wrap(&mut self, text: &str, first: &str, others: &str) {
        let options = Options::new(WIDTH)
            .initial_indent(first)
            .subsequent_indent(others)
            .break_words(false);
        for line in textwrap::wrap(text, options) {
            self.line(&line);
        }
    }

    fn line(&mut self, line: &str) {
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }
}

//! A page of text, 80 columns wide.

use textwrap::{Options, WordSeparator, WordSplitter};

const WIDTH: usize = 80;

/// Text under a title, in sections.
#[derive(Debug)]
pub(super) struct Page {
    text: String,
    /// Words that are too long for a line are broken.
    breaks_words: bool,
}

impl Page {
    /// A page with its title.
    pub(super) fn new(title: &str) -> Self {
        Self::with_title(title, false)
    }

    /// A page about what a run has shown: nobody knows how long its words are.
    pub(super) fn of_run(title: &str) -> Self {
        Self::with_title(title, true)
    }

    /// Begins a section.
    pub(super) fn section(&mut self, heading: &str) {
        self.line("");
        self.wrap(heading, "", "    ");
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

    /// Commands to copy, each in a line of its own however long it is.
    pub(super) fn commands(&mut self, commands: impl IntoIterator<Item = String>) {
        for command in commands {
            self.line(&format!("  - {command}"));
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

    /// Lines that go on further right where they are too long.
    pub(super) fn quoted<S: AsRef<str>>(&mut self, lines: impl IntoIterator<Item = S>) {
        for line in lines {
            self.wrap(line.as_ref(), "  ", "      ");
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
        self.text
    }

    fn with_title(title: &str, breaks_words: bool) -> Self {
        let mut page = Self {
            text: String::new(),
            breaks_words,
        };
        page.wrap(title, "", "");
        page
    }

    fn wrap(&mut self, text: &str, first: &str, others: &str) {
        // The names of the field have hyphens, and are found and copied whole.
        let text: String = text.chars().map(shown).collect();
        let options = Options::new(WIDTH)
            .initial_indent(first)
            .subsequent_indent(others)
            .break_words(self.breaks_words)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation);
        for line in textwrap::wrap(&text, options) {
            self.line(&line);
        }
    }

    fn line(&mut self, line: &str) {
        self.text.extend(line.trim_end().chars().map(shown));
        self.text.push('\n');
    }
}

/// What a terminal would take for a command is shown as what it is: no text.
fn shown(c: char) -> char {
    match c {
        '\n' => c,
        '\t' => ' ',
        c if c.is_control() => '\u{FFFD}',
        c => c,
    }
}

//! A profile in words.

use std::borrow::Cow;

use crate::policy::{Base, Profile};

/// Columns of a line.
const WIDTH: usize = 80;

/// The rules of a profile, and where they come from.
#[must_use]
pub fn profile_text(profile: &Profile) -> String {
    let mut page = Page(Vec::new());
    page.line(0, &profile.name);
    page.line(2, &profile.about);
    page.head("its next backup is based on");
    page.line(
        2,
        match profile.base {
            Base::Records => "the checkpoint of its own last good backup",
            Base::Newest => "the newest checkpoint that libvirt lists",
        },
    );
    if profile.binds_images {
        let text = "it gives its checkpoints up when it restores or rolls back an image";
        page.line(2, text);
    }
    if !profile.before_incremental.is_empty() {
        page.head("before an incremental backup");
    }
    for act in &profile.before_incremental {
        page.line(2, &act.to_string());
    }
    page.head("after a refusal");
    for rule in &profile.rules {
        page.line(2, &rule.when.to_string());
        let acts: Vec<String> = rule.acts.iter().map(ToString::to_string).collect();
        page.line(4, &format!("-> {}", acts.join("; ")));
        if let Some(because) = &rule.because {
            page.line(7, because);
        }
    }
    if !profile.sources.is_empty() {
        page.head("where that is from");
    }
    for source in &profile.sources {
        page.line(2, &source.repository);
        page.line(2, &source.file);
        page.line(4, &source.says);
        if let Some(note) = &source.note {
            page.line(4, &format!("({note})"));
        }
    }
    page.0.join("\n") + "\n"
}

struct Page(Vec<String>);

impl Page {
    fn head(&mut self, text: &str) {
        self.0.extend([String::new(), text.to_owned()]);
    }

    /// A text, wrapped where it has blanks.
    fn line(&mut self, indent: usize, text: &str) {
        let blanks = " ".repeat(indent);
        let options = textwrap::Options::new(WIDTH)
            .initial_indent(&blanks)
            .subsequent_indent(&blanks)
            .break_words(false);
        let lines = textwrap::wrap(text.trim(), options);
        self.0.extend(lines.into_iter().map(Cow::into_owned));
    }
}

//! The run as a page of Markdown, as `$GITHUB_STEP_SUMMARY` and merge requests show it.
//!
//! Counts first, then what went wrong: a table, and below it the details, folded. Written when
//! the run has ended, also when it was interrupted.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Report;
use super::details::{cut, detail_text};
use super::markup::Page;
use crate::model::Identity;
use crate::run::{Event, Finished, Outcome, Summary};

/// Writes a run as Markdown.
#[derive(Debug)]
pub struct Markdown<W> {
    out: W,
    driver: String,
    selected: usize,
    identity: Option<Identity>,
    /// What did not pass, by name.
    entries: BTreeMap<String, Entry>,
    summary: Summary,
}

/// A scenario that did not pass, without the transcript that its event had.
#[derive(Debug)]
struct Entry {
    skipped: bool,
    word: &'static str,
    headline: String,
    /// What the scenario shows and where that comes from.
    about: Vec<String>,
    text: String,
}

impl<W: Write> Markdown<W> {
    /// Writes to `out`, once, when it is closed.
    pub fn new(out: W) -> Self {
        Self {
            out,
            driver: String::new(),
            selected: 0,
            identity: None,
            entries: BTreeMap::new(),
            summary: Summary::default(),
        }
    }

    fn take(&mut self, finished: &Finished) {
        self.summary.count(&finished.outcome);
        if finished.outcome == Outcome::Passed {
            return;
        }
        let mut about: Vec<String> = finished.summary.iter().cloned().collect();
        about.extend(finished.refs.iter().cloned());
        let entry = Entry {
            skipped: matches!(finished.outcome, Outcome::Skipped { .. }),
            word: finished.outcome.word(),
            headline: finished.outcome.gist(),
            about,
            text: detail_text(finished),
        };
        self.entries.insert(finished.name.clone(), entry);
    }

    fn page(&self) -> String {
        let mut page = Page::default();
        page.line(format_args!("## backup-tck: {}\n", self.summary));
        let who = self
            .identity
            .as_ref()
            .map_or_else(String::new, |identity| format!(", answered by {identity}"));
        page.line(format_args!(
            "Driver `{}`{who}, {:.2} s.\n",
            self.driver,
            self.summary.duration.as_secs_f64()
        ));
        if let Some(cut) = cut(self.selected, &self.summary) {
            page.line(format_args!("**Warning:** {cut}.\n"));
        }
        page.line("| outcome | scenarios |\n|---|---:|");
        for (count, word) in self.summary.words() {
            page.line(format_args!("| {word} | {count} |"));
        }
        let (skipped, wrong): (Vec<_>, Vec<_>) =
            self.entries.iter().partition(|(_, entry)| entry.skipped);
        for (title, entries) in [("What went wrong", &wrong), ("Skipped", &skipped)] {
            if !entries.is_empty() {
                page.line(format_args!("\n### {title}"));
            }
            let row = |(name, entry): &(&String, &Entry)| {
                [
                    (*name).clone(),
                    entry.word.to_owned(),
                    entry.headline.clone(),
                ]
            };
            let rows: Vec<_> = entries.iter().map(row).collect();
            page.table(["scenario", "outcome", "what"], &rows);
        }
        let details: Vec<_> = wrong
            .iter()
            .filter(|(_, entry)| !entry.text.is_empty())
            .map(|(name, entry)| {
                let Entry {
                    word, about, text, ..
                } = entry;
                (
                    name.as_str(),
                    (*word).to_owned(),
                    about.clone(),
                    text.clone(),
                )
            })
            .collect();
        page.all_details(&details);
        page.text
    }
}

impl<W: Write> Report for Markdown<W> {
    fn consume(&mut self, event: &Event) {
        match event {
            Event::Started {
                driver, scenarios, ..
            } => {
                self.driver.clone_from(driver);
                self.selected = *scenarios;
            }
            Event::Identified(identity) => self.identity = Some(identity.clone()),
            Event::ScenarioStarted { .. } => {}
            Event::ScenarioFinished(finished) => self.take(finished),
            Event::Finished(summary) => self.summary = *summary,
        }
    }

    fn close(&mut self) -> io::Result<()> {
        self.out.write_all(self.page().as_bytes())?;
        self.out.flush()
    }
}

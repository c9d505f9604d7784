//! What went wrong as annotations of GitHub's workflow commands, each at its file.
//!
//! `::error file=…,line=…,col=…,title=…::…`, one line each: GitHub's documents, "Workflow
//! commands"; the escapes are those of its toolkit, `packages/core/src/command.ts`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Report;
use super::details::{cut, detail_text};
use crate::model::Identity;
use crate::run::{Event, Finished, Outcome, SourceProblem, Summary};

/// Writes annotations.
#[derive(Debug)]
pub struct Github<W> {
    out: W,
    /// The suite's folder, as a reader of the annotations finds it.
    suite: PathBuf,
    driver: String,
    selected: usize,
    identity: Option<Identity>,
    broken: Option<io::Error>,
}

impl<W: Write> Github<W> {
    /// Writes to `out`, about files of the suite in this folder.
    pub fn new(out: W, suite: &Path) -> Self {
        Self {
            out,
            suite: suite.to_owned(),
            driver: String::new(),
            selected: 0,
            identity: None,
            broken: None,
        }
    }

    fn finished(&mut self, finished: &Finished) {
        let title = format!("{} {}", finished.name, finished.outcome.word());
        match &finished.outcome {
            Outcome::Passed | Outcome::Skipped { .. } | Outcome::Interrupted => {}
            Outcome::Broken { problems, .. } if !problems.is_empty() => {
                for problem in problems {
                    self.problem(&title, problem);
                }
            }
            Outcome::Failed(_)
            | Outcome::Crashed(_)
            | Outcome::TimedOut { .. }
            | Outcome::UnexpectedPass { .. }
            | Outcome::Broken { .. } => {
                let message = detail_text(finished);
                let file = self.file(&finished.source);
                let properties = [("file", &*file), ("title", &title)];
                self.command("error", &properties, &message);
            }
        }
    }

    fn problem(&mut self, title: &str, problem: &SourceProblem) {
        let SourceProblem {
            path,
            line,
            column,
            code,
            message,
            help,
        } = problem;
        let help = help.as_ref().map(|help| format!("\nhelp: {help}"));
        let message = format!("{message} ({code}){}", help.unwrap_or_default());
        let (line, column) = (line.to_string(), column.to_string());
        let file = self.file(path);
        let properties = [
            ("file", &*file),
            ("line", &line),
            ("col", &column),
            ("title", title),
        ];
        self.command("error", &properties, &message);
    }

    /// A file of the suite as seen from outside.
    fn file(&self, source: &str) -> String {
        self.suite.join(source).to_string_lossy().into_owned()
    }

    fn summary(&mut self, summary: &Summary) {
        let who = self.identity.as_ref().map_or_else(
            || self.driver.clone(),
            |identity| format!("{} ({identity})", self.driver),
        );
        let title = format!("backup-tck on {who}");
        if let Some(cut) = cut(self.selected, summary) {
            self.command("warning", &[("title", &title)], &cut);
        }
        let message = format!("{summary} in {:.2} s", summary.duration.as_secs_f64());
        self.command("notice", &[("title", &title)], &message);
    }

    fn command(&mut self, name: &str, properties: &[(&str, &str)], message: &str) {
        let properties: Vec<String> = properties
            .iter()
            .map(|(name, value)| format!("{name}={}", property(value)))
            .collect();
        let line = format!("::{name} {}::{}\n", properties.join(","), data(message));
        let write = |out: &mut W| out.write_all(line.as_bytes()).and_then(|()| out.flush());
        if self.broken.is_none() {
            self.broken = write(&mut self.out).err();
        }
    }
}

impl<W: Write> Report for Github<W> {
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
            Event::ScenarioFinished(finished) => self.finished(finished),
            Event::Finished(summary) => self.summary(summary),
        }
    }

    fn close(&mut self) -> io::Result<()> {
        self.broken.take().map_or(Ok(()), Err)
    }
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_stays_on_its_line() {
        assert_eq!(data("a: 5%, b\r\nc"), "a: 5%25, b%0D%0Ac");
        assert_eq!(property("a: 5%, b\r\nc"), "a%3A 5%25%2C b%0D%0Ac");
    }
}

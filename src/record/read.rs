//! A recorded run, read back.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{FORMAT, Head};
use crate::model::Identity;
use crate::run::{Event, Finished, Summary};

/// A recorded run, as far as it was recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Who wrote it.
    pub head: Head,
    /// What happened, in the order it did.
    pub events: Vec<Event>,
}

/// The file cannot be read as a record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The system does not let us.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It does not begin as a record does.
    #[error(
        "{} is no recorded run: its first line is no head; record one with: \
         backup-tck run --record FILE", .0.display()
    )]
    NoRecord(PathBuf),
    /// Another build wrote it.
    #[error(
        "{} is a record of format {found}, and this build reads format {FORMAT}: read it with \
         backup-tck {version}, which wrote it, or record the run again", path.display()
    )]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The version of the tool that wrote it.
        version: String,
    },
    /// A line is no event.
    #[error(
        "{}:{line}:{column} is no event of a run: {reason}; the file was changed or damaged, so \
         record the run again", path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Its line, counted from 1.
        line: usize,
        /// The byte in that line, counted from 1.
        column: usize,
        /// What is wrong with it.
        reason: String,
    },
}

impl Recorded {
    /// Reads a record. One whose run was killed is read as far as it goes: its last line may be
    /// cut off.
    ///
    /// # Errors
    /// The file is no record that this build can read.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        let unreadable = |source| RecordError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
        let mut line = Vec::new();
        file.read_until(b'\n', &mut line).map_err(unreadable)?;
        let head = head(path, &line)?;
        let mut events = Vec::new();
        for number in 2.. {
            line.clear();
            if file.read_until(b'\n', &mut line).map_err(unreadable)? == 0 {
                break;
            }
            match serde_json::from_slice(&line) {
                Ok(event) => events.push(event),
                Err(_) if !line.ends_with(b"\n") => break,
                Err(error) => return Err(corrupt(path, number, &error)),
            }
        }
        Ok(Self { head, events })
    }

    /// The outcomes, as the run itself counted them; `None` where it did not get to its end.
    #[must_use]
    pub fn summary(&self) -> Option<Summary> {
        self.events.iter().find_map(|event| match event {
            Event::Finished(summary) => Some(*summary),
            Event::Started { .. }
            | Event::Identified(_)
            | Event::ScenarioStarted { .. }
            | Event::ScenarioFinished(_) => None,
        })
    }

    /// Whether the run got to its end without being stopped.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.summary()
            .is_some_and(|summary| !summary.stopped && summary.not_run == 0)
    }

    /// The outcomes that are there, of a run that was stopped before its end.
    #[must_use]
    pub fn counted(&self) -> Summary {
        let mut summary = Summary {
            stopped: true,
            ..Summary::default()
        };
        for finished in self.finished() {
            summary.count(&finished.outcome);
        }
        summary
    }

    /// The scenarios that have ended, in the order they did.
    pub fn finished(&self) -> impl Iterator<Item = &Finished> {
        self.events.iter().filter_map(|event| match event {
            Event::ScenarioFinished(finished) => Some(&**finished),
            Event::Started { .. }
            | Event::Identified(_)
            | Event::ScenarioStarted { .. }
            | Event::Finished(_) => None,
        })
    }

    /// How many scenarios were selected.
    #[must_use]
    pub fn selected(&self) -> usize {
        let started = |event: &Event| match event {
            Event::Started { scenarios, .. } => Some(*scenarios),
            Event::Identified(_)
            | Event::ScenarioStarted { .. }
            | Event::ScenarioFinished(_)
            | Event::Finished(_) => None,
        };
        self.events.iter().find_map(started).unwrap_or_default()
    }

    /// Who answered, where it came to that.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.events.iter().find_map(|event| match event {
            Event::Identified(identity) => Some(identity),
            Event::Started { .. }
            | Event::ScenarioStarted { .. }
            | Event::ScenarioFinished(_)
            | Event::Finished(_) => None,
        })
    }
}

/// The head, looked at loosely first: that of another format may have other fields.
fn head(path: &Path, line: &[u8]) -> Result<Head, RecordError> {
    let no_record = || RecordError::NoRecord(path.to_owned());
    let data: Value = serde_json::from_slice(line).map_err(|_| no_record())?;
    let text = |name| data.get(name).and_then(Value::as_str);
    let format = data.get("format").and_then(Value::as_u64);
    let (Some(Head::TOOL), Some(found)) = (text("tool"), format) else {
        return Err(no_record());
    };
    if found != u64::from(FORMAT) {
        return Err(RecordError::OtherFormat {
            path: path.to_owned(),
            found,
            version: text("version").unwrap_or("of another version").to_owned(),
        });
    }
    serde_json::from_value(data).map_err(|_| no_record())
}

fn corrupt(path: &Path, line: usize, error: &serde_json::Error) -> RecordError {
    let text = error.to_string();
    // It counts lines in the one line that it was given.
    let reason = text
        .rsplit_once(" at line ")
        .map_or(&*text, |(head, _)| head);
    RecordError::Corrupt {
        path: path.to_owned(),
        line,
        column: error.column().max(1),
        reason: reason.to_owned(),
    }
}

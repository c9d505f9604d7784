//! Leaves a pending snapshot beside each one that real libvirt contradicts.

use std::path::PathBuf;

use super::Report;
use crate::run::{Event, Finished, Outcome};
use crate::snapshot::{may_record, pending_path, write_pending};
use crate::suite::{Suite, source_of};

/// Writes pending snapshots, and keeps count of them.
#[derive(Debug)]
pub struct Pending<'a> {
    suite: &'a Suite,
    written: Vec<PathBuf>,
    errors: Vec<String>,
}

impl<'a> Pending<'a> {
    /// For this suite; an embedded one has no place for pending files.
    #[must_use]
    pub const fn new(suite: &'a Suite) -> Self {
        Self {
            suite,
            written: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// The files that were written.
    #[must_use]
    pub fn written(&self) -> &[PathBuf] {
        &self.written
    }

    /// What could not be written.
    #[must_use]
    pub fn errors(&self) -> &[String] {
        &self.errors
    }

    fn take(&mut self, finished: &Finished) {
        let (Some(text), Some(transcript)) = (&finished.text, &finished.transcript) else {
            return;
        };
        let Some(path) = self.suite.snapshot_path(&finished.name) else {
            return;
        };
        let Outcome::Failed(failure) = &finished.outcome else {
            return;
        };
        if failure.difference.is_none() || !may_record(&transcript.identity) {
            return;
        }
        match write_pending(
            &path,
            &source_of(&finished.name),
            &transcript.identity,
            text,
        ) {
            Ok(()) => self.written.push(pending_path(&path)),
            Err(error) => self.errors.push(error.to_string()),
        }
    }
}

impl Report for Pending<'_> {
    fn consume(&mut self, event: &Event) {
        if let Event::ScenarioFinished(finished) = event {
            self.take(finished);
        }
    }
}

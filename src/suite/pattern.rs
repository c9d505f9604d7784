//! What selects scenarios.

use globset::{Glob, GlobMatcher};

use super::SuiteError;

/// A part of a name, or a glob over whole names.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    glob: GlobMatcher,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// It is no glob.
    pub fn parse(text: &str) -> Result<Self, SuiteError> {
        let glob = Glob::new(text).map_err(|error| SuiteError::Pattern {
            pattern: text.to_owned(),
            reason: error.kind().to_string(),
        })?;
        Ok(Self {
            text: text.to_owned(),
            glob: glob.compile_matcher(),
        })
    }

    /// Whether it selects the scenario of this name.
    #[must_use]
    pub fn selects(&self, name: &str) -> bool {
        name.contains(&self.text) || self.glob.is_match(name)
    }

    /// Whether it selects the file of this name, or one of the cases that the file may hold.
    #[must_use]
    pub fn selects_file(&self, name: &str) -> bool {
        let of_case = self.text.split_once('@').map(|(file, _)| file);
        self.selects(name) || of_case.is_some_and(|file| name.contains(file))
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

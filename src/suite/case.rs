//! One scenario of the suite, as text.

use std::path::PathBuf;

use crate::scenario::{Diagnostics, Scenario, parse};

/// A scenario file.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name with its area, such as `seed/redefine-validate-after-image-recreated`.
    pub name: String,
    /// Its path, to name in messages; relative for an embedded one.
    pub path: PathBuf,
    /// What the file says, or why it cannot be read.
    pub text: Result<String, String>,
}

impl Case {
    /// The folder of `scenarios/` that it lies in.
    #[must_use]
    pub fn area(&self) -> &str {
        self.name.split_once('/').map_or("", |(area, _)| area)
    }

    /// Reads the scenario.
    ///
    /// # Errors
    /// Every problem of the text.
    pub fn parse(&self) -> Result<Scenario, Diagnostics> {
        match &self.text {
            Ok(text) => parse(&self.path, text),
            Err(reason) => Err(Diagnostics::unreadable(&self.path, reason)),
        }
    }
}

/// The path of a scenario inside its suite, for the head of a snapshot.
#[must_use]
pub fn source_of(name: &str) -> String {
    format!("scenarios/{name}.yaml")
}

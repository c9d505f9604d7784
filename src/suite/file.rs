//! One scenario file of the suite, as text.

use std::path::PathBuf;

use crate::scenario::{Diagnostics, Scenario, parse};

/// A scenario file.
#[derive(Clone, Debug)]
pub struct File {
    /// Its name with its area, such as `seed/redefine-validate-after-image-recreated`.
    pub name: String,
    /// Its path, to name in messages; relative for an embedded one.
    pub path: PathBuf,
    /// What the file says, or why it cannot be read.
    pub text: Result<String, String>,
}

impl File {
    /// Reads the scenarios of the file; more than one where it has a matrix. The thread needs a
    /// stack of [`crate::scenario::STACK`].
    ///
    /// # Errors
    /// Every problem of the text.
    pub fn parse(&self) -> Result<Vec<Scenario>, Diagnostics> {
        match &self.text {
            Ok(text) => parse(&self.path, text),
            Err(reason) => Err(Diagnostics::unreadable(&self.path, reason)),
        }
    }

    /// The area that the file lies in.
    #[must_use]
    pub fn area(&self) -> &str {
        self.name.split_once('/').map_or("", |(area, _)| area)
    }
}

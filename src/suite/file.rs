//! One scenario file of the suite, as text.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::model::Size;
use crate::scenario::{Diagnostics, LARGEST, Scenario, parse};

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
    /// Reads a file, but for one that is too large to be a scenario.
    #[must_use]
    pub fn read(name: String, path: PathBuf) -> Self {
        let text = text_of(&path).map_err(|error| error.to_string());
        Self { name, path, text }
    }

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

fn text_of(path: &Path) -> io::Result<String> {
    // Opening a pipe would wait for somebody to write into it.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = String::new();
    // One byte more tells that there is more.
    let read = fs::File::open(path)?
        .take(LARGEST + 1)
        .read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read <= LARGEST) {
        return Ok(text);
    }
    let size = Size(LARGEST);
    Err(io::Error::other(format!(
        "it is larger than {size}, the most that a scenario may have"
    )))
}

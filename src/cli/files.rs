//! Which scenario files: of the suite, or named by their paths.

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit_code::ExitCode;
use super::output::fail;
use super::select::{open, patterns_of};
use crate::suite::{File, Suite, SuiteError};

/// Which files.
#[derive(Args, Debug)]
pub(super) struct Files {
    /// Scenario files, or parts of names and globs as `run` takes them; the whole suite where none
    /// is given
    #[arg(value_name = "FILE|PATTERN")]
    what: Vec<String>,

    /// Folder with `scenarios/`; else the nearest one above the working directory
    #[arg(long, value_name = "DIR")]
    suite: Option<PathBuf>,
}

impl Files {
    /// True where the whole suite is meant.
    pub(super) fn is_all(&self) -> bool {
        self.what.is_empty()
    }

    /// The suite; or the exit code, after the reason was told.
    pub(super) fn suite(&self) -> Result<Suite, ExitCode> {
        open(self.suite.as_deref())
    }

    /// The files; or the exit code, after the reason was told.
    pub(super) fn find(&self) -> Result<Vec<File>, ExitCode> {
        let told = |error: SuiteError| fail(ExitCode::Usage, &error.to_string());
        let (paths, patterns): (Vec<String>, Vec<String>) =
            self.what.iter().cloned().partition(|what| is_file(what));
        let mut files: Vec<File> = paths.iter().map(|path| read(Path::new(path))).collect();
        if let Some(path) = patterns.iter().find(|what| Path::new(what).is_dir()) {
            let text = format!("`{path}` is a folder: name a suite with --suite {path}");
            return Err(fail(ExitCode::Usage, &text));
        }
        if paths.is_empty() || !patterns.is_empty() {
            let suite = self.suite()?;
            let selected = patterns_of(&suite, &patterns)?;
            let mut found = suite.files().map_err(told)?;
            found.retain(|file| {
                selected.is_empty()
                    || selected
                        .iter()
                        .any(|pattern| pattern.selects_file(&file.name))
            });
            files.append(&mut found);
        }
        if files.is_empty() {
            let text = if patterns.is_empty() {
                "the suite holds no scenario".to_owned()
            } else {
                format!("no scenario file matches `{}`", patterns.join("`, `"))
            };
            return Err(fail(ExitCode::NothingSelected, &text));
        }
        Ok(files)
    }
}

/// A file outside every suite.
fn read(path: &Path) -> File {
    let name = path.with_extension("").to_string_lossy().into_owned();
    File::read(name, path.to_owned())
}

fn is_file(what: &str) -> bool {
    let path = Path::new(what);
    path.is_file() || (path.extension().is_some_and(|kind| kind == "yaml") && !what.contains('*'))
}

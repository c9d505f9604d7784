//! `new`: begin a scenario.

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit_code::ExitCode;
use super::output::{fail, note, print};
use super::select::open;
use super::word::nearest;
use crate::suite::{File, NewError, Suite, begin};

#[derive(Args, Debug)]
pub(super) struct NewArgs {
    /// Its name, such as bitmaps/lost-bitmap-needs-full-backup: the fault and the outcome
    #[arg(value_name = "AREA/NAME")]
    name: String,

    /// Begin with a copy of this scenario, named by its name or a part of it
    #[arg(long, value_name = "SCENARIO")]
    from: Option<String>,

    /// Folder with `scenarios/`; else the nearest one above the working directory
    #[arg(long, value_name = "DIR")]
    suite: Option<PathBuf>,
}

pub(super) fn execute(args: &NewArgs) -> Result<ExitCode, ExitCode> {
    let suite = open(args.suite.as_deref())?;
    let from = match &args.from {
        Some(part) => Some(source(&suite, part)?),
        None => None,
    };
    match begin(&suite, &args.name, from.as_ref()) {
        Ok(path) => Ok(print(&format!(
            "wrote {}\n\n{}",
            path.display(),
            next(&args.name, args.suite.as_deref())
        ))),
        Err(error) => {
            if let NewError::Unsound(diagnostics) = &error {
                note(&diagnostics.render(false));
            }
            let code = match &error {
                NewError::NoArea(_)
                | NewError::Area(_)
                | NewError::Name(_)
                | NewError::Embedded
                | NewError::Exists(_) => ExitCode::Usage,
                NewError::Unsound(_) | NewError::Write { .. } => ExitCode::Broken,
            };
            Err(fail(code, &error.to_string()))
        }
    }
}

/// The file of the one scenario with this name, or with this part in its name.
fn source(suite: &Suite, part: &str) -> Result<File, ExitCode> {
    let mut files = suite
        .files()
        .map_err(|error| fail(ExitCode::Usage, &error.to_string()))?;
    // A case of a matrix lies in the file with the rest.
    let part = part.split_once('@').map_or(part, |(file, _)| file);
    if let Some(at) = files.iter().position(|file| file.name == part) {
        return Ok(files.swap_remove(at));
    }
    let hint = nearest(part, files.iter().map(|file| file.name.as_str()));
    let hint = hint.map(|name| format!("; the nearest name is `{name}`"));
    files.retain(|file| file.name.contains(part));
    match files.len() {
        1 => Ok(files.swap_remove(0)),
        0 => {
            let text = format!("no scenario is called `{part}`{}", hint.unwrap_or_default());
            Err(fail(ExitCode::Usage, &text))
        }
        several => {
            let text = format!("`{part}` is a part of {several} names; say more of one");
            Err(fail(ExitCode::Usage, &text))
        }
    }
}

fn next(name: &str, suite: Option<&Path>) -> String {
    let suite = suite.map(|folder| format!(" --suite {}", folder.display()));
    let suite = suite.unwrap_or_default();
    format!(
        "Next, after editing it:\n  \
         backup-tck check {name}{suite}\n      \
         checks it, and tells every problem at its place\n  \
         backup-tck run {name}{suite}\n      \
         runs it on the mock; it fails as long as it has no snapshot\n  \
         backup-tck bless {name}{suite}\n      \
         records its snapshot from real libvirt\n"
    )
}

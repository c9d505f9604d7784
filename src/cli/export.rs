//! `export`: copy the suite out of the binary.

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit_code::ExitCode;
use super::output::{counted, fail, print};
use super::select::open;
use crate::suite::{ExportError, Suite, export};

#[derive(Args, Debug)]
pub(super) struct ExportArgs {
    /// Folder to write into; it is made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// Write into a folder that is not empty: replaces files of the same name, keeps all others
    #[arg(long)]
    force: bool,

    /// Copy the suite of this folder instead of the one inside this binary
    #[arg(long, value_name = "DIR")]
    suite: Option<PathBuf>,
}

pub(super) fn execute(args: &ExportArgs) -> Result<ExitCode, ExitCode> {
    let suite = match &args.suite {
        Some(folder) => open(Some(folder))?,
        None => Suite::Embedded,
    };
    match export(&suite, &args.folder, args.force) {
        Ok(exported) => Ok(print(&format!(
            "{} and {} are now in {}\n\n{}",
            counted(exported.scenarios, "scenario file"),
            counted(exported.snapshots, "snapshot"),
            args.folder.display(),
            next(&args.folder)
        ))),
        Err(error) => {
            let code = match &error {
                ExportError::Suite(_) | ExportError::NotEmpty(_) | ExportError::NotFolder(_) => {
                    ExitCode::Usage
                }
                ExportError::Unreadable { .. } | ExportError::Write { .. } => ExitCode::Broken,
            };
            Err(fail(code, &error.to_string()))
        }
    }
}

fn next(folder: &Path) -> String {
    format!(
        "Next:\n  \
         cd {}\n  \
         backup-tck run             runs them: in this folder, this suite is used\n  \
         backup-tck new AREA/NAME   begins a scenario of your own\n",
        folder.display()
    )
}

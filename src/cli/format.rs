//! `format`: scenario files in their canonical form.

use std::fs;
use std::io::Write;

use clap::Args;
use tempfile::NamedTempFile;

use super::check::on_deep_stack;
use super::exit_code::ExitCode;
use super::files::Files;
use super::output::{counted, fail, note};
use crate::scenario::{Diagnostics, format};
use crate::suite::File;

#[derive(Args, Debug)]
pub(super) struct FormatArgs {
    #[command(flatten)]
    files: Files,

    /// Change nothing; exit with 1 where a file is not in its canonical form
    #[arg(long)]
    check: bool,
}

pub(super) fn execute(args: &FormatArgs) -> Result<ExitCode, ExitCode> {
    let files = args.files.find()?;
    let formatted = on_deep_stack(|| files.iter().map(canonical).collect::<Vec<_>>())?;
    let mut changed = 0;
    let mut refused = 0;
    let mut unwritten = 0;
    for (file, formatted) in files.iter().zip(formatted) {
        let path = file.path.display();
        match formatted {
            Err(diagnostics) => {
                refused += 1;
                note(&format!("{diagnostics}; it was left as it is"));
                note(diagnostics.render(false).trim_end());
            }
            Ok(text) if file.text.as_ref() == Ok(&text) => {}
            Ok(_) if args.check => {
                changed += 1;
                note(&format!("not in the canonical form: {path}"));
            }
            Ok(text) => match replace(file, &text) {
                Ok(()) => {
                    changed += 1;
                    note(&format!("formatted {path}"));
                }
                Err(error) => {
                    unwritten += 1;
                    note(&format!("cannot write {path}: {error}"));
                }
            },
        }
    }
    if refused + unwritten > 0 {
        let text = format!(
            "{} could not be formatted",
            counted(refused + unwritten, "file")
        );
        return Err(fail(ExitCode::Broken, &text));
    }
    if args.check && changed > 0 {
        let text = format!(
            "{} to format; run: backup-tck format",
            counted(changed, "file")
        );
        return Err(fail(ExitCode::Failed, &text));
    }
    note(&format!(
        "{}, {changed} changed",
        counted(files.len(), "file")
    ));
    Ok(ExitCode::Success)
}

fn canonical(file: &File) -> Result<String, Diagnostics> {
    match &file.text {
        Ok(text) => format(&file.path, text),
        Err(reason) => Err(Diagnostics::unreadable(&file.path, reason)),
    }
}

/// Replaces a file in one go: a full disk or a signal leaves the old one.
fn replace(file: &File, text: &str) -> std::io::Result<()> {
    let folder = file
        .path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut new = NamedTempFile::new_in(folder.unwrap_or_else(|| ".".as_ref()))?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    fs::set_permissions(new.path(), fs::metadata(&file.path)?.permissions())?;
    new.persist(&file.path).map_err(|error| error.error)?;
    Ok(())
}

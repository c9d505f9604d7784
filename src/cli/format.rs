//! `format`: scenario files in their canonical form.

use std::fs;
use std::io::{self, Write};
#[cfg(unix)]
use std::path::Path;

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

    /// Change nothing; exit with 1 where a file is not in its canonical form, whose lines end with
    /// LF alone
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

/// Replaces a file in one go: a full disk or a signal leaves the old one. Its links, its mode and
/// its owner stay.
fn replace(file: &File, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(&file.path)?;
    let old = fs::metadata(&path)?;
    if old.permissions().readonly() {
        let reason = "the file is read-only; chmod u+w it first";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
    }
    let mut new = NamedTempFile::new_in(path.parent().unwrap_or_else(|| ".".as_ref()))?;
    new.write_all(text.as_bytes())?;
    #[cfg(unix)]
    keep_owner(new.path(), &old);
    fs::set_permissions(new.path(), old.permissions())?;
    new.as_file().sync_all()?;
    new.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

/// Only root gives files away; anybody else may still hand one to a group of theirs.
#[cfg(unix)]
fn keep_owner(new: &Path, old: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, chown};
    if chown(new, Some(old.uid()), Some(old.gid())).is_err() {
        // Who may write the file owns the new one, as with any editor.
        let _ = chown(new, None, Some(old.gid()));
    }
}

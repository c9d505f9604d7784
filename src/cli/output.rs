//! Where text goes and how it looks there.

use std::io::{self, IsTerminal, Write};

use super::args::When;
use super::exit_code::ExitCode;
use crate::report::Style;

/// How standard output looks.
pub(super) fn style(when: When) -> Style {
    let terminal = io::stdout().is_terminal();
    let colour = match when {
        When::Always => true,
        When::Never => false,
        When::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    Style {
        colour,
        live: terminal && io::stderr().is_terminal(),
    }
}

/// Writes to standard output. A reader that went away, as `head` does, is no error.
pub(super) fn print(text: &str) -> ExitCode {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::Success,
        Err(error) => written(Some(error), ExitCode::Success),
    }
}

/// The exit code after writing, with or without an error of writing.
pub(super) fn written(error: Option<io::Error>, code: ExitCode) -> ExitCode {
    match error {
        None => code,
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => code,
        // An interrupt outranks it.
        Some(_) if code == ExitCode::Interrupted => code,
        Some(error) => fail(
            ExitCode::Broken,
            &format!("cannot write to standard output: {error}"),
        ),
    }
}

/// A number of things, such as "1 scenario" or "2 scenarios".
pub(super) fn counted(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// Tells on standard error why the command ends.
pub(super) fn fail(code: ExitCode, reason: &str) -> ExitCode {
    // Nothing can be told about a standard error that is gone.
    let _ = writeln!(io::stderr(), "error: {reason}");
    code
}

/// Tells something on standard error.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

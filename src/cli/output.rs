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
    let result = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written("standard output", result, ExitCode::Success)
}

/// The exit code after writing to `place`.
pub(super) fn written(place: &str, result: io::Result<()>, code: ExitCode) -> ExitCode {
    match result {
        Ok(()) => code,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => code,
        Err(error) => {
            let failed = fail(
                ExitCode::Broken,
                &format!("cannot write to {place}: {error}"),
            );
            // An interrupt outranks it.
            if code == ExitCode::Interrupted {
                code
            } else {
                failed
            }
        }
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

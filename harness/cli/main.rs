//! The binary as a user meets it, in folders of its own: one file for each behaviour.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot do is a failure of the test"
)]

mod bad_input;
mod bless;
mod checking;
mod compare;
mod coverage;
mod decide;
mod divergences;
mod exit_codes;
mod explain;
mod export;
mod fail_fast;
mod failed;
mod failing_runs;
mod filters;
mod generated;
mod help;
mod listing;
mod new;
mod no_recovery;
mod pages;
mod partition;
mod policies;
mod records;
mod reports;
mod script;
mod suite;
mod tutorial;

use std::process::{Command, Output, Stdio};

/// The binary, without colours, without the caller's pipeline and without a home: no test leaves
/// anything there, or finds what another one left.
fn backup_tck() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backup-tck"));
    command
        .env_remove("XDG_STATE_HOME")
        .env_remove("HOME")
        .env_remove("CI")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    command
}

/// What a command printed and how it ended, as one text; times are redacted.
fn told(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let stdout = String::from_utf8(stdout).unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    let text = format!(
        "exit {}\n-- stdout\n{stdout}-- stderr\n{stderr}",
        status.code().unwrap()
    );
    assert!(
        !text.contains('\u{1b}'),
        "colour without a terminal: {text}"
    );
    let mut redacted = String::new();
    for line in text.lines() {
        redacted.push_str(without_time(line).trim_end());
        redacted.push('\n');
    }
    redacted
}

fn without_time(line: &str) -> String {
    let Some(rest) = line.strip_suffix(" s") else {
        return line.to_owned();
    };
    let digits = rest.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    format!("{}  [TIME]", digits.trim_end())
}

fn code(command: &mut Command) -> i32 {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .code()
        .unwrap()
}

//! The way in.

use std::process;

use clap::Parser;

use super::command::{Cli, Command};
#[cfg(feature = "libvirt")]
use super::hidden;
use super::{
    bless, check, compare, completions, coverage, decide, doctor, explain, export, format, list,
    man, new, policies, replay, run, schema, script,
};

/// Runs the command line of this process.
#[must_use]
pub fn main() -> process::ExitCode {
    let ended = match Cli::parse().command {
        Command::Run(args) => run::execute(&args),
        Command::List(args) => list::execute(&args),
        Command::Replay(args) => replay::execute(&args),
        Command::Compare(args) => compare::execute(&args),
        Command::Coverage(args) => coverage::execute(&args),
        Command::Check(args) => check::execute(&args),
        Command::Format(args) => format::execute(&args),
        Command::Schema(args) => schema::execute(&args),
        Command::Bless(args) => bless::execute(&args),
        Command::Decide(args) => decide::execute(&args),
        Command::Explain(args) => explain::execute(&args),
        Command::Policies(args) => policies::execute(&args),
        Command::Export(args) => export::execute(&args),
        Command::New(args) => new::execute(&args),
        Command::Script(args) => script::execute(&args),
        Command::Doctor => Ok(doctor::execute()),
        Command::Completions(args) => Ok(completions::execute(&args)),
        Command::Man(args) => man::execute(&args),
        #[cfg(feature = "libvirt")]
        Command::Worker(args) => return hidden::worker(args),
        #[cfg(feature = "libvirt")]
        Command::Reaper(args) => return hidden::reaper(args),
        #[cfg(feature = "libvirt")]
        Command::Clear(args) => return hidden::clear(args),
    };
    // Either side is a code, and its reason was told.
    ended.unwrap_or_else(|code| code).into()
}

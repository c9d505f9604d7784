//! The way in.

use std::process;

use clap::Parser;

use super::args::{Cli, Command};
#[cfg(feature = "libvirt")]
use super::hidden;
use super::{bless, doctor, list, run};

/// Runs the command line of this process.
#[must_use]
pub fn main() -> process::ExitCode {
    match Cli::parse().command {
        Command::Run(args) => run::execute(&args).into(),
        Command::List(args) => list::execute(&args).into(),
        Command::Bless(args) => bless::execute(&args).into(),
        Command::Doctor => doctor::execute().into(),
        #[cfg(feature = "libvirt")]
        Command::Worker(args) => hidden::worker(args),
        #[cfg(feature = "libvirt")]
        Command::Reaper(args) => hidden::reaper(args),
    }
}

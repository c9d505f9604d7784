//! The command line: one file for each subcommand, arguments and exit codes and nothing else.

mod args;
mod bless;
mod compare;
mod doctor;
mod exit_code;
#[cfg(feature = "libvirt")]
mod hidden;
mod list;
mod main;
mod output;
mod replay;
mod reporting;
mod run;
mod select;

pub use exit_code::{ExitCode, of_summary};
pub use main::main;

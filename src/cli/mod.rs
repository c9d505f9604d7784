//! The command line: one file for each subcommand, arguments and exit codes and nothing else.

mod args;
mod bless;
mod check;
mod command;
mod compare;
mod completions;
mod coverage;
mod decide;
mod doctor;
mod exit_code;
mod explain;
mod export;
mod files;
mod format;
#[cfg(feature = "libvirt")]
mod hidden;
mod list;
mod main;
mod man;
mod new;
mod output;
mod part;
mod policies;
mod replay;
mod reporting;
mod run;
mod schema;
mod script;
mod select;
mod word;

pub use exit_code::{ExitCode, of_summary};
pub use main::main;

//! `completions`: what a shell needs to complete the command.

use clap::{Args, Command, CommandFactory};
use clap_complete::{Shell, generate};

use super::command::Cli;
use super::exit_code::ExitCode;
use super::output::print;

const NAME: &str = "backup-tck";

#[derive(Args, Debug)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(super) fn execute(args: &CompletionsArgs) -> ExitCode {
    let mut command = shown();
    let mut script = Vec::new();
    generate(args.shell, &mut command, NAME, &mut script);
    print(&String::from_utf8_lossy(&script))
}

/// The command without what is hidden, which the scripts would complete as well.
fn shown() -> Command {
    let whole = Cli::command();
    let is_shown = |command: &&Command| !command.is_hide_set();
    Command::new(NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .args(whole.get_arguments().cloned())
        .subcommands(whole.get_subcommands().filter(is_shown).cloned())
}

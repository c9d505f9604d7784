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
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if args.shell == Shell::Bash {
        script = mended(&script);
    }
    print(&script)
}

/// The script for bash calls a subcommand `backup__tck__subcmd__run` where it finds it and
/// `backup__subcmd__tck__subcmd__run` where it completes it, for the hyphen in the name
/// (`clap_complete` 4.6.11): nothing behind a subcommand would be completed.
fn mended(script: &str) -> String {
    script.replace("backup__subcmd__tck", "backup__tck")
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

//! `man`: the manual pages.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;

use super::command::Cli;
use super::exit_code::ExitCode;
use super::output::{fail, print};

#[derive(Args, Debug)]
pub(super) struct ManArgs {
    /// Folder to write every page into, one for each command; else the main page goes to
    /// standard output
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(super) fn execute(args: &ManArgs) -> Result<ExitCode, ExitCode> {
    // `help` has no page of its own.
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = &args.folder else {
        let page = page(command)
            .map_err(|error| fail(ExitCode::Broken, &format!("cannot make the page: {error}")))?;
        return Ok(print(&page));
    };
    write_all(command, folder).map_err(|error| {
        let text = format!(
            "cannot write manual pages into {}: {error}",
            folder.display()
        );
        fail(ExitCode::Broken, &text)
    })?;
    Ok(print(&format!(
        "the pages are in {0}\n\nNext:\n  man -l {0}/backup-tck.1\n",
        folder.display()
    )))
}

fn write_all(command: Command, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let shown = |command: &&Command| !command.is_hide_set();
    let mut commands: Vec<Command> = command.get_subcommands().filter(shown).cloned().collect();
    commands.push(command);
    for command in commands {
        let name = Man::new(command.clone()).get_filename();
        fs::write(folder.join(name), page(command)?)?;
    }
    Ok(())
}

/// One page. What stands below the options is a table or commands to type: its lines stay.
fn page(command: Command) -> io::Result<String> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    let page = String::from_utf8_lossy(&page).into_owned();
    let Some((head, below)) = page.split_once(".SH EXTRA\n") else {
        return Ok(page);
    };
    let (text, foot) = match below.split_once("\n.SH ") {
        Some((text, foot)) => (text, format!("\n.SH {foot}")),
        None => (below.trim_end(), "\n".to_owned()),
    };
    let (title, lines) = text.split_once(":\n").unwrap_or(("Extra", text));
    let title = title.to_uppercase();
    Ok(format!("{head}.SH \"{title}\"\n.nf\n{lines}\n.fi{foot}"))
}

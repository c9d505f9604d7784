//! Help teaches by example, and fits into 80 columns.

use super::pages::COMMANDS;
use super::{backup_tck, told};

fn help(command: &str) -> String {
    told(backup_tck().args([command, "--help"]))
}

#[test]
fn help_of_the_whole() {
    insta::assert_snapshot!(told(backup_tck().arg("--help")));
}

#[test]
fn help_of_every_command() {
    for command in COMMANDS {
        insta::assert_snapshot!(format!("help_{command}"), help(command));
    }
}

#[test]
fn no_command_is_forgotten() {
    let text = told(backup_tck().arg("--help"));
    let commands = text.split("Commands:\n").nth(1).unwrap();
    let commands = commands.split("\n\n").next().unwrap();
    // A line that goes on is indented further.
    let named = commands
        .lines()
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next());
    let named: Vec<&str> = named.filter(|name| *name != "help").collect();
    assert_eq!(named, COMMANDS);
}

#[test]
fn every_command_shows_examples_of_its_own() {
    for command in COMMANDS {
        let text = help(command);
        let examples = text.split("Examples:\n").nth(1);
        let examples = examples.unwrap_or_else(|| panic!("{command} has no example"));
        assert!(
            examples.contains(&format!("backup-tck {command}")),
            "{examples}"
        );
    }
}

/// Runs what the help suggests, as far as it needs nothing but the mock.
#[test]
fn examples_are_not_wrong_usage() {
    let place = tempfile::tempdir().unwrap();
    let examples = ["run", "list", "explain", "export", "new"]
        .map(help)
        .join("\n");
    let lines = examples
        .lines()
        .filter_map(|line| line.strip_prefix("  backup-tck "))
        .filter(|line| !line.contains("embed"));
    let mut count = 0;
    // Into the copy that `export` makes, the scenarios that `new` begins are written.
    let setup = told(backup_tck().args(["export", "."]).current_dir(&place));
    assert!(setup.starts_with("exit 0"), "{setup}");
    for line in lines {
        count += 1;
        let command = line.split("  ").next().unwrap();
        let arguments = command.split(' ').map(|word| word.trim_matches('\''));
        let text = told(backup_tck().args(arguments).current_dir(&place));
        assert!(
            ["exit 0", "exit 5"]
                .iter()
                .any(|code| text.starts_with(code)),
            "{line}: {text}"
        );
    }
    assert!(count > 12, "{count} examples were found");
}

#[test]
fn everything_fits_into_80_columns() {
    let mut all: Vec<Vec<&str>> = COMMANDS.map(|command| vec![command, "--help"]).to_vec();
    all.extend(COMMANDS.map(|command| vec![command, "-h"]));
    all.extend([
        vec!["--help"],
        vec!["list"],
        vec!["run"],
        vec!["explain", "--list"],
        vec!["policies", "--area", "recovery"],
        vec!["policies", "--steps", "middle-bitmap-lost"],
        vec!["policies", "--explain", "kubevirt"],
        vec!["explain", "--failed"],
        vec!["run", "--code", "109", "--decision", "fix-request"],
    ]);
    for arguments in all {
        for line in told(backup_tck().args(&arguments)).lines() {
            assert!(line.chars().count() <= 80, "{arguments:?}: {line}");
        }
    }
}

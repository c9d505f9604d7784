//! `script`: a scenario as a shell script of plain commands.

use std::path::PathBuf;

use clap::Args;

use super::exit_code::ExitCode;
use super::output::{counted, fail, print};
use super::select::{open, patterns_of};
use super::word::nearest;
use crate::driver::mock::Mock;
use crate::model::Version;
use crate::run::rehearse;
use crate::script::script;
use crate::suite::Case;

/// What follows the arguments in the command's help.
pub(super) const EXAMPLES: &str = "\
Examples:
  backup-tck script delete-of-bitmap-missing-everywhere > bug.sh
  sh bug.sh                            on qemu:///system, as root
  sh bug.sh qemu:///session; echo $?   0: answered as told, 1: otherwise
  backup-tck script recovery/abort-without-job --libvirt 7.0
  ci/lab sid sh bug.sh URI             on another version, from a checkout

A step that has no plain command ends it with a message that names the step:
damage to single bytes, whose place differs from image to image; a NULL document
or a flag for which virsh has no option. Those only `backup-tck run` can do.

Exits with 0 where the script is printed, 2 where several scenarios match, 3
where there is no script of it, 5 where none matches, 6 where the mock knows no
such version; all exit codes: backup-tck --help";

#[derive(Args, Debug)]
pub(super) struct ScriptArgs {
    /// Name of the scenario, or a part of it that no other one has
    scenario: String,

    /// The version of libvirt whose answers the script is told with, one that the mock knows
    #[arg(long, value_name = "VERSION")]
    libvirt: Option<Version>,

    /// Folder with `scenarios/`; else the nearest one above the working directory, else the suite
    /// inside this binary
    #[arg(long, value_name = "DIR")]
    suite: Option<PathBuf>,
}

pub(super) fn execute(args: &ScriptArgs) -> Result<ExitCode, ExitCode> {
    let case = the_only(args)?;
    let scenario = case.scenario.as_ref().map_err(|diagnostics| {
        let name = &case.name;
        let reason = format!("{diagnostics}\nsee: backup-tck check {name}");
        fail(ExitCode::Broken, &reason)
    })?;
    let mut mock = match args.libvirt {
        None => Mock::newest(),
        Some(version) => {
            Mock::of(version).map_err(|error| fail(ExitCode::NoDriver, &error.to_string()))?
        }
    };
    let no_script = |reason: &dyn std::fmt::Display| {
        let reason = format!("there is no script of {}: {reason}", case.name);
        fail(ExitCode::Broken, &reason)
    };
    let rehearsal = rehearse(&mut mock, scenario).map_err(|error| no_script(&error))?;
    let text = script(&case.name, scenario, &rehearsal);
    text.map(|text| print(&text))
        .map_err(|error| no_script(&error))
}

/// The one scenario of this name, or that matches.
fn the_only(args: &ScriptArgs) -> Result<Case, ExitCode> {
    let suite = open(args.suite.as_deref())?;
    let cases = suite
        .cases()
        .map_err(|error| fail(ExitCode::Usage, &error.to_string()))?;
    let wanted = &args.scenario;
    if let Some(case) = cases.iter().find(|case| case.name == *wanted) {
        return Ok(case.clone());
    }
    let patterns = patterns_of(&suite, std::slice::from_ref(wanted))?;
    let matches = |case: &&Case| patterns.iter().any(|pattern| pattern.selects(&case.name));
    let found: Vec<&Case> = cases.iter().filter(matches).collect();
    match found[..] {
        [case] => Ok(case.clone()),
        [] => {
            let hint = nearest(wanted, cases.iter().map(|case| case.name.as_str()));
            let hint = hint.map(|name| format!("; the nearest name is `{name}`"));
            let reason = format!("no scenario matches `{wanted}`{}", hint.unwrap_or_default());
            Err(fail(ExitCode::NothingSelected, &reason))
        }
        _ => {
            let names = found.iter().map(|case| format!("\n  {}", case.name));
            let reason = format!(
                "{} match `{wanted}`, and a script is of one:{}",
                counted(found.len(), "scenario"),
                names.collect::<String>()
            );
            Err(fail(ExitCode::Usage, &reason))
        }
    }
}

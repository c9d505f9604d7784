//! `policies`: what products do after the same error, executed to the end.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::exit_code::ExitCode;
use super::output::{fail, print};
use super::select::{Selection, select};
use super::word::nearest;
use crate::policy::{Profile, Table, shipped};
use crate::report::policies::{json, markdown, profile_text, text, tsv};
use crate::scenario::Scenario;

pub(super) const EXAMPLES: &str = "\
Examples:
  backup-tck policies                        every profile, every error
  backup-tck policies --only ovirt --only kubevirt --area recovery
  backup-tck policies --steps middle-bitmap  what each client did there
  backup-tck policies --explain kubevirt     its rules, and where they are from
  backup-tck policies --profile ours.yaml    your own product beside them
  backup-tck policies --format tsv > snapshots/policies.tsv

A profile is YAML: what a client does before an incremental backup, and after
each error. The smallest one, of a client that tries again without an end:
  name: ours
  about: The nightly backup.
  rules:
    - when: { call: backup-begin, code: 109 }
      do: [full-backup]
    - do: [retry-for-ever]

It is played on the mock, round after round. What comes of it is shown by
restoring all that the client believes to have, and by its next backup.

Exits with 0 where all was played, 2 where no profile has the name, and 3 where
a profile or a scenario is broken; all exit codes: backup-tck --help";

#[derive(Args, Debug)]
pub(super) struct PoliciesArgs {
    #[command(flatten)]
    selection: Selection,

    /// A profile of your own, beside the shipped ones; may be repeated
    #[arg(long, value_name = "FILE")]
    profile: Vec<PathBuf>,

    /// Only the profiles of these names
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,

    /// How to write it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Below each scenario, what each client did and what shows the outcome
    #[arg(long, conflicts_with = "format")]
    steps: bool,

    /// Play nothing: tell the rules of a profile and where they come from
    #[arg(long, value_name = "NAME", conflicts_with_all = ["format", "steps", "only"])]
    explain: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Tsv,
    Markdown,
    Json,
}

pub(super) fn execute(args: &PoliciesArgs) -> Result<ExitCode, ExitCode> {
    let mut profiles = shipped();
    for path in &args.profile {
        let profile = read(path)?;
        if profiles.iter().any(|known| known.name == profile.name) {
            let text = format!(
                "{}: another profile is named `{}`",
                path.display(),
                profile.name
            );
            return Err(fail(ExitCode::Broken, &text));
        }
        profiles.push(profile);
    }
    if let Some(name) = &args.explain {
        let [profile] = &named(profiles, std::slice::from_ref(name))?[..] else {
            return Ok(ExitCode::Success);
        };
        return Ok(print(&profile_text(profile)));
    }
    let profiles = named(profiles, &args.only)?;
    let selected = select(&args.selection)?;
    selected.require_some()?;
    let mut scenarios: Vec<(&str, &Scenario)> = Vec::new();
    for case in &selected.cases {
        match &case.scenario {
            Ok(scenario) => scenarios.push((&case.name, scenario)),
            Err(diagnostics) => {
                let text = format!("{diagnostics}\nsee: backup-tck check {}", case.name);
                return Err(fail(ExitCode::Broken, &text));
            }
        }
    }
    let table = Table::of(&scenarios, &profiles, args.selection.is_everything())
        .map_err(|error| fail(ExitCode::Broken, &error.to_string()))?;
    if table.rows.is_empty() {
        let text = "none of these scenarios is one that a client has to recover from";
        return Err(fail(ExitCode::NothingSelected, text));
    }
    Ok(print(&match args.format {
        Format::Text => text(&table, args.steps),
        Format::Tsv => tsv(&table),
        Format::Markdown => markdown(&table),
        Format::Json => json(&table).map_err(|error| {
            let text = format!("cannot write the table as JSON: {error}");
            fail(ExitCode::Broken, &text)
        })?,
    }))
}

/// The profiles of these names, in the order of the shipped ones; all where none is named.
fn named(profiles: Vec<Profile>, names: &[String]) -> Result<Vec<Profile>, ExitCode> {
    for name in names {
        let mut known = profiles.iter().map(|profile| profile.name.as_str());
        if known.any(|known| known == name) {
            continue;
        }
        let known: Vec<&str> = profiles
            .iter()
            .map(|profile| profile.name.as_str())
            .collect();
        let hint = nearest(name, known.iter().copied()).unwrap_or_default();
        let text = format!(
            "no profile is named `{name}`; the nearest name is `{hint}`\nthere are: {}",
            known.join(", ")
        );
        return Err(fail(ExitCode::Usage, &text));
    }
    let is_named = |profile: &Profile| names.is_empty() || names.contains(&profile.name);
    Ok(profiles.into_iter().filter(is_named).collect())
}

fn read(path: &Path) -> Result<Profile, ExitCode> {
    let file = path.display().to_string();
    let text = fs::read_to_string(path)
        .map_err(|error| fail(ExitCode::Usage, &format!("cannot read {file}: {error}")))?;
    Profile::parse(&file, &text).map_err(|error| fail(ExitCode::Broken, &error.to_string()))
}

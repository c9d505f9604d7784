//! `explain`: what a word of the field means.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::exit_code::ExitCode;
use super::output::{fail, note, print};
use super::select::open;
use crate::explain::{Known, Scenarios, find, list};

#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// An error code of libvirt (name, name without `VIR_ERR_`, or number), a decision, a
    /// clean-up step, a category, a rule, a probe, a problem of a scenario file, or a scenario
    #[arg(required_unless_present = "list")]
    topic: Option<String>,

    /// Show every topic
    #[arg(long, conflicts_with = "topic")]
    list: bool,

    /// Folder with `scenarios/`; else the nearest one above the working directory, else the suite
    /// inside this binary
    #[arg(long, value_name = "DIR")]
    suite: Option<PathBuf>,
}

pub(super) fn execute(args: &ExplainArgs) -> Result<ExitCode, ExitCode> {
    let suite = open(args.suite.as_deref())?;
    let cases = suite
        .cases()
        .map_err(|error| fail(ExitCode::Usage, &error.to_string()))?;
    let mut scenarios = Scenarios::new();
    for case in &cases {
        match &case.scenario {
            Ok(scenario) => {
                let snapshot = suite
                    .snapshot(&case.name)
                    .map_err(|error| fail(ExitCode::Usage, &error.to_string()))?;
                let known = Known::new(Arc::clone(scenario), snapshot.as_deref());
                scenarios.insert(case.name.clone(), known);
            }
            Err(diagnostics) => note(&format!(
                "warning: {diagnostics} and is left out; see: backup-tck check {}",
                case.name
            )),
        }
    }
    let Some(topic) = &args.topic else {
        return Ok(print(&list(&scenarios)));
    };
    match find(topic, &scenarios) {
        Ok(topic) => Ok(print(&topic.page(&scenarios))),
        Err(error) => Err(fail(
            ExitCode::Usage,
            &format!("{error}\nsee: backup-tck explain --list"),
        )),
    }
}

//! Which part of the selected scenarios `run` takes, and what it remembers of them.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use jiff::Timestamp;

use super::exit_code::ExitCode;
use super::output::{counted, fail, note};
use super::select::{HEADING, Selected};
use crate::last_run::{LastRun, Memory, Store, StoreError};
use crate::run::{DriverChoice, Event, Outcome};
use crate::suite::{Case, Partition, Suite};

/// Which part of them.
#[derive(Args, Debug)]
pub(super) struct Part {
    /// Only what did not pass in the last run of this suite on this driver
    ///
    /// Each run notes this under `$XDG_STATE_HOME/backup-tck/` or, where that is not set,
    /// `~/.local/state/backup-tck/`. A run of some scenarios leaves what is noted of the others.
    #[arg(long, help_heading = HEADING)]
    failed: bool,

    /// Only one part of several, such as `hash:1/4`: for machines that share the work
    ///
    /// The part of a scenario is 1 plus the remainder of the XXH64 hash of its name (seed 0)
    /// divided by N. That is the same in every build and version.
    #[arg(long, value_name = "hash:M/N", help_heading = HEADING)]
    partition: Option<Partition>,

    /// Begin no other scenario once one has ended badly; the rest counts as `not-run`
    #[arg(long)]
    pub(super) fail_fast: bool,
}

/// Leaves only that part selected.
pub(super) fn take(
    part: &Part,
    driver: &DriverChoice,
    selected: &mut Selected,
) -> Result<(), ExitCode> {
    if part.failed {
        take_failed(driver, selected)?;
    }
    if let Some(partition) = part.partition {
        selected.narrow(
            |case| partition.holds(&case.name),
            |cases| {
                let count = counted(cases.len(), "scenario");
                format!("`--partition {partition}` holds none of {count}")
            },
        );
    }
    Ok(())
}

fn take_failed(driver: &DriverChoice, selected: &mut Selected) -> Result<(), ExitCode> {
    let memory = match Store::of(&selected.suite).and_then(|store| store.read()) {
        Ok(memory) => memory,
        Err(StoreError::NoHome) => {
            let text = "nothing is kept for `--failed` without a home; set XDG_STATE_HOME";
            selected.narrow(|_| false, |_| text.to_owned());
            return Ok(());
        }
        Err(error) => {
            let text = format!("`--failed` does not know the last run: {error}");
            return Err(fail(ExitCode::Broken, &text));
        }
    };
    let name = driver.to_string();
    let Some(run) = memory.runs.get(&name) else {
        let text = format!("`--failed` knows no run of this suite on {name}");
        selected.narrow(|_| false, |_| with_others(text, &memory, &name));
        return Ok(());
    };
    note(&format!("last run {}", described(&name, run)));
    selected.narrow(
        |case| run.not_passed.contains_key(&case.name),
        |cases| {
            let text = match run.not_passed.len() {
                0 => format!("all passed in the last run on {name}"),
                bad => format!(
                    "none of {} is among the {bad} that did not pass",
                    counted(cases.len(), "scenario")
                ),
            };
            with_others(text, &memory, &name)
        },
    );
    Ok(())
}

/// What failed on another driver is not hidden.
fn with_others(mut text: String, memory: &Memory, driver: &str) -> String {
    for (other, run) in &memory.runs {
        if other != driver && !run.not_passed.is_empty() {
            text.push_str("\nlast run ");
            text.push_str(&described(other, run));
            text.push_str(": see --driver");
        }
    }
    text
}

fn described(driver: &str, run: &LastRun) -> String {
    let ended = run.ended.strftime("%Y-%m-%d %H:%M:%S UTC");
    let count = run.not_passed.len();
    format!("on {driver}, {ended}: {count} did not pass")
}

/// The outcomes of a run under way.
#[derive(Default)]
pub(super) struct Outcomes(BTreeMap<String, Outcome>);

impl Outcomes {
    pub(super) fn consume(&mut self, event: &Event) {
        if let Event::ScenarioFinished(finished) = event {
            let name = finished.name.clone();
            self.0.insert(name, finished.outcome.clone());
        }
    }

    /// Remembers the run for `--failed`. A run is none the worse if that cannot be done.
    pub(super) fn remember(&self, suite: &Suite, driver: &DriverChoice, selected: &[Case]) {
        let all = suite.cases().unwrap_or_default();
        let all: BTreeSet<&str> = all.iter().map(|case| case.name.as_str()).collect();
        let kept = Store::of(suite).and_then(|store| {
            store.update(|memory| {
                let names = selected.iter().map(|case| case.name.as_str());
                let exists = |name: &str| all.contains(name);
                let now = Timestamp::now();
                memory.note(&driver.to_string(), now, names, &self.0, exists);
            })
        });
        match kept {
            // Said where it matters, by `--failed`.
            Ok(()) | Err(StoreError::NoHome) => {}
            Err(error) => note(&format!(
                "warning: this run is not kept for `--failed`: {error}"
            )),
        }
    }
}

//! Every profile in every scenario.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, available_parallelism};

use serde::Serialize;

use super::outcome::Played;
use super::play::play;
use super::profile::Profile;
use super::reference::reference;
use super::silent;
use crate::driver::mock::Mock;
use crate::driver::{Driver, DriverError};
use crate::model::{Api, Decision, ErrorCode};
use crate::plan::unsupported;
use crate::scenario::{Expectation, Scenario};

/// The name of the column with the judge's own decision.
pub const JUDGE: &str = "backup-tck";

/// The calls that a backup client makes, and answers.
const CALLS: [Api; 5] = [
    Api::DomainBackupBegin,
    Api::CheckpointCreate,
    Api::CheckpointDelete,
    Api::DomainAbortJob,
    Api::DomainAbortJobFlags,
];

/// What came of each profile in each scenario.
#[derive(Clone, Debug, Serialize)]
pub struct Table {
    /// The names of the profiles, in the order of the columns; the last one is [`JUDGE`].
    pub profiles: Vec<String>,
    /// The scenarios, in the order of their names.
    pub rows: Vec<Row>,
}

/// One scenario.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its name, with its area.
    pub scenario: String,
    /// The function that was called.
    pub api: Api,
    /// The error's code; none where libvirt refuses nothing, and loss is silent.
    pub code: Option<ErrorCode>,
    /// What the judge decides.
    pub decision: Decision,
    /// What came of each profile, in the order of the columns.
    pub played: Vec<Played>,
}

impl Row {
    /// What comes of each profile in one scenario; `None` where the call under test is not refused, or
    /// no backup client makes it.
    ///
    /// # Errors
    /// The driver could not find something out.
    pub fn of(
        driver: &mut dyn Driver,
        (name, scenario): (&str, &Scenario),
        profiles: &[Profile],
    ) -> Result<Option<Self>, DriverError> {
        let Some(judge) = reference(driver, scenario)? else {
            return Ok(None);
        };
        if !CALLS.contains(&judge.api) {
            return Ok(None);
        }
        let mut played = Vec::with_capacity(profiles.len() + 1);
        for profile in profiles {
            played.push(play(driver, scenario, profile, judge.decision)?);
        }
        played.push(judge.played);
        Ok(Some(Self {
            scenario: name.to_owned(),
            api: judge.api,
            code: Some(judge.error.code),
            decision: judge.decision,
            played,
        }))
    }

    /// The error's number; a dash where there is none.
    #[must_use]
    pub fn code_text(&self) -> String {
        self.code
            .map_or_else(|| "-".to_owned(), |code| code.0.to_string())
    }

    /// What it is alike in with others of which one is enough.
    fn kind(&self) -> (Api, Option<ErrorCode>, Vec<String>) {
        let words = self.played.iter().map(Played::word);
        (self.api, self.code, words.collect())
    }

    /// Whether it belongs into the table: somebody has to recover, or a client makes it worse.
    fn is_told(&self) -> bool {
        let is_harmful = |played: &Played| played.outcome.is_harmful();
        self.decision != Decision::FixRequest || self.played.iter().any(is_harmful)
    }
}

impl Table {
    /// Plays the profiles in each of these scenarios whose call a client makes and libvirt refuses.
    /// Where the request has to be changed, a scenario is only told of if a profile loses data there
    /// or pays for a full backup, and of those with the same call, code and outcomes one is enough.
    /// With `also_silent` there is a last row, of a fault that libvirt tells nobody.
    ///
    /// # Errors
    /// The driver could not find something out; the scenario's name stands before it.
    pub fn of(
        scenarios: &[(&str, &Scenario)],
        profiles: &[Profile],
        also_silent: bool,
    ) -> Result<Self, DriverError> {
        let refused = |scenario: &Scenario| matches!(scenario.then, Expectation::Refusal(_));
        let newest = Mock::newest().identity()?.libvirt;
        let chosen: Vec<&(&str, &Scenario)> = scenarios
            .iter()
            .filter(|(_, scenario)| {
                refused(scenario) && scenario.applies_to(newest) && unsupported(scenario).is_empty()
            })
            .collect();
        let next = AtomicUsize::new(0);
        let cores = available_parallelism().map_or(1, usize::from);
        let work = || -> Result<Vec<Row>, DriverError> {
            let mut rows = Vec::new();
            let mut mock = Mock::newest();
            while let Some((name, scenario)) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                let row = Row::of(&mut mock, (name, scenario), profiles);
                let named = |error: DriverError| error.with_texts(|text| format!("{name}: {text}"));
                rows.extend(row.map_err(named)?);
            }
            Ok(rows)
        };
        let mut rows = thread::scope(|scope| {
            let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
            let mut rows = Vec::new();
            for thread in threads {
                let done = thread.join();
                rows.extend(done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok::<_, DriverError>(rows)
        })?;
        rows.sort_by(|a, b| a.scenario.cmp(&b.scenario));
        rows.retain(Row::is_told);
        let mut told = Vec::new();
        rows.retain(|row| row.decision != Decision::FixRequest || is_new(&mut told, row.kind()));
        if also_silent {
            rows.push(silent::row(profiles)?);
        }
        let names = profiles.iter().map(|profile| profile.name.clone());
        Ok(Self {
            profiles: names.chain([JUDGE.to_owned()]).collect(),
            rows,
        })
    }

    /// What came of one profile in every scenario; `number` is that of its column.
    pub fn column(&self, number: usize) -> impl Iterator<Item = &Played> {
        self.rows.iter().map(move |row| &row.played[number])
    }
}

/// Whether this is the first of its kind.
fn is_new<T: PartialEq>(told: &mut Vec<T>, kind: T) -> bool {
    let is_new = !told.contains(&kind);
    if is_new {
        told.push(kind);
    }
    is_new
}

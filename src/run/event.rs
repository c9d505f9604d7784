//! What a run tells while it goes on.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Outcome;
use crate::model::{Identity, Raised};
use crate::transcript::Transcript;
use crate::verdict::Check;

/// Something that happened in a run.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// The run begins.
    Started {
        /// The driver's name, as `--driver` takes it.
        driver: String,
        /// The number of scenarios that were selected.
        scenarios: usize,
        /// How many run at once.
        jobs: usize,
        /// Where they are from; older records do not tell.
        #[serde(default)]
        suite: Origin,
    },
    /// A driver is ready and has told who it is; once for each run.
    Identified(Identity),
    /// A scenario begins.
    ScenarioStarted {
        /// Its name.
        name: String,
    },
    /// A scenario has ended.
    ScenarioFinished(Box<Finished>),
    /// The run has ended.
    Finished(Summary),
}

/// Where scenarios are from. The folder itself is not told: it differs between machines.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A folder.
    #[default]
    Folder,
    /// The copy inside the binary.
    Embedded,
}

/// A scenario that has ended.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct Finished {
    /// Its name.
    pub name: String,
    /// The path of its file inside its suite.
    pub source: String,
    /// What it shows; `None` where its file has problems.
    pub summary: Option<String>,
    /// Bug reports, commits and documents it comes from.
    pub refs: Vec<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// Every check, those that hold and those that do not, as far as it got.
    pub checks: Vec<Check>,
    /// How long it took; whole microseconds as `duration_us`.
    #[serde(rename = "duration_us", with = "microseconds")]
    #[schemars(with = "u64")]
    pub duration: Duration,
    /// What happened in it, redacted, as far as it got.
    pub transcript: Option<Transcript>,
    /// The transcript as its snapshot would have it; `None` where it did not get to the end.
    pub text: Option<String>,
    /// The errors that its calls have raised inside libvirt; not told where it did not get to the
    /// end, by the mock, and where libvirt's log is not the run's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised: Option<Vec<Raised>>,
}

/// The outcomes of a run, counted.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Summary {
    /// As expected.
    pub passed: usize,
    /// Answered otherwise.
    pub failed: usize,
    /// The driver's process died.
    pub crashed: usize,
    /// No answer in time.
    pub timed_out: usize,
    /// A known difference did not happen.
    pub unexpected_pass: usize,
    /// Could not run.
    pub broken: usize,
    /// A need is not met.
    pub skipped: usize,
    /// Stopped by the user, or not begun because of that.
    pub interrupted: usize,
    /// Not begun, since another one ended badly and the run was to stop then.
    pub not_run: usize,
    /// The user stopped the run, even if no scenario noticed.
    pub stopped: bool,
    /// From the first scenario's start to the last one's end; whole microseconds as `duration_us`.
    #[serde(rename = "duration_us", with = "microseconds")]
    #[schemars(with = "u64")]
    pub duration: Duration,
}

impl Summary {
    /// Counts one more outcome.
    pub fn count(&mut self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Passed => &mut self.passed,
            Outcome::Failed(_) => &mut self.failed,
            Outcome::Crashed(_) => &mut self.crashed,
            Outcome::TimedOut { .. } => &mut self.timed_out,
            Outcome::UnexpectedPass { .. } => &mut self.unexpected_pass,
            Outcome::Broken { .. } => &mut self.broken,
            Outcome::Skipped { .. } => &mut self.skipped,
            Outcome::Interrupted => &mut self.interrupted,
        };
        *counter += 1;
    }

    /// How many scenarios were counted.
    #[must_use]
    pub fn total(&self) -> usize {
        let Self {
            passed,
            failed,
            crashed,
            timed_out,
            unexpected_pass,
            broken,
            skipped,
            interrupted,
            not_run,
            stopped: _,
            duration: _,
        } = self;
        passed
            + failed
            + crashed
            + timed_out
            + unexpected_pass
            + broken
            + skipped
            + interrupted
            + not_run
    }

    /// The counts that are worth a word, in words, in the order they matter.
    pub fn words(&self) -> impl Iterator<Item = (usize, &'static str)> {
        let all = [
            (self.passed, "passed"),
            (self.failed, "failed"),
            (self.crashed, "crashed"),
            (self.timed_out, "timed-out"),
            (self.unexpected_pass, "unexpected-pass"),
            (self.broken, "broken"),
            (self.skipped, "skipped"),
            (self.interrupted, "interrupted"),
            (self.not_run, "not-run"),
        ];
        all.into_iter()
            .filter(|(count, word)| *count > 0 || *word == "passed" || *word == "failed")
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<String> = self
            .words()
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        f.write_str(&counts.join(", "))
    }
}

/// Durations as whole microseconds.
mod microseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let count = duration.as_micros();
        u64::try_from(count)
            .unwrap_or(u64::MAX)
            .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_micros)
    }
}

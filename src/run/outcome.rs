//! The outcomes of a scenario. They are never mixed: what could not run is not a failure of
//! libvirt, and what was skipped has not passed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::driver::Crash;
use crate::snapshot::Difference;
use crate::verdict::Check;

/// What came of one scenario on one driver.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "result")]
pub enum Outcome {
    /// Everything was as expected and as recorded.
    Passed,
    /// libvirt, or the mock, answered otherwise.
    Failed(Failure),
    /// The driver's process died.
    Crashed(Crash),
    /// An answer did not come in time.
    TimedOut {
        /// The call or action that was under way.
        call: String,
    },
    /// A known difference did not happen.
    UnexpectedPass {
        /// The difference.
        divergence: String,
    },
    /// The scenario or its set-up could not run.
    Broken {
        /// Why, in words.
        reason: String,
        /// The problems of the scenario's file, where that is the reason.
        problems: Vec<SourceProblem>,
    },
    /// A need is not met.
    Skipped {
        /// Which.
        reason: String,
    },
    /// The user stopped the run.
    Interrupted,
}

/// How answers differ from what was expected.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Failure {
    /// The checks that do not hold.
    pub checks: Vec<Check>,
    /// How the transcript differs from its snapshot.
    pub difference: Option<Difference>,
}

/// One problem of a scenario's file, at its place.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct SourceProblem {
    /// The file, inside its suite.
    pub path: String,
    /// Its line, counted from 1.
    pub line: usize,
    /// The character in that line, counted from 1.
    pub column: usize,
    /// Stable identifier, such as `scenario::unknown_disk`.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl Outcome {
    /// Broken, for a reason that lies in no line of a file.
    #[must_use]
    pub fn broken(reason: &impl ToString) -> Self {
        Self::Broken {
            reason: reason.to_string(),
            problems: Vec::new(),
        }
    }

    /// The outcome in one word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::Crashed(_) => "crashed",
            Self::TimedOut { .. } => "timed-out",
            Self::UnexpectedPass { .. } => "unexpected-pass",
            Self::Broken { .. } => "broken",
            Self::Skipped { .. } => "skipped",
            Self::Interrupted => "interrupted",
        }
    }

    /// The outcome and its main reason in one line.
    #[must_use]
    pub fn gist(&self) -> String {
        let text = match self {
            Self::Passed => "as expected".to_owned(),
            Self::Failed(failure) => failure.gist(),
            Self::Crashed(crash) => format!("{} during `{}`", crash.end, crash.call),
            Self::TimedOut { call } => format!("no answer to `{call}` within the time limit"),
            Self::UnexpectedPass { divergence } => {
                format!("the known difference did not happen: {divergence}")
            }
            Self::Broken { reason, problems } => match &problems[..] {
                [] => reason.clone(),
                [only] => only.message.clone(),
                [first, rest @ ..] => format!("{} (and {} more)", first.message, rest.len()),
            },
            Self::Skipped { reason } => reason.clone(),
            Self::Interrupted => "the run was interrupted before this scenario ended".to_owned(),
        };
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        lines.join(" ").trim().to_owned()
    }

    /// True for what a run must not end with.
    #[must_use]
    pub const fn is_bad(&self) -> bool {
        !matches!(self, Self::Passed | Self::Skipped { .. })
    }
}

impl Failure {
    /// The lines in which the transcript differs from its snapshot, where nothing else is wrong.
    #[must_use]
    pub fn only_snapshot(&self) -> Option<&[String]> {
        match (&self.checks[..], &self.difference) {
            ([], Some(Difference::Lines(lines))) => Some(lines),
            ([], Some(Difference::NotRecorded | Difference::Unreadable) | None) | ([_, ..], _) => {
                None
            }
        }
    }

    fn gist(&self) -> String {
        match (&self.checks[..], &self.difference) {
            ([first, rest @ ..], _) => {
                let more = match rest.len() {
                    0 => String::new(),
                    count => format!(" (and {count} more)"),
                };
                let Check {
                    what,
                    expected,
                    found,
                    holds: _,
                } = first;
                format!("{what}: expected {expected}, found {found}{more}")
            }
            ([], Some(Difference::NotRecorded)) => "no snapshot was recorded".to_owned(),
            ([], Some(Difference::Unreadable)) => "the snapshot has no head".to_owned(),
            ([], Some(Difference::Lines(_)) | None) => {
                "the transcript differs from its snapshot".to_owned()
            }
        }
    }
}

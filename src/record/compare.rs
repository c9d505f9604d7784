//! Two recorded runs, held side by side: what fails now, what does not any more, and which
//! answers changed, step by step.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::fields::{Field, Step, outcome, steps};
use super::{FORMAT, Recorded};
use crate::model::Identity;
use crate::run::{Finished, Outcome};

/// How run B differs from run A.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Comparison {
    /// The version of this form, the same as that of records.
    pub format: u32,
    /// The run before.
    pub a: Side,
    /// The run now.
    pub b: Side,
    /// The scenarios that are not the same in both, in the order of their names.
    pub scenarios: Vec<Compared>,
    /// How many scenarios are the same in both.
    pub same: usize,
}

/// One of the two runs.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Side {
    /// The driver's name, as `--driver` takes it.
    pub driver: String,
    /// Who answered, where it came to that.
    pub identity: Option<Identity>,
    /// How many scenarios the record holds.
    pub scenarios: usize,
    /// Whether the run got to its end without being stopped.
    pub whole: bool,
}

/// A scenario that is not the same in both.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Its outcome in run A, in one word; `None` where it is not there.
    pub a: Option<String>,
    /// Its outcome in run B, in one word; `None` where it is not there.
    pub b: Option<String>,
    /// Why it fails in run B, in one line.
    pub why: Option<String>,
    /// The answers that changed, step by step.
    pub changes: Vec<Change>,
}

/// What became of a scenario.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It fails in B, and did not in A or did not run there.
    NewFailure,
    /// It fails in both, and not in the same way.
    FailsDifferently,
    /// It passes in both, with other answers.
    Changed,
    /// It fails in both, in the same way.
    StillFailing,
    /// It failed in A and passes in B.
    Fixed,
    /// It ran in A and not in B.
    OnlyInA,
    /// It ran in B, where it passes, and not in A.
    OnlyInB,
}

/// One field of one step that is not the same.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Change {
    /// The step: section, number, and label.
    pub step: String,
    /// What changed: `code`, `message`, `bitmap vda[0] ck1`, …; `step` for the whole of it.
    pub field: String,
    /// Its value in run A; `None` where it has none.
    pub a: Option<String>,
    /// Its value in run B; `None` where it has none.
    pub b: Option<String>,
}

impl Change {
    /// The value of [`Change::field`] where a step is in one of the two only.
    pub const WHOLE_STEP: &str = "step";
}

impl Verdict {
    /// Every verdict, the worst first.
    pub const ALL: [Self; 7] = [
        Self::NewFailure,
        Self::FailsDifferently,
        Self::Changed,
        Self::StillFailing,
        Self::Fixed,
        Self::OnlyInA,
        Self::OnlyInB,
    ];

    /// The verdict in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NewFailure => "new failure",
            Self::FailsDifferently => "failing differently",
            Self::Changed => "changed",
            Self::StillFailing => "still failing",
            Self::Fixed => "fixed",
            Self::OnlyInA => "only in A",
            Self::OnlyInB => "only in B",
        }
    }

    /// True for what must not happen unnoticed.
    #[must_use]
    pub const fn is_regression(self) -> bool {
        matches!(
            self,
            Self::NewFailure | Self::FailsDifferently | Self::Changed
        )
    }
}

impl Comparison {
    /// The scenarios of one verdict.
    pub fn of(&self, verdict: Verdict) -> impl Iterator<Item = &Compared> {
        let is_of = move |compared: &&Compared| compared.verdict == verdict;
        self.scenarios.iter().filter(is_of)
    }

    /// The JSON Schema of this, as it is committed beside the reports.
    #[must_use]
    pub fn schema() -> String {
        let settings = SchemaSettings::draft2020_12().for_serialize();
        let schema = settings.into_generator().into_root_schema_for::<Self>();
        format!("{:#}\n", schema.as_value())
    }

    /// Whether anything is worse or otherwise in B than it was in A.
    #[must_use]
    pub fn has_regression(&self) -> bool {
        self.scenarios
            .iter()
            .any(|compared| compared.verdict.is_regression())
    }
}

/// Compares two recorded runs.
#[must_use]
pub fn compare(a: &Recorded, b: &Recorded) -> Comparison {
    let (in_a, in_b) = (by_name(a), by_name(b));
    let mut names: Vec<&str> = in_a.keys().chain(in_b.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    let mut scenarios = Vec::new();
    for name in &names {
        let (a, b) = (in_a.get(name).copied(), in_b.get(name).copied());
        scenarios.extend(compared(name, a, b));
    }
    Comparison {
        format: FORMAT,
        a: side(a, in_a.len()),
        b: side(b, in_b.len()),
        same: names.len() - scenarios.len(),
        scenarios,
    }
}

fn by_name(recorded: &Recorded) -> BTreeMap<&str, &Finished> {
    recorded
        .finished()
        .map(|finished| (finished.name.as_str(), finished))
        .collect()
}

fn side(recorded: &Recorded, scenarios: usize) -> Side {
    Side {
        driver: recorded.head.driver.clone(),
        identity: recorded.identity().cloned(),
        scenarios,
        whole: recorded.is_whole(),
    }
}

/// How a scenario stands in one run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    Passes,
    Fails,
    DidNotRun,
}

fn standing(finished: Option<&Finished>) -> Standing {
    let Some(finished) = finished else {
        return Standing::DidNotRun;
    };
    match finished.outcome {
        Outcome::Passed => Standing::Passes,
        Outcome::Skipped { .. } | Outcome::Interrupted => Standing::DidNotRun,
        Outcome::Failed(_)
        | Outcome::Crashed(_)
        | Outcome::TimedOut { .. }
        | Outcome::UnexpectedPass { .. }
        | Outcome::Broken { .. } => Standing::Fails,
    }
}

fn compared(name: &str, a: Option<&Finished>, b: Option<&Finished>) -> Option<Compared> {
    let mut changes = match (a, b) {
        (Some(a), Some(b)) => transcript_changes(a, b),
        (_, None) | (None, _) => Vec::new(),
    };
    let verdict = match (standing(a), standing(b)) {
        (Standing::DidNotRun, Standing::DidNotRun) => return None,
        (Standing::Passes | Standing::DidNotRun, Standing::Fails) => Verdict::NewFailure,
        (Standing::Fails, Standing::Passes) => Verdict::Fixed,
        (Standing::Passes | Standing::Fails, Standing::DidNotRun) => Verdict::OnlyInA,
        (Standing::DidNotRun, Standing::Passes) => Verdict::OnlyInB,
        (Standing::Passes, Standing::Passes) if changes.is_empty() => return None,
        (Standing::Passes, Standing::Passes) => Verdict::Changed,
        (Standing::Fails, Standing::Fails) => {
            if let (Some(a), Some(b)) = (a, b) {
                let (a, b) = (outcome(&a.outcome), outcome(&b.outcome));
                changes.splice(0..0, field_changes("outcome", a, b));
            }
            if changes.is_empty() {
                Verdict::StillFailing
            } else {
                Verdict::FailsDifferently
            }
        }
    };
    let mut why = b
        .filter(|_| standing(b) == Standing::Fails)
        .map(|finished| finished.outcome.gist());
    if standing(a) == Standing::Passes
        && changes.is_empty()
        && let Some(Outcome::Failed(failure)) = b.map(|finished| &finished.outcome)
        && let Some(lines) = failure.only_snapshot()
    {
        why = Some("same answers, another snapshot".to_owned());
        changes.push(other_snapshot(lines));
    }
    let word = |finished: Option<&Finished>| Some(finished?.outcome.word().to_owned());
    Some(Compared {
        name: name.to_owned(),
        verdict,
        a: word(a),
        b: word(b),
        why,
        changes,
    })
}

/// What B's snapshot has where the answers of both runs, and with them A's snapshot, differ.
fn other_snapshot(lines: &[String]) -> Change {
    let without = |sign: char| {
        let kept = lines.iter().filter(|line| !line.starts_with(sign));
        let kept: Vec<&str> = kept.map(|line| line.get(2..).unwrap_or_default()).collect();
        Some(kept.join("\n"))
    };
    Change {
        step: "snapshot".to_owned(),
        field: "lines".to_owned(),
        a: without('-'),
        b: without('+'),
    }
}

fn transcript_changes(a: &Finished, b: &Finished) -> Vec<Change> {
    let (Some(a), Some(b)) = (&a.transcript, &b.transcript) else {
        return Vec::new();
    };
    let extra_texts = a.identity.real && b.identity.real;
    let (a, b) = (steps(a, extra_texts), steps(b, extra_texts));
    let key = |step: &Step| (step.section, step.label.clone());
    let keys_a: Vec<_> = a.iter().map(key).collect();
    let keys_b: Vec<_> = b.iter().map(key).collect();
    let mut changes = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &keys_a, &keys_b) {
        if let DiffOp::Equal {
            old_index,
            new_index,
            len,
        } = op
        {
            for (a, b) in a[old_index..][..len].iter().zip(&b[new_index..][..len]) {
                changes.extend(field_changes(&place(b), a.fields.clone(), b.fields.clone()));
            }
        } else {
            changes.extend(a[op.old_range()].iter().map(|step| alone(step, true)));
            changes.extend(b[op.new_range()].iter().map(|step| alone(step, false)));
        }
    }
    changes
}

/// A step that only one of the two has.
fn alone(step: &Step, in_a: bool) -> Change {
    let text = |there: bool| there.then(|| "there".to_owned());
    Change {
        step: place(step),
        field: Change::WHOLE_STEP.to_owned(),
        a: text(in_a),
        b: text(!in_a),
    }
}

fn place(step: &Step) -> String {
    let Step {
        section,
        number,
        label,
        fields: _,
    } = step;
    match (*section, &**label) {
        (_, "") => (*section).to_owned(),
        ("when", label) => format!("when {label}"),
        (_, label) => format!("{section} {number} {label}"),
    }
}

/// The fields that differ or that only one side has: those of A in their order, then the others.
fn field_changes(step: &str, a: Vec<Field>, mut b: Vec<Field>) -> Vec<Change> {
    let change = |field: String, a, b| Change {
        step: step.to_owned(),
        field,
        a,
        b,
    };
    let mut changes = Vec::new();
    for (name, value_a) in a {
        let at = b.iter().position(|(other, _)| *other == name);
        let value_b = at.map(|at| b.remove(at).1);
        if value_b.as_ref() != Some(&value_a) {
            changes.push(change(name, Some(value_a), value_b));
        }
    }
    changes.extend(
        b.into_iter()
            .map(|(name, value)| change(name, None, Some(value))),
    );
    changes
}

//! What the facts come to.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::probe::Probe;
use crate::model::{Category, CleanUp, Decision, DiskPart};

/// What the facts come to.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// They suffice.
    Decided(Decided),
    /// One more question must be answered first.
    Need(Probe),
}

/// A decision and where it comes from.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Decided {
    /// What the client does now.
    pub decision: Decision,
    /// The class of the failure; it follows from the decision.
    pub category: Category,
    /// Its base, its disks, its clean-up.
    #[serde(flatten)]
    pub detail: Detail,
    /// Identifier of the rule; `none` where none applies.
    pub rule: String,
    /// The rule in words.
    pub because: String,
    /// Who says so.
    pub sources: Vec<String>,
    /// The message was read, since no query tells the same.
    pub reads_message: bool,
}

/// What a decision says beside its name.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Detail {
    /// The checkpoint that the next backup is based on.
    pub base: Option<String>,
    /// What the next backup takes of each disk, where that is not the same of all.
    pub disks: BTreeMap<String, DiskPart>,
    /// Steps that go with the decision, in order; each says when it is due.
    pub clean_up: Vec<CleanUp>,
}

impl Detail {
    /// Nothing but these steps.
    pub(super) fn cleaning(clean_up: impl IntoIterator<Item = CleanUp>) -> Self {
        Self {
            clean_up: clean_up.into_iter().collect(),
            ..Self::default()
        }
    }
}

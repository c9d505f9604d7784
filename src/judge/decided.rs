//! What the facts come to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::facts::Probe;
use crate::model::{CleanUp, Decision, DiskPart};

/// What the facts come to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// They suffice.
    Decided(Decided),
    /// One more question must be answered first.
    Need(Probe),
}

/// A decision and where it comes from.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Decided {
    /// What the client does now.
    pub decision: Decision,
    /// Its base, its disks, its clean-up.
    pub detail: Detail,
    /// Identifier of the rule.
    pub rule: String,
    /// The rule in words.
    pub because: String,
    /// Who says so.
    pub sources: Vec<String>,
}

/// What a decision says beside its name.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Detail {
    /// The checkpoint that the next backup is based on.
    pub base: Option<String>,
    /// What the next backup takes of each disk, where that is not the same of all.
    pub disks: BTreeMap<String, DiskPart>,
    /// Steps that go with the decision, in order. Whatever they delete is kept until the next
    /// backup was verified.
    pub clean_up: Vec<CleanUp>,
}

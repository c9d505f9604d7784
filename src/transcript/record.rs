//! The parts of a transcript.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{
    Action, Answer, BitmapTable, Call, CleanUp, Decision, DiskPart, DomainState, Identity,
    LibvirtError, Observation,
};

/// The version of the transcript format that this build writes.
pub const FORMAT: u32 = 1;

/// Everything that happened in one scenario.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Transcript {
    /// [`FORMAT`] of the build that wrote it.
    pub format: u32,
    /// The scenario's name, with its area: `seed/…`.
    pub scenario: String,
    /// Who answered.
    pub identity: Identity,
    /// What happened before the call under test.
    pub history: Vec<Record>,
    /// The state of the host before the call under test.
    pub before: Option<HostState>,
    /// The call under test.
    pub when: Option<Record>,
    /// The state of the host after it.
    pub after: Option<HostState>,
    /// What the judge made of a refusal.
    pub conclusion: Option<Conclusion>,
    /// The decision, executed.
    pub recovery: Vec<Record>,
    /// What shows that the recovery worked.
    pub proof: Vec<ProofLine>,
}

impl Transcript {
    /// A transcript in which nothing has happened yet.
    #[must_use]
    pub fn new(scenario: &str, identity: Identity) -> Self {
        Self {
            format: FORMAT,
            scenario: scenario.to_owned(),
            identity,
            history: Vec::new(),
            before: None,
            when: None,
            after: None,
            conclusion: None,
            recovery: Vec::new(),
            proof: Vec::new(),
        }
    }
}

/// One step and what came of it.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Record {
    /// The step in one line.
    pub label: String,
    /// What was sent and what came back.
    pub exchange: Exchange,
}

/// What was sent and what came back.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exchange {
    /// A libvirt call.
    Call {
        /// What was sent.
        call: Call,
        /// What came back.
        answer: Answer,
    },
    /// Something done to the host.
    Action {
        /// What was done.
        action: Action,
        /// What was seen.
        observation: Observation,
    },
}

impl Record {
    /// The error, if libvirt refused the call of this record.
    #[must_use]
    pub fn refusal(&self) -> Option<&LibvirtError> {
        match &self.exchange {
            Exchange::Call {
                answer: Answer::Refused(error),
                ..
            } => Some(error),
            Exchange::Call {
                answer: Answer::Returned(_),
                ..
            }
            | Exchange::Action { .. } => None,
        }
    }
}

/// What can be seen of a domain and its directory between two steps.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct HostState {
    /// `virDomainGetState`.
    pub domain: DomainState,
    /// `virDomainListAllCheckpoints`, sorted.
    pub checkpoints: Vec<String>,
    /// Whether `virDomainBackupGetXMLDesc` finds a backup.
    pub backup: bool,
    /// Bitmaps in memory of an active domain, else those stored in its images.
    pub bitmaps: BitmapTable,
    /// Files in the scenario's directory, sorted.
    pub files: Vec<String>,
}

/// What the judge made of a refusal.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Conclusion {
    /// What a client does now.
    pub decision: Decision,
    /// The checkpoint that the next backup is based on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// What the next backup takes of each disk, where that is not the same of all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub disks: BTreeMap<String, DiskPart>,
    /// Steps that go with the decision, in order.
    pub clean_up: Vec<CleanUp>,
    /// Identifier of the rule that decided.
    pub rule: String,
    /// The rule in words.
    pub because: String,
    /// Who says so.
    pub sources: Vec<String>,
    /// The probes that the judge asked for, in order.
    pub probes: Vec<ProbeRecord>,
}

/// One probe and its answer, in words.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct ProbeRecord {
    /// What was asked.
    pub probe: String,
    /// What it showed.
    pub answer: String,
}

/// One thing that had to be shown.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct ProofLine {
    /// What had to be shown.
    pub claim: String,
    /// What was found.
    pub found: String,
    /// Whether the claim holds.
    pub holds: bool,
}

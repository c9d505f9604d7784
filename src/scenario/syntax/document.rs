//! The whole of a scenario file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Disk, Named, Need, Spanned, Step, Then, Word};
use crate::model::{Client, Version};

/// The version of the scenario format that this build reads and writes.
pub const FORMAT: i128 = 1;

/// A scenario: disks, a history, the call under test and what must come of it.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(title = "backup-tck scenario")]
pub struct Document {
    /// Version of the scenario format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub format: u32,
    /// The scenario's name, equal to the file's without `.yaml`; stable, since reports and
    /// snapshots depend on it.
    pub scenario: Spanned<String>,
    /// What it shows, in a sentence or two.
    pub summary: String,
    /// Bug reports, commits and documents it comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refs: Vec<String>,
    /// What the host must offer; where it does not, the scenario is skipped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Spanned<Need>>,
    /// The first version of libvirt that it applies to.
    pub since: Option<Spanned<Word<Version>>>,
    /// The last version of libvirt that it applies to.
    pub until: Option<Spanned<Word<Version>>>,
    /// Seconds for which libvirt itself holds a call of this scenario. The run begins such
    /// scenarios first, and beside the others.
    pub waits: Option<u32>,
    /// What the client cannot do, or may not.
    pub client: Option<Client>,
    /// The domain's disks by target device, in the order of the domain's XML.
    pub disks: Named<Disk>,
    /// What happens before the call under test, in this order. Every step must succeed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Spanned<Step>>,
    /// The call under test.
    pub when: Option<Spanned<Step>>,
    /// What must come of it.
    pub then: Option<Spanned<Then>>,
    /// Variants: for each axis its values, for each value the keys that it replaces. Each
    /// combination becomes a scenario of its own, named `SCENARIO@VALUE` or `SCENARIO@VALUE+VALUE`.
    pub matrix: Option<Named<Named<Spanned<Case>>>>,
}

/// The keys of the scenario that one value of a matrix replaces, whole.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// Replaces `summary`.
    pub summary: Option<String>,
    /// Replaces `refs`.
    pub refs: Option<Vec<String>>,
    /// Replaces `needs`.
    pub needs: Option<Vec<Spanned<Need>>>,
    /// Replaces `since`.
    pub since: Option<Spanned<Word<Version>>>,
    /// Replaces `until`.
    pub until: Option<Spanned<Word<Version>>>,
    /// Replaces `client`.
    pub client: Option<Client>,
    /// Replaces `disks`.
    pub disks: Option<Named<Disk>>,
    /// Replaces `history`.
    pub history: Option<Vec<Spanned<Step>>>,
    /// Replaces `when`.
    pub when: Option<Spanned<Step>>,
    /// Replaces `then`.
    pub then: Option<Spanned<Then>>,
}

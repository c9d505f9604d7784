//! One scenario as the rest of the crate sees it: checked, and a matrix expanded.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Disk, Expectation, Named, Spanned, Step, Word};
use crate::model::{Client, Version};

/// One scenario: disks, a history, the call under test and what must come of it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name; `FILE`, or `FILE@VALUE` where a matrix makes several of one file.
    pub name: String,
    /// What it shows, in a sentence or two.
    pub summary: String,
    /// Bug reports, commits and documents it comes from.
    pub refs: Vec<String>,
    /// What the host must offer.
    pub needs: Vec<Need>,
    /// The first version of libvirt that it applies to.
    pub since: Option<Version>,
    /// The last version of libvirt that it applies to.
    pub until: Option<Version>,
    /// Seconds for which libvirt itself holds a call of it.
    pub waits: Option<u32>,
    /// What the client cannot do, or may not.
    pub client: Client,
    /// The domain's disks, in the order of the domain's XML.
    pub disks: Named<Disk>,
    /// What happens before the call under test, in order.
    pub history: Vec<Spanned<Step>>,
    /// The call under test.
    pub when: Spanned<Step>,
    /// What must come of it.
    pub then: Expectation,
}

/// Something that not every host or driver offers.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// A libvirt of the run's own, whose files may be damaged: every driver but one that was
    /// reached by a URI.
    PrivateDaemon,
    /// The rights of root, for file systems of limited size and foreign permissions.
    Root,
    /// Certificates for TLS, where libvirt looks for them.
    Tls,
}

impl Need {
    /// Every need, in the order they are documented.
    pub const ALL: [Self; 3] = [Self::PrivateDaemon, Self::Root, Self::Tls];

    /// The word that scenarios use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PrivateDaemon => "private-daemon",
            Self::Root => "root",
            Self::Tls => "tls",
        }
    }
}

impl Scenario {
    /// The operator's part of the recovery; nothing where the call succeeds.
    #[must_use]
    pub fn remedy(&self) -> &[Spanned<Step>] {
        match &self.then {
            Expectation::Success => &[],
            Expectation::Refusal(refusal) => refusal.remedy.as_deref().unwrap_or_default(),
        }
    }

    /// Whether it is about this version of libvirt; the third number of `until` does not matter.
    #[must_use]
    pub fn applies_to(&self, version: Version) -> bool {
        let old_enough = |last: Version| version <= last || version.same_series(last);
        self.since.is_none_or(|first| first <= version) && self.until.is_none_or(old_enough)
    }
}

/// The version inside a word with a place.
pub(in crate::scenario) fn version_of(word: Option<&Spanned<Word<Version>>>) -> Option<Version> {
    word.map(|word| word.value.0)
}

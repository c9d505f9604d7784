//! The list, which stands in `findings.yaml` beside this file.

use std::sync::LazyLock;

use serde::Deserialize;

/// Something that libvirt does, and who does not expect it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The word for it; a heading of `FINDINGS.md`.
    pub name: String,
    /// It in one line.
    pub title: String,
    /// Whose mistake it is.
    pub kind: Kind,
    /// What happens.
    pub statement: String,
    /// What a client does today.
    pub today: String,
    /// What libvirt could do.
    pub libvirt: String,
    /// Places in libvirt's and QEMU's source, documents, reports.
    pub source: Vec<String>,
    /// The scenarios that show it, a matrix as a whole.
    pub scenarios: Vec<String>,
    /// Why no scenario shows it.
    pub note: Option<String>,
    /// Lines of the reproducer's output that only a libvirt prints which does this.
    pub shows: String,
    /// The reproducer, behind the functions of `prelude.sh`.
    pub script: String,
}

/// Whose mistake a finding is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// libvirt's or QEMU's.
    Defect,
    /// The caller's, to whom the interface suggests it.
    Trap,
    /// The documentation's.
    Documentation,
}

impl Kind {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Defect, Self::Trap, Self::Documentation];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Defect => "defect",
            Self::Trap => "trap",
            Self::Documentation => "documentation",
        }
    }
}

impl Finding {
    /// Whether a scenario, or a case of its matrix, shows it.
    #[must_use]
    pub fn is_shown_by(&self, scenario: &str) -> bool {
        let file = scenario.split('@').next().unwrap_or(scenario);
        self.scenarios.iter().any(|name| name == file)
    }
}

/// Every finding, in the order of the file.
///
/// # Panics
/// Never: a test reads the file.
#[must_use]
pub fn findings() -> &'static [Finding] {
    static FINDINGS: LazyLock<Vec<Finding>> = LazyLock::new(|| {
        let text = include_str!("findings.yaml");
        serde_saphyr::from_str(text).expect("a test reads the file")
    });
    &FINDINGS
}

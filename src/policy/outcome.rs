//! What came of a profile in a scenario.

use serde::Serialize;

/// What came of it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The backup restores, and so does the next incremental one; or what was to be deleted is gone.
    Recovers,
    /// The same by a full backup, which the judge would not have paid for.
    NeedlessFull,
    /// What the client believes to have restores otherwise than the disk was, and nobody is told.
    LosesData,
    /// The same thing is done again and again.
    Loops,
    /// The error is told; what is stored still restores.
    GivesUp,
    /// The product does not make this call in this state.
    NotCalled,
    /// The mock has no rule for what the client does.
    NotModelled,
}

impl Outcome {
    /// Every outcome, in the order they are documented.
    pub const ALL: [Self; 7] = [
        Self::Recovers,
        Self::NeedlessFull,
        Self::LosesData,
        Self::Loops,
        Self::GivesUp,
        Self::NotCalled,
        Self::NotModelled,
    ];

    /// The word of tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recovers => "recovers",
            Self::NeedlessFull => "needless-full",
            Self::LosesData => "loses-data",
            Self::Loops => "loops",
            Self::GivesUp => "gives-up",
            Self::NotCalled => "not-called",
            Self::NotModelled => "not-modelled",
        }
    }

    /// Its letter in narrow tables.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Recovers => 'R',
            Self::NeedlessFull => 'F',
            Self::LosesData => 'L',
            Self::Loops => 'E',
            Self::GivesUp => 'G',
            Self::NotCalled => '.',
            Self::NotModelled => '?',
        }
    }

    /// What it means, in a line.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Recovers => "recovers: the backup restores, and the next incremental one",
            Self::NeedlessFull => "recovers by a full backup that was not needed",
            Self::LosesData => "loses data: what it restores is not the disk, and nobody is told",
            Self::Loops => "endless: does the same again and again",
            Self::GivesUp => "gives up: the error is told, what is stored still restores",
            Self::NotCalled => "does not make this call in this state",
            Self::NotModelled => "the mock has no rule for what it does",
        }
    }

    /// Whether somebody is worse off than after giving up.
    #[must_use]
    pub const fn is_harmful(self) -> bool {
        matches!(self, Self::NeedlessFull | Self::LosesData)
    }
}

/// What came of a profile in a scenario, and how.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Played {
    /// What came of it.
    pub outcome: Outcome,
    /// What the client has left behind, in words: bitmaps without checkpoints, checkpoints without
    /// backups, a job.
    pub debris: Vec<String>,
    /// What the client did, and what shows the outcome.
    pub steps: Vec<String>,
}

impl Played {
    /// The word of tables: the outcome, and a mark where something is left behind.
    #[must_use]
    pub fn word(&self) -> String {
        let mark = if self.debris.is_empty() { "" } else { "+" };
        format!("{}{mark}", self.outcome.as_str())
    }

    /// The same in two letters.
    #[must_use]
    pub fn letters(&self) -> String {
        let mark = if self.debris.is_empty() { ' ' } else { '+' };
        format!("{}{mark}", self.outcome.letter())
    }
}

//! The closed set of recovery decisions, their clean-up steps and the three categories that
//! Red Hat bug 1874846 asked for.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::UnknownName;

/// What the client should think of a failed call: the three classes of the bug report.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// The same call can never succeed; nothing in storage is damaged.
    InvalidRequest,
    /// The same call may succeed later, or after something outside the backup chain changed.
    Temporary,
    /// The request refers to history that is not there; another backup can be taken.
    Unrecoverable,
    /// The wanted state already holds.
    AlreadyDone,
    /// The facts do not decide.
    Undecidable,
}

impl Category {
    /// Every category, in the order they are documented.
    pub const ALL: [Self; 5] = [
        Self::InvalidRequest,
        Self::Temporary,
        Self::Unrecoverable,
        Self::AlreadyDone,
        Self::Undecidable,
    ];

    /// The word that scenarios use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid-request",
            Self::Temporary => "temporary",
            Self::Unrecoverable => "unrecoverable",
            Self::AlreadyDone => "already-done",
            Self::Undecidable => "undecidable",
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidRequest => "invalid request",
            Self::Temporary => "temporary",
            Self::Unrecoverable => "unrecoverable",
            Self::AlreadyDone => "already done",
            Self::Undecidable => "undecidable",
        })
    }
}

/// What a client does after a failed call. One decision per call.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The caller's XML, flags or names are wrong for this domain: change them.
    FixRequest,
    /// Something else holds the domain or the disk: wait for it to end.
    RetryAfterJobEnds,
    /// The domain is in the wrong power state for the call.
    ChangeDomainStateThenRetry,
    /// Space, directory, permission, port, socket or TLS material of the host is missing.
    RestoreEnvironmentThenRetry,
    /// libvirt lost the metadata, the bitmap is still in the image: redefine it.
    RedefineMissingCheckpointsThenRetry,
    /// The wanted base is unusable, another one is good and its backup is stored.
    IncrementalFromOtherGoodCheckpoint,
    /// Only some disks lost the bitmap: full for those, incremental for the rest.
    FullForAffectedDisks,
    /// No usable base is left: full backup with a checkpoint under a fresh name.
    FullBackupNewChain,
    /// The state that the caller wanted already holds.
    TreatAsDone,
    /// The facts do not select a decision: keep everything, delete nothing, alert.
    InvestigateEscalate,
}

impl Decision {
    /// Every decision, in the order they are documented.
    pub const ALL: [Self; 10] = [
        Self::FixRequest,
        Self::RetryAfterJobEnds,
        Self::ChangeDomainStateThenRetry,
        Self::RestoreEnvironmentThenRetry,
        Self::RedefineMissingCheckpointsThenRetry,
        Self::IncrementalFromOtherGoodCheckpoint,
        Self::FullForAffectedDisks,
        Self::FullBackupNewChain,
        Self::TreatAsDone,
        Self::InvestigateEscalate,
    ];

    /// The word that scenarios, snapshots and reports use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FixRequest => "fix-request",
            Self::RetryAfterJobEnds => "retry-after-job-ends",
            Self::ChangeDomainStateThenRetry => "change-domain-state-then-retry",
            Self::RestoreEnvironmentThenRetry => "restore-environment-then-retry",
            Self::RedefineMissingCheckpointsThenRetry => "redefine-missing-checkpoints-then-retry",
            Self::IncrementalFromOtherGoodCheckpoint => "incremental-from-other-good-checkpoint",
            Self::FullForAffectedDisks => "full-for-affected-disks",
            Self::FullBackupNewChain => "full-backup-new-chain",
            Self::TreatAsDone => "treat-as-done",
            Self::InvestigateEscalate => "investigate-escalate",
        }
    }

    /// The category that this decision belongs to.
    #[must_use]
    pub const fn category(self) -> Category {
        match self {
            Self::FixRequest => Category::InvalidRequest,
            Self::RetryAfterJobEnds
            | Self::ChangeDomainStateThenRetry
            | Self::RestoreEnvironmentThenRetry => Category::Temporary,
            Self::RedefineMissingCheckpointsThenRetry
            | Self::IncrementalFromOtherGoodCheckpoint
            | Self::FullForAffectedDisks
            | Self::FullBackupNewChain => Category::Unrecoverable,
            Self::TreatAsDone => Category::AlreadyDone,
            Self::InvestigateEscalate => Category::Undecidable,
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Decision {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let mut all = Self::ALL.into_iter();
        all.find(|decision| decision.as_str() == text)
            .ok_or(UnknownName)
    }
}

/// How much of one disk a backup takes, by the words of the attribute `backupmode`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiskPart {
    /// Everything.
    Full,
    /// What has changed since the base.
    Incremental,
}

impl fmt::Display for DiskPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "full",
            Self::Incremental => "incremental",
        })
    }
}

/// The kinds of clean-up that can precede a decision.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CleanUpKind {
    /// Delete a checkpoint that was created by a backup which did not complete.
    DiscardUncommittedCheckpoint,
    /// The checkpoint is defined and no disk carries its bitmap: delete the metadata only.
    DropCheckpointMetadata,
    /// A bitmap must go, the domain runs: redefine without validation, then delete.
    PurgeStaleBitmapLive,
    /// A bitmap must go, the domain is off: `qemu-img bitmap --remove` on every layer.
    PurgeStaleBitmapOffline,
    /// A backup job runs that no job API sees: abort the block jobs, then clean up.
    ClearStuckBackupJob,
}

impl CleanUpKind {
    /// Every kind, in the order they are documented.
    pub const ALL: [Self; 5] = [
        Self::DiscardUncommittedCheckpoint,
        Self::DropCheckpointMetadata,
        Self::PurgeStaleBitmapLive,
        Self::PurgeStaleBitmapOffline,
        Self::ClearStuckBackupJob,
    ];

    /// The word that snapshots and reports use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DiscardUncommittedCheckpoint => "discard-uncommitted-checkpoint",
            Self::DropCheckpointMetadata => "drop-checkpoint-metadata",
            Self::PurgeStaleBitmapLive => "purge-stale-bitmap-live",
            Self::PurgeStaleBitmapOffline => "purge-stale-bitmap-offline",
            Self::ClearStuckBackupJob => "clear-stuck-backup-job",
        }
    }
}

/// When a clean-up step is due.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum CleanUpTime {
    /// Before anything else: what is left of a failed attempt, or is in the way of the next one.
    First,
    /// After the operator's part, before the same call is made again: what needs the repaired
    /// resource itself.
    BeforeRetry,
    /// Once the next backup was restored and found right: until then it is what a client has.
    #[default]
    AfterVerifiedBackup,
}

/// One clean-up step and the checkpoint it is about.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct CleanUp {
    /// What is done.
    pub kind: CleanUpKind,
    /// The checkpoint, or the bitmap of that name.
    pub checkpoint: String,
    /// The disks on which that is: those that carry a bitmap to be purged, or that lack one.
    pub disks: Vec<String>,
    /// The disks on which the checkpoint is good and stays.
    #[serde(default)]
    pub kept: Vec<String>,
    /// When it is due.
    #[serde(default)]
    pub time: CleanUpTime,
    /// Nobody has seen whether these disks carry the bitmap. libvirt refuses to delete one that is
    /// not there, by `VIR_ERR_INTERNAL_ERROR`; then only the metadata is dropped.
    #[serde(default)]
    pub unseen: bool,
}

impl fmt::Display for CleanUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.checkpoint)?;
        let (disks, kept) = (self.disks.join(" "), self.kept.join(" "));
        if !self.kept.is_empty() {
            write!(f, " on {disks}, kept on {kept}")?;
        }
        if self.unseen {
            write!(f, " where {disks} has it")?;
        }
        f.write_str(match self.time {
            CleanUpTime::First => ", first",
            CleanUpTime::BeforeRetry => ", before the retry",
            CleanUpTime::AfterVerifiedBackup => "",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for decision in Decision::ALL {
            assert_eq!(decision.as_str().parse(), Ok(decision));
            let json = serde_json::to_string(&decision).unwrap();
            assert_eq!(
                json,
                format!("\"{decision}\""),
                "serde and display must agree"
            );
        }
    }
}

//! The rules of a profile: when, and what is done then.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::model::{Api, Call, DomainState, ErrorCode, flags};

/// One rule.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// What it is about; a rule without this fits always.
    #[serde(default)]
    pub when: When,
    /// What is done, in order. Where the list comes to its end, the client goes on as if the refused
    /// call had succeeded.
    #[serde(rename = "do")]
    pub acts: Vec<Act>,
    /// Why the product does that.
    #[serde(default)]
    pub because: Option<String>,
}

/// What must hold for a rule to fit; what is not given does not matter.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct When {
    /// The call that was refused.
    pub call: Option<CallWord>,
    /// The error's code, or one of several.
    #[serde(deserialize_with = "codes")]
    pub code: Vec<ErrorCode>,
    /// A part of the message.
    pub message: Option<String>,
    /// The state of the domain after the refusal.
    pub domain: Option<DomainState>,
    /// Whether the checkpoint that the call is about, or is based on, is defined.
    pub checkpoint: Option<Subject>,
    /// Whether the refused backup was incremental.
    pub incremental: Option<bool>,
}

impl When {
    /// Whether it fits always.
    #[must_use]
    pub fn is_anything(&self) -> bool {
        *self == Self::default()
    }
}

/// A call that can be refused, by the words of the scenario language.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum CallWord {
    /// `virDomainBackupBegin`.
    BackupBegin,
    /// `virDomainCheckpointCreateXML`.
    CheckpointCreate,
    /// The same with `VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE`.
    CheckpointRedefine,
    /// `virDomainCheckpointDelete`.
    CheckpointDelete,
    /// `virDomainAbortJob`.
    BackupAbort,
    /// No call of libvirt's: the client itself has found that the bitmap of its base is not there.
    BitmapCheck,
    /// Any other.
    Other,
}

impl CallWord {
    /// The word for a call.
    #[must_use]
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "rules are about the calls of a backup"
    )]
    pub const fn of(call: &Call) -> Self {
        match call.api {
            Api::DomainBackupBegin => Self::BackupBegin,
            Api::CheckpointCreate if call.flags & flags::CHECKPOINT_CREATE_REDEFINE != 0 => {
                Self::CheckpointRedefine
            }
            Api::CheckpointCreate => Self::CheckpointCreate,
            Api::CheckpointDelete => Self::CheckpointDelete,
            Api::DomainAbortJob | Api::DomainAbortJobFlags => Self::BackupAbort,
            _ => Self::Other,
        }
    }

    /// The word that profiles use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BackupBegin => "backup-begin",
            Self::CheckpointCreate => "checkpoint-create",
            Self::CheckpointRedefine => "checkpoint-redefine",
            Self::CheckpointDelete => "checkpoint-delete",
            Self::BackupAbort => "backup-abort",
            Self::BitmapCheck => "bitmap-check",
            Self::Other => "other",
        }
    }
}

/// Whether libvirt knows a checkpoint.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// It is listed.
    Defined,
    /// It is not.
    Missing,
}

/// One thing that a client does. Where libvirt refuses it, the rules are asked about that refusal,
/// and the rest of the list comes after what they say.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// The refused call again, at most so many times; then the client gives up. Meanwhile what is
    /// temporary ends: the other job, the lack of space.
    Retry(u32),
    /// The same without an end.
    RetryForEver,
    /// A full backup with a new checkpoint.
    FullBackup,
    /// The same under the name of the checkpoint that the refused call was based on, or about.
    FullBackupSameName,
    /// An incremental backup from the newest checkpoint that libvirt lists.
    IncrementalFromNewest,
    /// An incremental backup from the newest checkpoint with a good backup in the client's books,
    /// other than the refused base.
    IncrementalFromOtherBackup,
    /// An incremental backup of the disks whose bitmap can be used, and a full one of the others.
    MixedBackup,
    /// Checkpoints are redefined.
    Redefine(Redefine),
    /// The client itself looks whether each disk has a bitmap of the base's name, whatever its health
    /// (`query-block`). Where one has not, the rules are asked about `bitmap-check`.
    RequireBitmap,
    /// The base, or the checkpoint that the refused call is about, is deleted.
    DeleteCheckpoint,
    /// The same with `VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY`.
    DeleteCheckpointMetadataOnly,
    /// Every checkpoint is deleted, oldest first, whatever libvirt says.
    DeleteAllCheckpoints,
    /// The same with `VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY`.
    DeleteAllCheckpointsMetadataOnly,
    /// Where the checkpoint that the refused call was to create is defined, it is deleted; where that
    /// is refused, its metadata is.
    DeleteNewCheckpoint,
    /// The base is redefined without validation where its bitmap is, and deleted then.
    RedefineWithoutValidateThenDelete,
    /// The running backup job is aborted, whoever has begun it.
    AbortJob,
    /// The domain is started, paused.
    StartPaused,
    /// The domain is resumed.
    Resume,
    /// The act, and a refusal of it does not matter.
    Try(Box<Self>),
    /// The client waits until the last job is shown as completed.
    WaitForCompleted,
    /// The client stops and tells the error.
    GiveUp,
    /// The client goes on as if nothing had been refused.
    Ignore,
    /// In this state the product does not make this call, but takes a way without it: nothing is
    /// executed, and nothing is said of what comes of it.
    NotCalled,
}

impl Act {
    /// Whether it cannot even be begun without a domain.
    pub(super) fn looks_at_the_domain(&self) -> bool {
        match self {
            Self::Retry(_)
            | Self::RetryForEver
            | Self::GiveUp
            | Self::Ignore
            | Self::NotCalled
            | Self::Try(_) => false,
            Self::FullBackup
            | Self::FullBackupSameName
            | Self::IncrementalFromNewest
            | Self::IncrementalFromOtherBackup
            | Self::MixedBackup
            | Self::Redefine(_)
            | Self::RequireBitmap
            | Self::DeleteCheckpoint
            | Self::DeleteCheckpointMetadataOnly
            | Self::DeleteAllCheckpoints
            | Self::DeleteAllCheckpointsMetadataOnly
            | Self::DeleteNewCheckpoint
            | Self::RedefineWithoutValidateThenDelete
            | Self::AbortJob
            | Self::StartPaused
            | Self::Resume
            | Self::WaitForCompleted => true,
        }
    }
}

/// How checkpoints are redefined.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent keys of the profile"
)]
pub struct Redefine {
    /// Which.
    pub which: Which,
    /// On which disks.
    pub disks: OnDisks,
    /// With `VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE`.
    pub validate: bool,
    /// With the recorded parent; otherwise with none.
    pub parent: bool,
    /// Only those that libvirt does not list.
    pub only_missing: bool,
    /// Only where the domain was started after the last backup.
    pub only_after_restart: bool,
}

/// Which checkpoints.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// The base of the backup.
    #[default]
    Base,
    /// All that the client has recorded, oldest first.
    Recorded,
}

/// On which disks.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum OnDisks {
    /// Those of the client's record.
    #[default]
    Recorded,
    /// Those that have a usable bitmap of the name. Where none has, nothing is sent, and the rules
    /// are asked about `bitmap-check`.
    WithBitmap,
    /// Every disk of the domain.
    All,
}

fn codes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ErrorCode>, D::Error> {
    struct Codes;

    impl<'de> Visitor<'de> for Codes {
        type Value = Vec<ErrorCode>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an error code of libvirt, or a list of them")
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
            self.visit_str(&number.to_string())
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
            self.visit_str(&number.to_string())
        }

        fn visit_str<E: Error>(self, word: &str) -> Result<Self::Value, E> {
            let code = ErrorCode::meant_by(word);
            let code = code.ok_or_else(|| E::custom(format!("`{word}` is no error code")))?;
            Ok(vec![code])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut codes = Vec::new();
            while let Some(Code(code)) = list.next_element()? {
                codes.push(code);
            }
            Ok(codes)
        }
    }

    struct Code(ErrorCode);

    impl<'de> Deserialize<'de> for Code {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let mut codes = deserializer.deserialize_any(Codes)?;
            let code = codes.pop().filter(|_| codes.is_empty());
            code.map(Code)
                .ok_or_else(|| D::Error::custom("one error code is wanted"))
        }
    }

    deserializer.deserialize_any(Codes)
}

//! What a client can know after a failure.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Function;
use super::records::Records;
use crate::model::{
    BitmapTable, Compat, DiskFormat, DomainState, ErrorCode, ErrorDomain, LibvirtError, Request,
};

/// Everything that [`super::decide`] may look at. Its JSON form is what `backup-tck decide` reads.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The function that was called.
    pub api: Function,
    /// The error; absent where the call succeeded and its job is what failed.
    pub error: Option<ErrorFacts>,
    /// What the call asked for.
    #[serde(default)]
    pub request: Request,
    /// What has been observed since.
    #[serde(default)]
    pub observed: Observed,
    /// What the client has recorded itself.
    #[serde(default)]
    pub records: Records,
}

/// What of a `virError` may be looked at.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorFacts {
    /// `code`.
    pub code: ErrorCode,
    /// `domain`: which part of libvirt says so.
    pub domain: ErrorDomain,
    /// `int1`: `errno` for `VIR_ERR_SYSTEM_ERROR`, 0 for errors about flags, else -1.
    #[serde(default = "minus_one")]
    pub int1: i32,
    /// `message`. Few rules read it; each of them says so.
    #[serde(default)]
    pub message: String,
}

const fn minus_one() -> i32 {
    -1
}

impl From<&LibvirtError> for ErrorFacts {
    fn from(error: &LibvirtError) -> Self {
        Self {
            code: error.code,
            domain: error.domain,
            int1: error.int1,
            message: error.message.clone(),
        }
    }
}

/// Answers to probes; absent where nobody has asked yet. [`super::PROBES`] tells how each is asked.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Observed {
    /// The domain's state.
    pub domain_state: Option<DomainState>,
    /// The format of each disk of the domain, by target device.
    pub disk_formats: Option<BTreeMap<String, DiskFormat>>,
    /// The defined checkpoints, and the disks on which each has a bitmap by its own document.
    pub checkpoints: Option<BTreeMap<String, Vec<String>>>,
    /// The running domain job.
    pub job: Option<RunningJob>,
    /// How the last domain job ended.
    pub completed_job: Option<CompletedJob>,
    /// The block job of each disk of the domain that has one, as a `virDomainBlockJobType`.
    pub block_jobs: Option<BTreeMap<String, u64>>,
    /// Whether libvirt has a backup registered.
    pub backup: Option<bool>,
    /// What libvirt says of the bitmaps of a checkpoint, by its name and by target device.
    pub bitmap_health: BTreeMap<String, BTreeMap<String, BitmapHealth>>,
    /// The bitmaps that QEMU has in memory.
    pub bitmaps: Option<BitmapTable>,
    /// The bitmaps in the closed images of a domain that is shut off.
    pub stored_bitmaps: Option<BitmapTable>,
    /// The `compat` of each qcow2 image of the request, by target device: `0.10` or `1.1`.
    pub image_versions: Option<BTreeMap<String, Compat>>,
    /// Those of the request's target and scratch files that are there.
    pub files: Option<BTreeSet<String>>,
    /// Whether the NBD server of the request could listen, and has the TLS material it is to use.
    pub server: Option<Place>,
    /// Whether libvirt could store a checkpoint's metadata.
    pub metadata_store: Option<Place>,
}

/// The running domain job (`virDomainGetJobStats`).
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunningJob {
    /// `type` is `VIR_DOMAIN_JOB_NONE`.
    None,
    /// `operation` is `VIR_DOMAIN_JOB_OPERATION_BACKUP`.
    Backup,
    /// Any other.
    Other,
}

/// How the last domain job ended (`virDomainGetJobStats` with `VIR_DOMAIN_JOB_STATS_COMPLETED`).
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CompletedJob {
    /// `VIR_DOMAIN_JOB_NONE`: none has ended, or one runs.
    None,
    /// `VIR_DOMAIN_JOB_COMPLETED`.
    Completed,
    /// `VIR_DOMAIN_JOB_FAILED`.
    Failed,
    /// `VIR_DOMAIN_JOB_CANCELLED`.
    Cancelled,
}

/// What a redefinition with `VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE` says of one bitmap.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BitmapHealth {
    /// It succeeds.
    Good,
    /// `VIR_ERR_CHECKPOINT_INCONSISTENT`: missing, broken or disabled.
    Bad,
}

/// Something of the host that a backup needs.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// It can be used.
    Usable,
    /// It cannot, and why.
    Unusable(String),
}

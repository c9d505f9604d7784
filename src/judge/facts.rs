//! What a client can know after a failed call.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{Api, BitmapTable, DiskFormat, DomainState, LibvirtError, Request};

/// Everything that [`super::decide`] may look at.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Facts {
    /// The function that failed.
    pub api: Api,
    /// The error.
    pub error: LibvirtError,
    /// What the call asked for.
    pub request: Request,
    /// What has been observed so far.
    pub observed: Observed,
    /// What the client has recorded itself.
    pub records: Records,
}

/// Answers to probes; `None` where nobody asked yet.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Observed {
    /// The domain's state.
    pub domain_state: Option<DomainState>,
    /// The format of each disk, by target device.
    pub disk_formats: Option<BTreeMap<String, DiskFormat>>,
    /// The defined checkpoints.
    pub checkpoints: Option<BTreeSet<String>>,
    /// The block job of each disk that has one: a `virDomainBlockJobType`.
    pub block_jobs: Option<BTreeMap<String, u64>>,
    /// Whether the NBD server of the request could listen.
    pub server: Option<ServerPlace>,
    /// The bitmaps that QEMU has in memory.
    pub bitmaps: Option<BitmapTable>,
}

/// The place where an NBD server is to listen.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerPlace {
    /// A server can listen there.
    Usable,
    /// None can, and why.
    Unusable(String),
}

/// What a careful client knows from its own books.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Records {
    /// Checkpoints that have a verified backup behind them, oldest first.
    pub verified_checkpoints: Vec<String>,
    /// Checkpoints whose documents are kept.
    pub saved_checkpoints: BTreeSet<String>,
    /// The domain was restored from a saved state and has not run since.
    pub restored_and_not_resumed: bool,
}

/// A question that must be answered before a decision; the cheapest one comes first.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// `virDomainGetState`.
    DomainState,
    /// The disks in the domain's XML.
    DiskFormats,
    /// `virDomainListAllCheckpoints`.
    Checkpoints,
    /// `virDomainGetBlockJobInfo` of each disk of the request.
    BlockJobs,
    /// A look at the socket's directory, or an attempt to listen on the port.
    Server,
    /// `query-named-block-nodes` through the monitor pass-through; taints the domain.
    Bitmaps,
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DomainState => "domain state",
            Self::DiskFormats => "disk formats",
            Self::Checkpoints => "checkpoints",
            Self::BlockJobs => "block jobs",
            Self::Server => "NBD server",
            Self::Bitmaps => "block nodes",
        })
    }
}

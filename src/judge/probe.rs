//! The questions that can be asked before a decision.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A question that must be answered before a decision; the cheapest one comes first.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "probe")]
pub enum Probe {
    /// Fills `observed.domain_state`.
    DomainState,
    /// Fills `observed.disk_formats`.
    DiskFormats,
    /// Fills `observed.checkpoints`.
    Checkpoints,
    /// Fills `observed.job`.
    Job,
    /// Fills `observed.completed_job`.
    CompletedJob,
    /// Fills `observed.backup`.
    Backup,
    /// Fills `observed.block_jobs`.
    BlockJobs,
    /// Fills `observed.files`.
    Files,
    /// Fills `observed.server`.
    Server,
    /// Fills `observed.metadata_store`.
    MetadataStore,
    /// Fills `observed.image_versions`.
    ImageVersions,
    /// Fills `observed.stored_bitmaps`.
    StoredBitmaps,
    /// Fills `observed.bitmaps`.
    Bitmaps,
    /// Fills `observed.bitmap_health` for one checkpoint.
    BitmapHealth {
        /// The checkpoint, which need not be defined.
        checkpoint: String,
        /// The disks whose bitmaps are asked about.
        disks: Vec<String>,
    },
}

/// How a probe is asked and what it costs.
#[derive(Clone, Copy, Debug)]
pub struct ProbeText {
    /// The word in JSON.
    pub name: &'static str,
    /// The words in snapshots.
    pub title: &'static str,
    /// The field of `observed` that the answer goes into.
    pub field: &'static str,
    /// How it is asked.
    pub how: &'static str,
    /// What it changes.
    pub cost: &'static str,
}

const NOTHING: &str = "nothing";

/// Every probe, in the order of [`Probe`].
pub const PROBES: [ProbeText; 14] = [
    ProbeText {
        name: "domain-state",
        title: "domain state",
        field: "domain_state",
        how: "virDomainGetState; VIR_ERR_NO_DOMAIN is `gone`",
        cost: NOTHING,
    },
    ProbeText {
        name: "disk-formats",
        title: "disk formats",
        field: "disk_formats",
        how: "the <driver type> of each disk in virDomainGetXMLDesc that is neither empty nor \
              read-only",
        cost: NOTHING,
    },
    ProbeText {
        name: "checkpoints",
        title: "checkpoints",
        field: "checkpoints",
        how: "virDomainListAllCheckpoints, and of each virDomainCheckpointGetXMLDesc with \
              VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN: the disks with checkpoint='bitmap'",
        cost: NOTHING,
    },
    ProbeText {
        name: "job",
        title: "domain job",
        field: "job",
        how: "virDomainGetJobStats without flags: `none` where the type is 0, `backup` where the \
              operation is 9; a domain that is shut off has none",
        cost: NOTHING,
    },
    ProbeText {
        name: "completed-job",
        title: "completed job",
        field: "completed_job",
        how: "virDomainGetJobStats with VIR_DOMAIN_JOB_STATS_COMPLETED and VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED, or the \
              event VIR_DOMAIN_EVENT_ID_JOB_COMPLETED",
        cost: "nothing with VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED; without it libvirt \
              forgets the answer",
    },
    ProbeText {
        name: "backup",
        title: "registered backup",
        field: "backup",
        how: "virDomainBackupGetXMLDesc: VIR_ERR_NO_DOMAIN_BACKUP is false; after a \
              virDomainBackupBegin that was refused, wait a second for its jobs to end",
        cost: NOTHING,
    },
    ProbeText {
        name: "block-jobs",
        title: "block jobs",
        field: "block_jobs",
        how: "virDomainGetBlockJobInfo of each disk of the domain; a disk without a job is left \
              out",
        cost: NOTHING,
    },
    ProbeText {
        name: "files",
        title: "files",
        field: "files",
        how: "stat on the host of each target and scratch file of the request; those that are \
              there are listed",
        cost: NOTHING,
    },
    ProbeText {
        name: "server",
        title: "NBD server",
        field: "server",
        how: "a look at the socket's directory, or an attempt to listen on the port, on the host; \
              with TLS also a look at the certificates",
        cost: "the port is in use for a moment",
    },
    ProbeText {
        name: "metadata-store",
        title: "metadata store",
        field: "metadata_store",
        how: "on the host, a file that is made in libvirt's directory of the domain's checkpoints \
              (checkpoint/DOMAIN below /var/lib/libvirt/qemu) and removed again",
        cost: NOTHING,
    },
    ProbeText {
        name: "image-versions",
        title: "image versions",
        field: "image_versions",
        how: "qemu-img info -U --output=json: format-specific.data.compat",
        cost: NOTHING,
    },
    ProbeText {
        name: "stored-bitmaps",
        title: "stored bitmaps",
        field: "stored_bitmaps",
        how: "qemu-img info --output=json of each image: format-specific.data.bitmaps; only while \
              no QEMU has the image open",
        cost: NOTHING,
    },
    ProbeText {
        name: "bitmaps",
        title: "block nodes",
        field: "bitmaps",
        how: "query-named-block-nodes through virDomainQemuMonitorCommand",
        cost: "the domain is marked as tainted",
    },
    ProbeText {
        name: "bitmap-health",
        title: "redefinition",
        field: "bitmap_health",
        how: "virDomainCheckpointCreateXML with VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE and VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE, one disk at a \
              time: 109 is `bad`",
        cost: "the checkpoint's definition is replaced: put its full document back by redefining it \
               without validation, or, where it was not defined, delete it with \
               VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY",
    },
];

impl Probe {
    /// How it is asked and what it costs.
    #[must_use]
    pub const fn text(&self) -> &'static ProbeText {
        let at = match self {
            Self::DomainState => 0,
            Self::DiskFormats => 1,
            Self::Checkpoints => 2,
            Self::Job => 3,
            Self::CompletedJob => 4,
            Self::Backup => 5,
            Self::BlockJobs => 6,
            Self::Files => 7,
            Self::Server => 8,
            Self::MetadataStore => 9,
            Self::ImageVersions => 10,
            Self::StoredBitmaps => 11,
            Self::Bitmaps => 12,
            Self::BitmapHealth { .. } => 13,
        };
        &PROBES[at]
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = self.text().title;
        match self {
            Self::BitmapHealth { checkpoint, .. } => write!(f, "{title} of {checkpoint}"),
            Self::DomainState
            | Self::DiskFormats
            | Self::Checkpoints
            | Self::Job
            | Self::CompletedJob
            | Self::Backup
            | Self::BlockJobs
            | Self::Files
            | Self::Server
            | Self::MetadataStore
            | Self::ImageVersions
            | Self::StoredBitmaps
            | Self::Bitmaps => f.write_str(title),
        }
    }
}

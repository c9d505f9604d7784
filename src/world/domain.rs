//! Domains: their definition, and their QEMU process while they are active.

use std::collections::{BTreeMap, BTreeSet};

use super::{BackupJob, Bitmaps, CheckpointTree, Mirror};
use crate::model::{DiskFormat, DomainState, JobEnd, NbdServer};

/// A defined domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Domain {
    /// Its UUID, as text.
    pub uuid: String,
    /// Its disks, in the order of its XML.
    pub disks: Vec<Disk>,
    /// What it was defined by; opaque here.
    pub definition: String,
    /// Its checkpoints.
    pub checkpoints: CheckpointTree,
    /// The names of its snapshots inside the images.
    pub snapshots: BTreeSet<String>,
    /// It has a definition, and is not gone when it stops.
    pub persistent: bool,
    /// libvirt cannot store the metadata of its checkpoints.
    pub metadata_is_blocked: bool,
    /// The managed save image: whether the guest was paused when its memory was saved.
    pub saved: Option<bool>,
    /// Its QEMU process.
    pub active: Option<Active>,
    /// How its last job has ended, until somebody was told.
    pub ended_job: Option<JobEnd>,
}

/// A disk of a domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Disk {
    /// Target device, such as `vda`.
    pub target: String,
    /// Absolute path of its image; of a drive without a medium, nothing.
    pub source: String,
    /// The format that the domain's XML gives.
    pub format: DiskFormat,
    /// The guest may only read it.
    pub read_only: bool,
    /// What the guest writes goes into an overlay that is thrown away with the QEMU process.
    pub transient: bool,
}

impl Disk {
    /// Whether the drive holds no medium.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.source.is_empty()
    }

    /// Where the overlay of a transient disk lies; `None` for a domain whose name is no part of it
    /// (`src/qemu/qemu_snapshot.c:qemuSnapshotGetTransientDiskDef`).
    pub(super) fn overlay(&self, domain: Option<&str>) -> String {
        let source = &self.source;
        match domain {
            Some(domain) => format!("{source}.TRANSIENT-{domain}"),
            None => format!("{source}.TRANSIENT"),
        }
    }
}

/// What lives and dies with a QEMU process.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Active {
    /// True while the guest does not run.
    pub paused: bool,
    /// The images are not active: the memory was restored and the guest has not run since. QEMU
    /// has loaded no bitmaps and writes nothing (QEMU `block.c:bdrv_activate`; seen with QEMU 10.0).
    pub inactive_images: bool,
    /// The bitmaps in memory: for each disk, its layers from the top.
    pub bitmaps: Vec<Vec<Bitmaps>>,
    /// The number in the node name of each disk, `libvirt-N-format`.
    pub nodes: Vec<u32>,
    /// The number that the last node took.
    pub last_node: u32,
    /// The running backup job.
    pub job: Option<BackupJob>,
    /// The running copy jobs, by the place of the disk.
    pub mirrors: BTreeMap<usize, Mirror>,
    /// Where QEMU's NBD server listens.
    pub nbd: Option<NbdServer>,
}

impl Active {
    /// The number of a new node. Numbers are never given twice
    /// (`src/qemu/qemu_domain.c:qemuDomainStorageIDNew`).
    pub const fn take_node(&mut self) -> u32 {
        self.last_node += 1;
        self.last_node
    }
}

impl Domain {
    /// The domain's state.
    #[must_use]
    pub const fn state(&self) -> DomainState {
        match &self.active {
            None => DomainState::Shutoff,
            Some(Active { paused: true, .. }) => DomainState::Paused,
            Some(_) => DomainState::Running,
        }
    }

    /// The place of the disk with this target device.
    #[must_use]
    pub fn disk_index(&self, target: &str) -> Option<usize> {
        self.disks.iter().position(|disk| disk.target == target)
    }

    /// The paths that its QEMU process has open.
    pub(super) fn opens(&self) -> impl Iterator<Item = &str> {
        let active = self.active.iter();
        active.flat_map(|active| {
            let disks = self.disks.iter().filter(|disk| !disk.is_empty());
            let disks = disks.map(|disk| &disk.source);
            let stores = active.job.iter().flat_map(|job| &job.disks);
            let stores = stores.map(|disk| &disk.store);
            let copies = active.mirrors.values().map(|mirror| &mirror.copy);
            disks.chain(stores).chain(copies).map(String::as_str)
        })
    }
}

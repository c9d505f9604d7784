//! Domains: their definition, and their QEMU process while they are active.

use std::collections::BTreeMap;

use super::{BackupJob, Bitmaps, CheckpointTree, MadeUp, Mirror, Snapshot};
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
    /// Its snapshots, by name.
    pub snapshots: BTreeMap<String, Snapshot>,
    /// The one that will be the parent of the next.
    pub current_snapshot: Option<String>,
    /// It has a definition, and is not gone when it stops.
    pub persistent: bool,
    /// The files in which libvirt stores its checkpoints, by name. What it has in memory is another
    /// copy, and they are read when it starts; opaque here.
    pub stored_checkpoints: BTreeMap<String, String>,
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
    /// The same of the layers below the top one, by the place of the disk.
    pub below: BTreeMap<usize, Vec<u32>>,
    /// The number that the last node took.
    pub last_node: u32,
    /// The running backup job.
    pub job: Option<BackupJob>,
    /// The running block jobs of single disks, by the place of the disk.
    pub mirrors: BTreeMap<usize, Mirror>,
    /// Where QEMU's NBD server listens.
    pub nbd: Option<NbdServer>,
}

impl Active {
    /// libvirt notes the domain's state, and its backup with it.
    pub fn note(&mut self) {
        if let Some(job) = &mut self.job
            && job.names == MadeUp::InMemory
        {
            job.names = MadeUp::Noted;
        }
    }

    /// The disks have other places.
    pub(super) fn renumber(&mut self, place: impl Fn(usize) -> usize) {
        let disks = self.job.iter_mut().flat_map(|job| &mut job.disks);
        for disk in disks {
            disk.index = place(disk.index);
        }
        let below = std::mem::take(&mut self.below).into_iter();
        self.below = below.map(|(index, nodes)| (place(index), nodes)).collect();
        let mirrors = std::mem::take(&mut self.mirrors).into_iter();
        self.mirrors = mirrors
            .map(|(index, mirror)| (place(index), mirror))
            .collect();
    }

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
}

//! XML in: the mock's own typed grammar of the documents it is given.
//!
//! Documents about backups and checkpoints are validated against libvirt's schemas first, as libvirt
//! does. What passes and the grammar does not know is not modelled, so a document is never judged
//! by a rule that was not written down.

mod backup;
mod checkpoint;
mod copy;
mod domain;
mod grammar;
mod schema;
mod snapshot;

pub(super) use backup::{
    BackupDiskElement, BackupDiskMode, BackupDocument, ServerElement, ServerPlace, backup,
};
pub(super) use checkpoint::{CheckpointDiskElement, CheckpointDocument, checkpoint};
pub(super) use copy::block_copy;
pub(super) use domain::{disk, domain, nested_disks};
pub(super) use snapshot::{SnapshotElement, SnapshotPart, snapshot};

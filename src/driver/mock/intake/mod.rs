//! XML in: the mock's own typed grammar of the documents it is given.
//!
//! Libvirt validates these documents against its schemas; here, what the grammar does not know
//! is not modelled, so a document is never judged by a rule that was not written down.

mod backup;
mod checkpoint;
mod copy;
mod domain;
mod grammar;

pub(super) use backup::{BackupDiskElement, BackupDiskMode, BackupDocument, ServerElement, backup};
pub(super) use checkpoint::{CheckpointDiskElement, CheckpointDocument, checkpoint};
pub(super) use copy::block_copy;
pub(super) use domain::{disk, domain, nested_disks, snapshot_name};

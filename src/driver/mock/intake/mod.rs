//! XML in: the mock's own typed grammar of the documents it is given.
//!
//! Libvirt validates these documents against its schemas; here, what the grammar does not know
//! is not modelled, so a document is never judged by a rule that was not written down.

mod backup;
mod checkpoint;
mod domain;
mod grammar;

pub(super) use backup::{BackupDiskElement, BackupDocument, backup};
pub(super) use checkpoint::{CheckpointDiskElement, CheckpointDocument, checkpoint};
pub(super) use domain::domain;

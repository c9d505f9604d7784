//! Recorded transcripts: comparing, pending files, recording.
//!
//! A snapshot is a text file with a small head, in the format that `cargo insta review` reads. A
//! difference never overwrites it: real libvirt of the reference version leaves a pending file
//! beside it, and recording is an act of its own. The mock never writes any.

mod compare;
mod file;

pub use compare::{Difference, compare, is_snapshot};
pub use file::{REFERENCE, SnapshotError, may_record, pending_path, record, write_pending};

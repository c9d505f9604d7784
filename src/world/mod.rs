//! The simulated host: files, images with blocks, bitmaps in memory and on disk, checkpoint
//! trees, backup and copy jobs, ports and sockets.
//!
//! A pure state machine. It does no I/O, reads no clock and holds no randomness; libvirt's
//! order of checks and its messages are the mock driver's business. Its rules follow libvirt's
//! QEMU driver 11.3 with QEMU 10.0, as measured; each rule names its source.

mod backup;
mod bitmap;
mod checkpoint;
mod domain;
mod edited;
mod extents;
mod file_systems;
mod files;
mod host;
mod image;
mod invariants;
mod layers;
mod live;
mod merge;
mod mirror;
mod nbd;
mod process;
mod seen;
mod snapshot;
mod tool;

pub use backup::{BackupJob, Cancelling, JobDisk, MadeUp, PullServer, Standing};
pub use bitmap::{Bitmap, Bitmaps, chain_is_valid};
pub use checkpoint::{Checkpoint, CheckpointDisk, CheckpointTree};
pub use domain::{Active, Disk, Domain};
pub use extents::Extents;
pub use file_systems::FileSystem;
pub use files::{Errno, File};
pub use host::{Impossible, World};
pub use image::Image;
pub use mirror::{Mirror, Work};
pub use snapshot::{Snapshot, SnapshotDisk};

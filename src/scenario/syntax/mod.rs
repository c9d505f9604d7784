//! The words and shapes of a scenario file, typed.
//!
//! The types are the language: decoding, the JSON Schema, the reference and the canonical form all
//! follow from them, and their doc comments are what an editor shows. `#[serde]` says how a thing
//! is written, so no type here is internally tagged, untagged or flattened: those forms lose the
//! place of a mistake.

mod backup;
mod checkpoint;
mod damage;
mod disk;
mod document;
mod fault;
mod scenario;
mod spanned;
mod step;
mod storage;
mod then;
mod word;

pub use backup::{Background, BackupBegin, BackupDisk, BackupDiskMode, BackupMode, Join, Server};
pub use checkpoint::{
    CheckpointCreate, CheckpointDelete, CheckpointDump, CheckpointRedefine, Edit, EditMetadata,
    RemoveMetadata,
};
pub use damage::{
    Anchor, BitmapAdd, BitmapDamage, BitmapDamageKind, BitmapMerge, BitmapName, ImageDamage,
    ImageDamageKind, WriteBytes,
};
pub use disk::{Backing, Device, Disk};
pub use document::{Case, Document, FORMAT};
pub use fault::{DirectoryName, FileNamed, Port, ServerPlace, SmallFileSystem};
pub(super) use scenario::version_of;
pub use scenario::{Need, Scenario};
pub(super) use spanned::SPANNED;
pub use spanned::{Named, Spanned};
pub use step::{Call, FailedWrite, Step, Write};
pub use storage::{
    AmendImage, AttachDisk, BlockCommit, BlockCopy, BlockJobAbort, BlockPull, ConvertImage,
    CopyImage, DiskName, OverlayImage, ResizeDisk, RestoreImage, SnapshotCreate, SnapshotKind,
    SnapshotName, TruncateImage,
};
pub use then::{CallResult, Expectation, Refusal, Then};
pub(super) use word::refusal;
pub use word::{FileName, HexBytes, TargetName, Vocabulary, Word};

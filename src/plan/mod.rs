//! From a scenario to ordered libvirt calls and host actions.
//!
//! Defaults are filled in and intent becomes XML text here, so that every driver receives the
//! same bytes. A plan knows no driver, and of the scenario file it keeps only what names a step.

mod actions;
mod calls;
mod images;
mod layers;
mod life_cycle;
mod lower;
mod saved_checkpoint;
mod step;
mod steps;
mod xml;

pub use lower::{lower, unsupported};
pub use saved_checkpoint::SavedCheckpoint;
pub use step::{Ends, NotSupported, Operation, Plan, PlannedCall, PlannedDisk, Step};
pub use xml::{BackupDisk, BackupXml, checkpoint_xml, domain_xml};

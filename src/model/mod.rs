//! The words every other module speaks: libvirt's calls and error numbers, host actions, disk
//! formats, sizes, bitmaps, decisions.
//!
//! Newtypes and enums with parsing and display, nothing that acts. This module does no I/O and
//! imports no other module of the crate.

mod action;
mod api;
mod bitmap;
mod call;
mod client;
mod content;
mod damage;
mod decision;
#[cfg(feature = "mock")]
mod edit;
mod error;
mod error_code;
mod format;
mod identity;
mod nbd;
mod place;
mod raised;
mod request;
mod size;
mod state;
mod version;
pub(crate) mod xml;

pub use action::{Action, BitmapChange, ImageRef, JobEvent, Observation};
pub use api::{Api, Argument, flags};
pub use bitmap::{BitmapRow, BitmapTable, on_layer};
pub use call::{Answer, Call, Param, Value};
pub use client::Client;
pub use content::{Content, Difference, Fill, Run};
pub use damage::{Anchor, BitmapDamageKind, Damage, ImageDamageKind};
pub use decision::{Category, CleanUp, CleanUpKind, CleanUpTime, Decision, DiskPart};
#[cfg(feature = "mock")]
pub(crate) use edit::edited;
pub use error::LibvirtError;
pub use error_code::{ErrorCode, ErrorDomain, UnknownName};
pub use format::{Compat, DiskFormat};
pub use identity::Identity;
pub use nbd::NbdServer;
pub use place::{PORTS, Place};
pub use raised::Raised;
pub use request::{EachDisk, Export, Request, RequestedDisk};
pub use size::{InvalidSize, Size};
pub use state::{DomainState, JobEnd};
pub use version::{InvalidVersion, Version};

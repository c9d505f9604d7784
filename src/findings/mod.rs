//! What libvirt does that its callers do not expect, as data: the source of `FINDINGS.md`.

mod list;

pub use list::{Finding, Kind, findings};

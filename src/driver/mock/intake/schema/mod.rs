//! Libvirt's schemas of the documents that the mock is given: what they refuse is refused by
//! `VIR_ERR_XML_INVALID_SCHEMA`, before anything in the document is looked at.
//!
//! Each module follows one file of `src/conf/schemas`, pattern by pattern. Where a schema lets
//! through what is not followed here, the document is not modelled, and neither good nor bad.

mod answer;
mod backup;
mod checkpoint;
mod pattern;

pub(super) use backup::validate as validate_backup;
pub(super) use checkpoint::validate as validate_checkpoint;

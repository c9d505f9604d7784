//! The ordered record of one scenario: calls, answers, observed states, decision and proof.
//!
//! It is plain data, serialisable and versioned. It judges nothing; [`render`] turns it into
//! the text that snapshots hold, with everything that differs between two runs redacted.

mod diagnosis;
mod record;
mod redact;
mod render;

pub use diagnosis::{without_diagnoses, without_diagnosis};
pub use record::{
    Conclusion, Exchange, FORMAT, HostState, ProbeRecord, ProofLine, Record, Transcript,
};
pub use redact::Redactions;
pub use render::{documented_order, render, without_recovery};

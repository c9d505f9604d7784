//! The scenario language: YAML text to a typed scenario, with every problem of the text at once.
//!
//! The text becomes a tree with places, the tree a typed [`Scenario`], and that is checked for
//! meaning. This module does no I/O: it is given the text and the path to name in messages.

mod catalogue;
mod check;
mod decode;
mod diagnostic;
mod fields;
mod parse;
mod step;
mod syntax;
#[cfg(test)]
mod tests;
mod tree;

pub use catalogue::{Example, ProblemKind, catalogue};
pub use diagnostic::{Diagnostics, Problem};
pub use parse::parse;
pub use syntax::{
    BackupDisk, BackupRequest, CheckpointRequest, Disk, Expectation, FORMAT, RawCall, Refusal,
    Scenario, Spanned, Step, StepKind,
};

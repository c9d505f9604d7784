//! A transcript against what its scenario expects: every check, those that hold and those that do
//! not. Total and pure.

mod checks;

pub use checks::{Check, verdict};

//! Tests of the qcow2 module.

mod edits;
mod image;
#[cfg(feature = "kit")]
mod real;

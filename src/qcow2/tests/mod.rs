//! Tests of the qcow2 module.

mod edits;
mod image;
mod real;

//! Every kind of problem that a scenario file can have: what it means, and how to mend it.
//!
//! One row for each code that the reader and the checker report. An example is a fragment: the
//! keys that it has replace those of a sound scenario.

mod all;
mod form;
mod kind;
mod meaning;
mod story;
#[cfg(test)]
mod tests;

pub use all::catalogue;
pub use kind::{Example, ProblemKind};

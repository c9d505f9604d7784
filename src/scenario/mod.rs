//! The scenario language: YAML text to typed scenarios, with every problem of the text at once.
//!
//! The text becomes a tree with places; its structure is checked against the JSON Schema of the
//! types; then it is decoded into those types, a matrix is expanded, and the meaning is checked.
//! This module does no I/O: it is given the text and the path to name in messages.

mod catalogue;
mod check;
mod comments;
mod decode;
mod diagnostic;
mod editor;
mod emit;
mod expand;
mod format;
mod parse;
mod parts;
mod reference;
mod schema;
mod shape;
pub mod syntax;
#[cfg(test)]
mod tests;
mod tree;

pub use catalogue::{Example, ProblemKind, catalogue};
pub use check::function;
pub use diagnostic::{Diagnostics, Place, Problem};
pub use editor::editor_schema;
pub use format::{format, step_text};
pub use parse::{LARGEST, STACK, parse, renamed};
pub use reference::reference;
pub use schema::schema;
pub use syntax::{Expectation, Need, Refusal, Scenario, Spanned, Step};

//! Strategies for property tests: what can happen to a domain, its checkpoints and their bitmaps.
//!
//! A [`History`] is random, and every step of it must succeed by the rules of [`Situation`], a model
//! that is much smaller than the mock. Its last call may be anything. It has the form of a scenario,
//! so that whatever runs scenarios can run it, and a counterexample is a scenario's file.

mod history;
mod situation;
mod text;
mod turn;

pub use history::{History, histories};
pub use situation::{Health, Situation};
pub use turn::{Attempt, Turn};

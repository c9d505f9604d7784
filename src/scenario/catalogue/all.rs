//! All kinds of problems.

use super::kind::ProblemKind;
use super::{form, meaning, story};

/// Every kind of problem: those of the form first, then those of the meaning and of the history.
pub fn catalogue() -> impl Iterator<Item = &'static ProblemKind> {
    form::KINDS.iter().chain(meaning::KINDS).chain(story::KINDS)
}

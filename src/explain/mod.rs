//! What the words of the field mean: error codes, decisions, clean-up steps, probes, problems
//! of a scenario file, scenarios; and findings; and what failed in a run.
//!
//! [`find`] turns a word into a [`Topic`], and [`Topic::page`] is its text, 80 columns wide. All
//! of it is made of the tables that the judge and the reader work with. Nothing here does I/O:
//! the scenarios, their snapshots and
//! what came of a run are given.

mod clean_up_texts;
mod code;
mod code_texts;
mod decision;
mod decision_texts;
mod decisions;
mod failed;
mod finding;
mod judgement;
mod page;
mod probe;
mod problem;
mod rule;
mod scenario;
mod scenarios;
#[cfg(test)]
mod tests;
mod topic;

pub use decisions::document as decisions_document;
pub use failed::{FailedScenario, failed_page, failures_page};
pub use judgement::judgement_text;
pub use scenarios::{Known, Scenarios};
pub use topic::{Topic, UnknownTopic, find, list};

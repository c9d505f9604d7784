//! What products do after the same error, as data, executed to the end.
//!
//! A [`Profile`] says what a client does before an incremental backup and after each refusal. It is
//! played against a scenario on the mock, round after round, and what comes of it is shown by
//! restored bytes: an [`Outcome`]. The [`Table`] holds the outcome of each profile in each scenario,
//! beside that of the judge's own decision. This module knows no output format.

mod act;
mod assess;
mod backup;
mod checkpoints;
mod client;
mod debris;
mod outcome;
mod play;
mod profile;
mod read;
mod reference;
mod rule;
mod shipped;
mod silent;
mod table;
#[cfg(test)]
mod tests;
mod words;

pub use outcome::{Outcome, Played};
pub use profile::{Base, Profile, Source};
pub use read::ProfileError;
pub use rule::{Act, CallWord, OnDisks, Redefine, Rule, Subject, When, Which};
pub use shipped::shipped;
pub use table::{JUDGE, Row, Table};

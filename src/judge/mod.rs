//! What a refused call means, and whether a scenario went as expected.
//!
//! [`decide`] is the procedure a client follows after an error: it looks at facts, asks for a
//! probe while they do not suffice, and names exactly one decision. [`verdict`] compares a
//! transcript with what the scenario expects. Both are total and pure: nothing here calls a
//! driver.

mod decide;
mod decided;
mod facts;
mod rules;
mod situations;
#[cfg(test)]
mod tests;
mod verdict;

pub use decide::decide;
pub use decided::{Decided, Detail, Judgement};
pub use facts::{Facts, Observed, Probe, Records, ServerPlace};
pub use rules::{Rule, rules};
pub use verdict::{Check, verdict};

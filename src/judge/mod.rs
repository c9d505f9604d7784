//! What a refused call means.
//!
//! [`decide`] is the procedure a client follows after an error: it looks at facts, asks for a
//! probe while they do not suffice, and names exactly one decision. It is total and pure: nothing
//! here calls a driver.

mod decide;
mod decided;
mod facts;
mod rules;
mod situations;
#[cfg(test)]
mod tests;

pub use decide::decide;
pub use decided::{Decided, Detail, Judgement};
pub use facts::{Facts, Observed, Probe, Records, ServerPlace};
pub use rules::{Rule, rules};

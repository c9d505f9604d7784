//! What did not pass in the last run of a suite, kept between runs.
//!
//! One small file for each suite, under the user's state directory and never in the suite. Runs
//! on different drivers are kept apart: what has passed on the mock may still fail on real
//! libvirt. This module knows no clock; it is told when a run ended.

mod memory;
mod store;

pub use memory::{LastRun, Memory};
pub use store::{Store, StoreError};

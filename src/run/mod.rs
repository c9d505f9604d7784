//! Running scenarios: which driver, how many at once, for how long, with what outcome.
//!
//! A run emits [`Event`]s, plain data that reports consume. This module knows no output format.

mod applicable;
mod choice;
mod directory;
mod event;
mod one;
mod outcome;
mod queue;
mod real;
mod rehearse;
mod schedule;

#[cfg(feature = "libvirt")]
pub use crate::driver::libvirt::{clear, reaper, worker};
pub use crate::driver::{DriverError, LocalUri, UriProblem};
pub use choice::{Backing, DriverChoice, UnknownDriver};
pub use event::{Event, Finished, Origin, Summary};
pub use one::{Extent, Ran, Stopped, run_deciding, run_scenario};
pub use outcome::{Failure, Outcome, SourceProblem};
pub use rehearse::{Rehearsal, Rehearsed, rehearse};
pub use schedule::{Options, run};

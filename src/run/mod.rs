//! Running scenarios: which driver, how many at once, for how long, with what outcome.
//!
//! A run emits [`Event`]s, plain data that reports consume. This module knows no output format.

mod applicable;
mod choice;
mod directory;
mod event;
mod local_uri;
mod one;
mod outcome;
mod queue;
mod real;
mod schedule;

pub use crate::driver::DriverError;
#[cfg(feature = "libvirt")]
pub use crate::driver::libvirt::{clear, reaper, worker};
pub use choice::{Backing, DriverChoice, UnknownDriver};
pub use event::{Event, Finished, Origin, Summary};
pub use local_uri::{LocalUri, UriProblem};
pub use one::{Extent, Ran, Stopped, run_scenario};
pub use outcome::{Failure, Outcome, SourceProblem};
pub use schedule::{Options, run};

//! The two traits at the boundary, and what joins them.

use std::time::Instant;

use super::DriverError;
use crate::model::{Action, Answer, Call, Identity, Observation, Place, Raised};

/// libvirt's API surface.
pub trait Libvirt {
    /// Issues one call and waits for its answer. A refusal is an answer; `Err` means that the
    /// harness could not find out.
    fn call(&mut self, call: &Call) -> Result<Answer, DriverError>;
}

/// What a scenario does to the host, and sees of it, beside libvirt.
pub trait Host {
    /// Does one thing to the host and reports what was seen.
    fn act(&mut self, action: &Action) -> Result<Observation, DriverError>;
}

/// Something that can run scenarios, one at a time.
pub trait Driver: Libvirt + Host {
    /// What answers the calls.
    fn identity(&mut self) -> Result<Identity, DriverError>;

    /// Opens a fresh place for one scenario: an empty directory and an unused domain name.
    fn open_scenario(&mut self) -> Result<Place, DriverError>;

    /// Every error that the calls of the open scenario have raised inside libvirt so far, in
    /// libvirt's order; `None` where the driver cannot see that.
    fn raised(&mut self) -> Result<Option<Vec<Raised>>, DriverError>;

    /// Removes the scenario's domain, its processes and its directory, whatever state the
    /// scenario left them in.
    fn close_scenario(&mut self, place: &Place) -> Result<(), DriverError>;

    /// The moment after which each call and action is [`DriverError::TimedOut`].
    fn set_deadline(&mut self, deadline: Option<Instant>);
}

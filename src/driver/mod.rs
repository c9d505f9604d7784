//! The boundary between this project and whatever answers libvirt calls.
//!
//! Two traits: [`Libvirt`] sits at libvirt's API surface (XML text and flags go in; XML text,
//! names or a libvirt error come out), [`Host`] does what no libvirt call does (images, guest
//! writes, reading data back). [`mock`] implements them over the pure `world`, `libvirt` (with
//! the cargo feature of that name) over the real thing. A driver formats no output and judges
//! nothing.

mod error;
#[cfg(feature = "libvirt")]
pub mod libvirt;
pub mod mock;

pub use error::{Crash, DriverError};

use std::time::Instant;

pub use crate::model::{
    Action, Answer, Api, Argument, Call, Identity, ImageRef, JobEvent, Observation, Param, Place,
    Value, flags,
};

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

    /// Removes the scenario's domain, its processes and its directory, whatever state the
    /// scenario left them in.
    fn close_scenario(&mut self, place: &Place) -> Result<(), DriverError>;

    /// The moment after which each call and action is [`DriverError::TimedOut`].
    fn set_deadline(&mut self, deadline: Option<Instant>);
}

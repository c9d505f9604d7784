//! Consumers of a run's events, one file each.
//!
//! A report gets plain data and never reaches a driver.

mod pending;
mod text;

pub use pending::Pending;
pub use text::{Style, Text};

/// Something that consumes a run's events.
pub trait Report {
    /// Takes note of one event.
    fn consume(&mut self, event: &crate::run::Event);
}

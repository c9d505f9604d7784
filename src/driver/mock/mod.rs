//! The in-process mock of libvirt's QEMU driver.
//!
//! Answers follow from the state of [`crate::world`] by libvirt's own order of checks; there is
//! no table of canned answers. What has no rule yet is [`super::DriverError::NotModelled`],
//! never an invented answer. The rules are those of libvirt 11.3.

mod answer;
mod backup;
mod checkpoint;
mod domain;
mod dump;
mod host;
mod intake;
mod libvirt;
#[cfg(test)]
mod tests;

pub use libvirt::Mock;

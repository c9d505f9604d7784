//! The in-process mock of libvirt's QEMU driver.
//!
//! Answers follow from the state of [`crate::world`] by libvirt's own order of checks; there is
//! no table of canned answers. What has no rule yet is [`super::DriverError::NotModelled`],
//! never an invented answer. The rules are those of libvirt 11.3, but for the switches of `version`.

mod answer;
mod backup;
mod blockjob;
mod checkpoint;
mod domain;
mod dump;
mod host;
mod intake;
mod layerjob;
mod libvirt;
mod life_cycle;
mod snapshot;
mod store;
#[cfg(test)]
#[cfg(feature = "kit")]
mod tests;
mod version;

pub use libvirt::Mock;

//! A conformance kit and simulator for the error semantics of libvirt's backup and checkpoint
//! APIs.
//!
//! Data flows one way: a [`scenario`] becomes a [`plan`], a [`driver`] answers its calls, the
//! [`transcript`] records them, the [`judge`] decides, [`recovery`] executes and proves the
//! decision, the [`verdict`] compares with what was expected, [`run`] schedules all of it and
//! emits events, [`report`] and [`snapshot`] consume them.
//!
//! A client of libvirt needs less of it. Without the default features there are [`model`] and
//! [`judge`], the decision after an error; the feature `mock` adds a libvirt to test against.

#[cfg(feature = "kit")]
pub mod cli;
#[cfg(feature = "kit")]
pub mod coverage;
#[cfg(feature = "kit")]
pub mod divergence;
#[cfg(feature = "mock")]
pub mod driver;
#[cfg(feature = "kit")]
pub mod explain;
#[cfg(feature = "kit")]
pub mod findings;
pub mod judge;
#[cfg(feature = "kit")]
pub mod last_run;
pub mod model;
#[cfg(feature = "kit")]
pub mod plan;
#[cfg(feature = "kit")]
pub mod policy;
#[cfg(feature = "mock")]
pub mod qcow2;
#[cfg(feature = "kit")]
pub mod record;
#[cfg(feature = "kit")]
pub mod recovery;
#[cfg(feature = "kit")]
pub mod report;
#[cfg(feature = "kit")]
pub mod run;
#[cfg(feature = "kit")]
pub mod scenario;
#[cfg(feature = "kit")]
pub mod script;
#[cfg(feature = "kit")]
pub mod session;
#[cfg(feature = "kit")]
pub mod snapshot;
#[cfg(feature = "strategies")]
pub mod strategies;
#[cfg(feature = "kit")]
pub mod suite;
#[cfg(feature = "kit")]
pub mod transcript;
#[cfg(feature = "kit")]
pub mod verdict;
#[cfg(feature = "mock")]
pub mod world;

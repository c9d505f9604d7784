//! A conformance kit and simulator for the error semantics of libvirt's backup and checkpoint
//! APIs.
//!
//! Data flows one way: a [`scenario`] becomes a [`plan`], a [`driver`] answers its calls, the
//! [`transcript`] records them, the [`judge`] decides, [`recovery`] executes and proves the
//! decision, [`run`] schedules all of it and emits events, [`report`] and [`snapshot`] consume
//! them.

pub mod cli;
pub mod driver;
pub mod explain;
pub mod judge;
pub mod last_run;
pub mod model;
pub mod plan;
pub mod record;
pub mod recovery;
pub mod report;
pub mod run;
pub mod scenario;
pub mod session;
pub mod snapshot;
pub mod suite;
pub mod transcript;
pub mod world;

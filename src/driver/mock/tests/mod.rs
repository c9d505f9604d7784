//! The mock against what libvirt answers and does.

mod bench;
mod faults;
mod history;
mod jobs;
mod refusals;
mod versions;

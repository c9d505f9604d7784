//! The rules, as data, by what they are about. Each file holds its rules in the order they are
//! tried, and the situations they look for.

mod all;
mod checkpoint;
mod connection;
mod deletion;
mod domain;
mod ended_job;
mod failed;
mod internal;
mod names;
mod other_job;
mod request;
mod snapshot;
mod state;

pub use all::rules;

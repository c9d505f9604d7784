//! Real libvirt, in worker processes of our own or reached from them.
//!
//! The supervisor's side is [`Real`]: it implements the traits of [`crate::driver`] by sending
//! one JSON line per call to a worker process and waiting for the answer, so that a crash, a hang
//! or an interrupt of libvirt is known by its last call and never takes the supervisor along.
//! libvirt's QEMU driver runs in the worker itself, in a daemon that the worker starts, or in one
//! that was there before ([`Connection`]). The binary serves the hidden subcommands
//! [`reaper::main`], [`worker::main`] and [`clear::main`]:
//!
//! ```text
//! supervisor (Real) ── starts ──▶ reaper ── starts ──▶ worker ── starts ──▶ libvirtd, QEMU …
//!            └──────── requests and replies, one pipe each way ──┘
//! ```
//!
//! A restart of libvirt is that of the daemon; where libvirt runs in the worker itself, the worker
//! executes its program anew (`carried`).
//!
//! This module must not know scenarios, plans or what an answer means.

mod access;
pub mod availability;
mod background;
mod bitmaps;
mod cache;
mod calls;
mod carried;
pub mod clear;
mod connection;
#[cfg(test)]
mod constants;
mod content;
mod daemon;
mod daemon_store;
mod damage;
mod debris;
mod emulator;
mod events;
mod ffi;
mod file_systems;
mod files;
mod host;
mod images;
mod jobs;
mod log;
mod metadata;
mod namespace;
mod nbd;
mod pause;
mod ports;
mod proc;
mod process;
mod protocol;
mod raised;
mod real;
pub mod reaper;
mod root;
mod tools;
pub mod worker;

pub use availability::{Missing, missing};
pub use connection::Connection;
pub use process::sweep;
pub use real::{Real, RealOptions};

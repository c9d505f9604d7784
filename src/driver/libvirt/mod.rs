//! Real libvirt: its QEMU driver inside worker processes of our own (`qemu:///embed?root=DIR`).
//!
//! The supervisor's side is [`Real`]: it implements the traits of [`crate::driver`] by sending
//! one JSON line per call to a worker process and waiting for the answer, so that a crash, a hang
//! or an interrupt of libvirt is known by its last call and never takes the supervisor along.
//! The binary serves two hidden subcommands, [`reaper::main`] and [`worker::main`]:
//!
//! ```text
//! supervisor (Real) ── starts ──▶ reaper ── starts ──▶ worker (libvirt) ── starts ──▶ QEMU …
//!            └──────── requests and replies, one pipe each way ────────┘
//! ```
//!
//! This module must not know scenarios, plans or what an answer means.

pub mod availability;
mod bitmaps;
mod cache;
mod calls;
mod content;
mod events;
mod ffi;
mod host;
mod namespace;
mod process;
mod protocol;
mod real;
pub mod reaper;
mod tools;
pub mod worker;

pub use availability::{Missing, missing};
pub use process::sweep;
pub use real::{Real, RealOptions};

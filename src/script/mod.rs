//! A scenario as commands that a person types: `virsh`, `qemu-img` and `qemu-io`.
//!
//! [`virsh_words`] gives the command of one libvirt call, [`tool_words`] that of what is done to an
//! image, [`script`] a whole scenario as a text for `sh`. What has no command is told, never left
//! out. Nothing here does I/O: what the scenario does is given, as it was played on the mock.

mod host;
mod parts;
mod quote;
mod story;
mod tool;
mod unlike;
mod virsh;

pub use story::{NoScript, script};
pub use tool::{layer, tool_words};
pub use virsh::{only_looks, virsh_words};

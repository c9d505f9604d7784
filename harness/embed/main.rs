//! The driver `embed` against the real libvirt and QEMU of this machine.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a test cannot do is a failure of the test"
)]

mod bench;
mod calls;
mod endings;
mod host;

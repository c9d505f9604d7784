//! The mock against what libvirt answers and does.

mod bench;
mod refusals;

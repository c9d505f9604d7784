//! What a version of libvirt is known to answer otherwise than its snapshot says.
//!
//! A snapshot holds the answers of one series. Where another one differs, an entry of the list says
//! which lines stand there instead, and why. The list is strict: a difference that it names must
//! happen, and no other may. It is text in, text out: whoever reads files hands them in.

mod list;

pub use list::{Divergence, Divergences, Names};

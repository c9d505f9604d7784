//! The bytes of a qcow2 image, as far as dirty bitmaps are concerned: where each field is, how it
//! is damaged, and what QEMU makes of the result.
//!
//! Bytes in, bytes or edits out; no I/O. The layout is that of `docs/interop/qcow2.rst` in QEMU; all
//! integers are big-endian. Both drivers use it: real images are edited by it, and the simulated host
//! reads what was edited as QEMU would.

mod check;
mod damage;
mod edit;
mod fields;
mod layout;
mod load;
mod write;

#[cfg(test)]
mod tests;

pub use check::{Check, check};
pub use damage::edits;
pub use edit::{Edit, apply, undo};
pub use layout::{Entry, Extension, Layout, NotThere};
pub use load::{Access, Contents, StoredBitmap, load};
pub use write::{Description, write};

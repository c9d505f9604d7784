//! Which places of libvirt's source have raised an error in which scenario, and which errors of the
//! catalogue none has raised.
//!
//! Plain data from a recorded run; this module reaches no driver and knows no other output format
//! than the table's own.

mod catalogue;
mod table;

pub use catalogue::{Catalogue, Row};
pub use table::{Coverage, NotComparable, Untold};

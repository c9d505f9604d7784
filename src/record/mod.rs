//! Recorded runs: the events of a run as lines of JSON, read back and compared.
//!
//! A record is plain data and enough for every report. This module knows no output format and
//! never reaches a driver.

mod compare;
mod fields;
mod line;
mod read;

pub use compare::{Change, Compared, Comparison, Side, Verdict, compare};
pub use line::{FORMAT, Head, Line};
pub use read::{RecordError, Recorded};

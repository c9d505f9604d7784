//! The language from outside.

mod canonical;
mod diagnostics;
mod generated;
mod mistakes;

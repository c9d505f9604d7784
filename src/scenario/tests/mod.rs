//! The language from outside.

mod canonical;
mod diagnostics;
mod editor;
mod generated;
mod mistakes;
mod sound;

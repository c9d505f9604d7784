//! The whole of what the judge decides, as one Markdown page: `DECISIONS.md`.

mod document;
mod markdown;
mod situations;
mod steps;
mod table;

pub use document::document;

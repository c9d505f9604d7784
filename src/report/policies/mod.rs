//! The table of policies, one file for each format.

mod explain;
mod json;
mod markdown;
mod text;
mod tsv;

pub use explain::profile_text;
pub use json::json;
pub use markdown::markdown;
pub use text::text;
pub use tsv::tsv;

//! The scenarios and their snapshots: a folder on disk, or the copy inside the binary.
//!
//! In a checkout, or in any folder with `scenarios/` and `snapshots/`, those are used; elsewhere
//! the embedded copy. Names are `<area>/<name>` and stable.

mod case;
mod file;
mod find;
mod pattern;

use case::load;
pub use case::{Case, source_of};
pub use file::File;
pub use find::{Suite, SuiteError};
pub use pattern::Pattern;

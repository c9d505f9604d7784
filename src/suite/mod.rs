//! The scenarios and their snapshots: a folder on disk, or the copy inside the binary.
//!
//! In a checkout, or in any folder with `scenarios/`, that and its `snapshots/` are used; elsewhere
//! the embedded copy. Names are `<area>/<name>` and stable.

mod case;
mod export;
mod file;
mod filter;
mod find;
mod partition;
mod pattern;
mod starter;

use case::load;
pub use case::{Case, source_of};
pub use export::{ExportError, Exported, export};
pub use file::File;
pub use filter::{Filter, Filtered};
pub use find::{Suite, SuiteError};
pub use partition::{InvalidPartition, Partition};
pub use pattern::Pattern;
pub use starter::{NewError, begin};

//! Problems of meaning: names that do not exist at that point of the history, places beyond the
//! end, steps that cannot be, expectations that could never fail.

mod backup;
mod disks;
mod effect;
mod names;
mod scenario;
mod storage;
mod story;
mod then;

pub use effect::function;
pub(super) use scenario::{check, check_name};
pub(super) use then::check_words;

//! Executing planned steps on a driver, and keeping the books meanwhile.
//!
//! A [`Session`] is one scenario in one place. It sends what the plan says, records what comes
//! back, and keeps the [`Ledger`]: the truth about what the guest wrote, which nothing that is
//! under test is ever asked for. It knows neither expectations nor decisions.

mod attempt;
mod execute;
mod layers;
mod ledger;
mod life_cycle;
mod observe;
mod redefine;
mod restore;
mod story;

pub use attempt::Attempt;
pub use execute::Session;
pub use ledger::{Ledger, TakenBackup, TakenDisk};
pub use restore::Restored;

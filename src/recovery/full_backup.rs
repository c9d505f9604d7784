//! `full-backup-new-chain`: a full backup with a checkpoint under a fresh name; what is stale goes
//! once that is verified.

use super::refused::Refused;
use super::work::{Parts, Work};
use crate::driver::DriverError;
use crate::model::CleanUpTime;

/// Shows that no base is left, takes the full backup, cleans up, and shows that the new chain works.
pub(super) fn execute(work: &mut Work<'_, '_>, refused: Refused<'_>) -> Result<(), DriverError> {
    work.prove_full_is_needed(refused.state);
    if !work.clean_up(CleanUpTime::First)? {
        return Ok(());
    }
    let name = work.fresh_name()?;
    if work.back_up(&name, None, &Parts::new())? {
        work.prove_chain(&name)?;
    }
    Ok(())
}

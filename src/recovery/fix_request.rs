//! `fix-request`: the corrected call, which only the scenario's author knows.

use super::refused::Refused;
use super::retry;
use super::work::Work;
use crate::driver::DriverError;
use crate::model::CleanUpTime;
use crate::plan::Step;

/// Removes what the refused call has left, if anything, and executes the remedy.
pub(super) fn execute(
    work: &mut Work<'_, '_>,
    refused: Refused<'_>,
    remedy: &[Step],
) -> Result<(), DriverError> {
    const CLAIM: &str = "corrected request";

    if remedy.is_empty() {
        work.claim(CLAIM, "the scenario gives no remedy", false);
        return Ok(());
    }
    if !work.clean_up(CleanUpTime::First)? {
        return Ok(());
    }
    if refused.state != refused.before {
        work.prove_as_before(refused.before)?;
    }
    if !work.operate(remedy)? {
        work.claim(CLAIM, "refused", false);
        return Ok(());
    }
    work.claim(CLAIM, "accepted", true);
    if work.clean_up_steps().is_empty() {
        return Ok(());
    }
    // Something was deleted: what is left must still serve.
    retry::prove_newest_chain(work)
}

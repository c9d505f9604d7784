//! `fix-request`: the corrected call, which only the scenario's author knows.

use super::work::Work;
use crate::driver::DriverError;
use crate::plan::Step;

/// Executes the remedy.
pub(super) fn execute(work: &mut Work<'_, '_>, remedy: &[Step]) -> Result<(), DriverError> {
    const CLAIM: &str = "corrected request";

    if remedy.is_empty() {
        work.claim(CLAIM, "the scenario gives no remedy", false);
        return Ok(());
    }
    if work.operate(remedy)? {
        work.claim(CLAIM, "accepted", true);
    } else {
        work.claim(CLAIM, "refused", false);
    }
    Ok(())
}

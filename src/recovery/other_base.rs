//! `incremental-from-other-good-checkpoint`: the chain branches off at another checkpoint.

use super::work::Work;
use crate::driver::DriverError;
use crate::transcript::Conclusion;

/// Takes an incremental backup from the base that the judge has named, cleans up, and shows that
/// the chain works.
pub(super) fn execute(work: &mut Work<'_, '_>, conclusion: &Conclusion) -> Result<(), DriverError> {
    let Some(base) = &conclusion.base else {
        work.claim("other base", "the judge names none", false);
        return Ok(());
    };
    let name = work.fresh_name()?;
    if work.back_up(&name, Some(base), &conclusion.disks)? {
        work.prove_chain(&name, &conclusion.clean_up)?;
    }
    Ok(())
}

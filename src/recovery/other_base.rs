//! `incremental-from-other-good-checkpoint`: the chain branches off at another checkpoint.

use super::work::Work;
use crate::driver::DriverError;
use crate::model::CleanUpTime;

/// Takes an incremental backup from the base that the judge has named, cleans up, and shows that
/// the chain works.
pub(super) fn execute(work: &mut Work<'_, '_>) -> Result<(), DriverError> {
    let Some((base, parts)) = work.base() else {
        work.claim("other base", "the judge names none", false);
        return Ok(());
    };
    if !work.clean_up(CleanUpTime::First)? {
        return Ok(());
    }
    if !work.define_base(base, &parts)? {
        return Ok(());
    }
    let name = work.fresh_name()?;
    if work.back_up(&name, Some(base), &parts)? {
        work.prove_chain(&name)?;
    }
    Ok(())
}

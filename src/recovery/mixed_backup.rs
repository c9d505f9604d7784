//! `full-for-affected-disks`: one backup, full for some disks and incremental for the others.

use super::work::Work;
use crate::driver::DriverError;
use crate::model::CleanUpTime;

/// Takes the backup as the judge has parted it, cleans up, and shows that the next incremental
/// backup works on all disks.
pub(super) fn execute(work: &mut Work<'_, '_>) -> Result<(), DriverError> {
    let Some((base, parts)) = work.base() else {
        work.claim("base of the good disks", "the judge names none", false);
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

//! `incremental-from-other-good-checkpoint` and `full-for-affected-disks`: a backup from a base that the
//! judge has named, full for the disks that it has parted off.

use super::work::Work;
use crate::driver::DriverError;
use crate::model::CleanUpTime;

/// Takes the backup, cleans up, and shows that the chain works on all disks.
pub(super) fn execute(work: &mut Work<'_, '_>) -> Result<(), DriverError> {
    let Some((base, parts)) = work.base() else {
        work.claim("base of the backup", "the judge names none", false);
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

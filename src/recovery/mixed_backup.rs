//! `full-for-affected-disks`: one backup, full for some disks and incremental for the others.

use super::work::Work;
use crate::driver::DriverError;
use crate::model::{CleanUpTime, DiskPart};

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
    let is_good =
        |(disk, part): (&String, &DiskPart)| (*part == DiskPart::Incremental).then(|| disk.clone());
    if !work.session.checkpoints()?.iter().any(|name| name == base) {
        // libvirt knows a base by its metadata only; it may be redefined for the good disks.
        let good: Vec<String> = parts.iter().filter_map(is_good).collect();
        let document = work.document_of(base)?;
        if !work.redefine(&document, &good, true)? {
            work.claim("base of the good disks", "not redefined", false);
            return Ok(());
        }
    }
    let name = work.fresh_name()?;
    if work.back_up(&name, Some(base), &parts)? {
        work.prove_chain(&name)?;
    }
    Ok(())
}

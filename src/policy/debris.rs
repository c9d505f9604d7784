//! What a client leaves behind: things that stand in the way of a later backup, or that a later one
//! would believe.

use std::collections::BTreeSet;

use crate::driver::DriverError;
use crate::model::{BitmapRow, DomainState};
use crate::plan::SavedCheckpoint;
use crate::session::Session;

/// A job that nobody ends.
pub(super) const JOB: &str = "a backup job";

/// All of it that is there now, in words.
pub(super) fn debris(session: &mut Session<'_>) -> Result<BTreeSet<String>, DriverError> {
    let mut found = BTreeSet::new();
    let bitmaps = session.bitmaps()?;
    let Some(checkpoints) = defined(session)? else {
        return Ok(found);
    };
    for (name, disks) in &checkpoints {
        for disk in disks {
            if !bitmaps.has_usable(disk, name) {
                found.insert(format!(
                    "checkpoint {name} without a usable bitmap on {disk}"
                ));
            }
        }
    }
    let is_owned = |row: &BitmapRow| {
        let mut all = checkpoints.iter();
        all.any(|(name, disks)| *name == row.name && disks.contains(&row.disk))
    };
    let ledger = session.ledger();
    for row in bitmaps.0.iter().filter(|row| !is_owned(row)) {
        if !ledger.is_foreign(&row.name) {
            found.insert(format!(
                "bitmap {} on {} without a checkpoint",
                row.name, row.disk
            ));
        }
    }
    let uncommitted: BTreeSet<&str> = ledger.uncommitted_checkpoints().collect();
    for (name, _) in &checkpoints {
        if uncommitted.contains(name.as_str()) {
            found.insert(format!("checkpoint {name} without a backup"));
        }
    }
    if session.has_backup()? {
        found.insert(JOB.to_owned());
    }
    Ok(found)
}

/// Checkpoints and their disks.
type Defined = Vec<(String, Vec<String>)>;

/// The defined checkpoints and their disks; `None` where there is no domain.
fn defined(session: &mut Session<'_>) -> Result<Option<Defined>, DriverError> {
    if session.domain_state()? == DomainState::Gone {
        return Ok(None);
    }
    let mut all = Vec::new();
    for name in session.checkpoints()? {
        let document = session.checkpoint_document(&name)?;
        let saved = document.and_then(|xml| SavedCheckpoint::of(&xml));
        let disks = saved.map(|saved| saved.disks).unwrap_or_default();
        let known = session.disks().iter();
        let known: Vec<&str> = known.map(|disk| disk.target.as_str()).collect();
        let disks = disks.into_iter().map(|(disk, _)| disk);
        let disks = disks
            .filter(|disk| known.contains(&disk.as_str()))
            .collect();
        all.push((name, disks));
    }
    Ok(Some(all))
}

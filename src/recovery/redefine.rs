//! `redefine-missing-checkpoints-then-retry`: the kept documents go back to libvirt, parents first.

use super::refused::Refused;
use super::retry;
use super::work::Work;
use crate::driver::DriverError;
use crate::model::{Api, Call, flags};
use crate::plan::SavedCheckpoint;

/// Redefines every kept checkpoint that libvirt has lost and whose bitmap is still there, retries,
/// and shows that the chain works.
pub(super) fn execute(work: &mut Work<'_, '_>, refused: Refused<'_>) -> Result<(), DriverError> {
    let kept = oldest_first(work);
    let mut defined = work.session.checkpoints()?;
    for saved in &kept {
        let carriers = work.carriers(&saved.name)?;
        if defined.contains(&saved.name) || carriers.is_empty() {
            continue;
        }
        if !work.redefine(saved, &carriers, true)? {
            work.claim(format!("bitmap of {}", saved.name), "not good", false);
            return Ok(());
        }
        work.claim(format!("bitmap of {}", saved.name), "validated", true);
        defined.push(saved.name.clone());
    }
    let found = work.session.checkpoints_from_the_root()?;
    let place = |name: &str| found.iter().position(|found| found == name);
    let mut as_kept = true;
    for saved in &kept {
        let parent = saved.parent.as_deref().and_then(place);
        let is_lost = work.carriers(&saved.name)?.is_empty();
        as_kept &=
            is_lost || place(&saved.name).is_some_and(|own| parent.is_none_or(|up| up < own));
    }
    work.claim("checkpoints as kept", found.join(" "), as_kept);
    retry::again(work, refused)
}

/// The kept checkpoints, each behind its parent.
fn oldest_first(work: &Work<'_, '_>) -> Vec<SavedCheckpoint> {
    let ledger = work.session.ledger();
    let kept = ledger
        .saved_checkpoints()
        .filter_map(|name| SavedCheckpoint::of(ledger.saved_checkpoint(name)?));
    let mut left: Vec<SavedCheckpoint> = kept.collect();
    let mut sorted: Vec<SavedCheckpoint> = Vec::new();
    while !left.is_empty() {
        let waits = |saved: &SavedCheckpoint| {
            let parent = saved.parent.as_ref();
            parent.is_some_and(|parent| left.iter().any(|other| other.name == *parent))
        };
        // A ring of parents, which no honest libvirt dumps, is taken as it comes.
        let next = left.iter().position(|saved| !waits(saved)).unwrap_or(0);
        sorted.push(left.remove(next));
    }
    sorted
}

impl Work<'_, '_> {
    /// What is known of a checkpoint: the client's own record, else libvirt's.
    pub(super) fn document_of(&mut self, name: &str) -> Result<SavedCheckpoint, DriverError> {
        let kept = self.session.ledger().saved_checkpoint(name);
        let known = match kept.and_then(SavedCheckpoint::of) {
            Some(saved) => Some(saved),
            None => self
                .session
                .checkpoint_document(name)?
                .and_then(|xml| SavedCheckpoint::of(&xml)),
        };
        Ok(known.unwrap_or_else(|| SavedCheckpoint {
            name: name.to_owned(),
            description: None,
            parent: None,
            // libvirt wants one, and takes any.
            creation_time: Some("1".to_owned()),
            disks: Vec::new(),
        }))
    }

    /// Redefines a checkpoint on exactly these disks. Its parent stands only where that is defined.
    /// `false` if libvirt refused.
    pub(super) fn redefine(
        &mut self,
        checkpoint: &SavedCheckpoint,
        disks: &[String],
        validate: bool,
    ) -> Result<bool, DriverError> {
        let mut document = checkpoint.clone();
        let name = &checkpoint.name;
        let defined = self.session.checkpoints()?;
        document.parent = document.parent.filter(|parent| defined.contains(parent));
        document.disks = disks
            .iter()
            .map(|disk| (disk.clone(), name.clone()))
            .collect();
        let mut bits = flags::CHECKPOINT_CREATE_REDEFINE;
        let mut label = format!("checkpoint-redefine {name} on {}", disks.join(" "));
        if validate {
            bits |= flags::CHECKPOINT_CREATE_REDEFINE_VALIDATE;
            label.push_str(" validate");
        }
        let domain = &self.session.place().domain;
        let call = Call::new(Api::CheckpointCreate, domain).flags(bits);
        self.call(&label, &call.xml(document.to_xml()))
    }

    /// The disks that carry a bitmap, whatever its state.
    pub(super) fn carriers(&mut self, name: &str) -> Result<Vec<String>, DriverError> {
        let bitmaps = self.session.bitmaps()?;
        let rows = bitmaps.0.into_iter().filter(|row| row.name == name);
        let mut disks: Vec<String> = rows.map(|row| row.disk).collect();
        disks.dedup();
        Ok(disks)
    }
}

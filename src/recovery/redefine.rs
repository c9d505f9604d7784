//! `redefine-missing-checkpoints-then-retry`: the kept documents go back to libvirt, parents first.

use std::collections::BTreeSet;

use super::refused::Refused;
use super::retry;
use super::work::{Parts, Work};
use crate::driver::DriverError;
use crate::model::{Api, Call, CleanUpTime, DiskPart, Request, flags};
use crate::plan::{SavedCheckpoint, Step};

/// Redefines every kept checkpoint that libvirt has lost and whose bitmap is still there, retries,
/// and shows that the chain works.
pub(super) fn execute(
    work: &mut Work<'_, '_>,
    refused: Refused<'_>,
    remedy: &[Step],
) -> Result<(), DriverError> {
    if !work.clean_up(CleanUpTime::First)? {
        return Ok(());
    }
    let request = work.session.request_of(refused.call);
    let kept = oldest_first(work, &request);
    let needed: Vec<(&str, &str)> = request.needed().collect();
    let replaced = work.session.ledger().replaced_disks();
    let mut defined = work.session.checkpoints()?;
    let mut left = Vec::new();
    for saved in &kept {
        if defined.contains(&saved.name) {
            continue;
        }
        // Where its name alone is wanted, for a new checkpoint, it is defined where its bitmaps are.
        let on: BTreeSet<&str> = needed
            .iter()
            .filter(|(_, name)| {
                *name == saved.name && request.checkpoint.as_ref() != Some(&saved.name)
            })
            .map(|(disk, _)| *disk)
            .collect();
        let is_needed = !on.is_empty();
        let carriers = work.disks_to_define(saved, &on)?;
        let lies = |disk: &String| {
            let disks = replaced.get(&saved.name);
            disks.is_some_and(|disks| disks.contains(disk))
        };
        if carriers.is_empty() || (!is_needed && carriers.iter().any(lies)) {
            left.push(&saved.name);
            continue;
        }
        if work.redefine(saved, &carriers, true)? {
            work.claim(format!("bitmap of {}", saved.name), "validated", true);
            defined.push(saved.name.clone());
        } else if is_needed {
            work.claim(format!("bitmap of {}", saved.name), "not good", false);
            return Ok(());
        } else {
            // Nobody asks for it now; it stays as it is.
            left.push(&saved.name);
        }
    }
    let found = work.session.checkpoints_from_the_root()?;
    let place = |name: &str| found.iter().position(|found| found == name);
    let mut as_kept = true;
    for saved in &kept {
        let parent = saved.parent.as_deref().and_then(place);
        as_kept &= left.contains(&&saved.name)
            || place(&saved.name).is_some_and(|own| parent.is_none_or(|up| up < own));
    }
    work.claim("checkpoints as kept", found.join(" "), as_kept);
    if remedy.is_empty() {
        return retry::again(work, refused);
    }
    // The name that the request wants is taken by what was redefined: it needs another one.
    let accepted = work.operate(remedy)?;
    let found = if accepted { "accepted" } else { "refused" };
    work.claim("corrected request", found, accepted);
    retry::prove_newest_chain(work)
}

/// The kept checkpoints, and the needed ones whose documents are not kept; each behind its parent.
fn oldest_first(work: &Work<'_, '_>, request: &Request) -> Vec<SavedCheckpoint> {
    let ledger = work.session.ledger();
    let kept = ledger
        .saved_checkpoints()
        .filter_map(|name| SavedCheckpoint::of(ledger.saved_checkpoint(name)?));
    let mut left: Vec<SavedCheckpoint> = kept.collect();
    for (_, name) in request.needed() {
        if left.iter().all(|saved| saved.name != name) {
            left.push(SavedCheckpoint::named(name));
        }
    }
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
    /// libvirt may have lost a base; it is redefined on the disks that are based on it. `false` if
    /// libvirt refused.
    pub(super) fn define_base(&mut self, base: &str, parts: &Parts) -> Result<bool, DriverError> {
        if self.session.checkpoints()?.iter().any(|name| name == base) {
            return Ok(true);
        }
        let is_based = |part: &DiskPart| *part == DiskPart::Incremental;
        let based = parts.iter().filter(|(_, part)| is_based(part));
        let disks: Vec<String> = based.map(|(disk, _)| disk.clone()).collect();
        let document = self.document_of(base)?;
        let is_defined = self.redefine(&document, &disks, true)?;
        if !is_defined {
            self.claim("base of the backup", "not redefined", false);
        }
        Ok(is_defined)
    }

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
        Ok(known.unwrap_or_else(|| SavedCheckpoint::named(name)))
    }

    /// Redefines a checkpoint on exactly these disks. Its parent stands only where that is defined.
    /// `false` if libvirt refused.
    pub(super) fn redefine(
        &mut self,
        checkpoint: &SavedCheckpoint,
        disks: &[String],
        validate: bool,
    ) -> Result<bool, DriverError> {
        let bits = if validate {
            flags::CHECKPOINT_CREATE_REDEFINE_VALIDATE
        } else {
            0
        };
        self.send_redefinition(checkpoint, disks, &checkpoint.name, bits)
    }

    /// The same with bitmaps of this name, unvalidated.
    pub(super) fn redefine_with(
        &mut self,
        checkpoint: &SavedCheckpoint,
        disks: &[String],
        bitmap: &str,
    ) -> Result<bool, DriverError> {
        self.send_redefinition(checkpoint, disks, bitmap, 0)
    }

    fn send_redefinition(
        &mut self,
        checkpoint: &SavedCheckpoint,
        disks: &[String],
        bitmap: &str,
        bits: u32,
    ) -> Result<bool, DriverError> {
        let mut document = checkpoint.clone();
        let defined = self.session.checkpoints()?;
        document.parent = document.parent.filter(|parent| defined.contains(parent));
        let of_bitmap = |disk: &String| (disk.clone(), bitmap.to_owned());
        document.disks = disks.iter().map(of_bitmap).collect();
        let name = &checkpoint.name;
        let mut label = format!("checkpoint-redefine {name} on {}", disks.join(" "));
        if bitmap != name {
            label.push_str(" with another bitmap");
        }
        if bits != 0 {
            label.push_str(" validate");
        }
        let bits = bits | flags::CHECKPOINT_CREATE_REDEFINE;
        let domain = &self.session.place().domain;
        let call = Call::new(Api::CheckpointCreate, domain).flags(bits);
        self.call(&label, &call.xml(document.to_xml()))
    }

    /// The disks that a checkpoint is redefined on: those that it is needed on, and others that carry
    /// a good bitmap. Where bitmaps cannot be seen, validation tells; one that is needed is not
    /// risked for another disk.
    fn disks_to_define(
        &mut self,
        saved: &SavedCheckpoint,
        needed: &BTreeSet<&str>,
    ) -> Result<Vec<String>, DriverError> {
        let facts = self.facts();
        if facts.is_some_and(|facts| !facts.records.can_use_monitor) {
            return Ok(if needed.is_empty() {
                saved.disks.iter().map(|(disk, _)| disk.clone()).collect()
            } else {
                needed.iter().map(|disk| (*disk).to_owned()).collect()
            });
        }
        let bitmaps = self.session.bitmaps()?;
        let mut disks: BTreeSet<String> = needed.iter().map(|disk| (*disk).to_owned()).collect();
        for row in bitmaps.0.iter().filter(|row| row.name == saved.name) {
            if bitmaps.has_usable(&row.disk, &row.name) {
                disks.insert(row.disk.clone());
            }
        }
        Ok(disks.into_iter().collect())
    }
}

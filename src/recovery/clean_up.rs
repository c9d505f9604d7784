//! The clean-up steps: what is stale goes, through libvirt where that can do it.

use super::backup::bitmap_disks;
use super::work::Work;
use crate::driver::DriverError;
use crate::model::{
    Action, Api, BitmapChange, BitmapRow, BitmapTable, Call, CleanUp, CleanUpKind, CleanUpTime,
    ErrorCode, ErrorDomain, LibvirtError, flags, on_layer,
};
use crate::plan::{SavedCheckpoint, Step, checkpoint_xml};

impl Work<'_, '_> {
    /// Executes the steps that are due at this time, in order; `false` if one could not be done, or
    /// must not be any more.
    pub(super) fn clean_up(&mut self, time: CleanUpTime) -> Result<bool, DriverError> {
        let steps = self.clean_up_steps().iter();
        for step in steps.filter(|step| step.time == time) {
            if !self.is_as_decided(step)? {
                let found = "the bitmap is no longer what was decided on; it stays";
                self.claim(step.to_string(), found, false);
                return Ok(false);
            }
            if !self.clean_up_step(step)? {
                self.claim(step.to_string(), "refused", false);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What is to be deleted is what the decision was about: nothing is deleted that has come to be
    /// of use since.
    fn is_as_decided(&mut self, step: &CleanUp) -> Result<bool, DriverError> {
        let Some(observed) = self.facts().map(|facts| &facts.observed) else {
            return Ok(true);
        };
        let decided_on = if step.kind == CleanUpKind::PurgeStaleBitmapOffline {
            &observed.stored_bitmaps
        } else {
            &observed.bitmaps
        };
        let Some(then) = decided_on else {
            return Ok(true);
        };
        let now = self.session.bitmaps()?;
        Ok(flags_of(then, step) == flags_of(&now, step))
    }

    fn clean_up_step(&mut self, step: &CleanUp) -> Result<bool, DriverError> {
        let CleanUp {
            checkpoint, disks, ..
        } = step;
        match step.kind {
            CleanUpKind::DropCheckpointMetadata if step.kept.is_empty() => {
                self.delete(checkpoint, flags::CHECKPOINT_DELETE_METADATA_ONLY)
            }
            CleanUpKind::DropCheckpointMetadata => {
                let document = self.document_of(checkpoint)?;
                self.redefine(&document, &step.kept, true)
            }
            CleanUpKind::PurgeStaleBitmapLive if step.unseen => self.purge_unseen(step),
            CleanUpKind::PurgeStaleBitmapLive => {
                let document = self.document_of(checkpoint)?;
                Ok(self.purge(checkpoint, disks)? && self.keep_on(step, &document)?)
            }
            CleanUpKind::PurgeStaleBitmapOffline => self.purge_offline(checkpoint, disks),
            CleanUpKind::DiscardUncommittedCheckpoint => self.discard(step),
            CleanUpKind::ClearStuckBackupJob => self.clear_stuck_job(checkpoint, disks),
        }
    }

    /// Deleting wants a definition that lists exactly the disks whose bitmap must go. A checkpoint
    /// whose name cannot be stored can be none; another one can have its bitmap, though.
    fn purge(&mut self, bitmap: &str, disks: &[String]) -> Result<bool, DriverError> {
        let document = if is_unstorable(bitmap) {
            SavedCheckpoint::named(&self.fresh_name()?)
        } else {
            self.document_of(bitmap)?
        };
        let name = document.name.clone();
        let before = self.session.whole_checkpoint(&name)?;
        if !self.redefine_with(&document, disks, bitmap)? {
            return Ok(false);
        }
        if self.delete(&name, 0)? {
            return Ok(true);
        }
        self.session.put_back(&name, before.as_deref())?;
        Ok(false)
    }

    /// The checkpoint goes as a whole; where a disk lacks the bitmap, disk by disk.
    fn discard(&mut self, step: &CleanUp) -> Result<bool, DriverError> {
        match self.try_delete(&step.checkpoint)? {
            Ok(()) => Ok(true),
            Err(error) if is_absent(&error) => self.purge_unseen(step),
            Err(_) => Ok(false),
        }
    }

    /// Deletes a checkpoint, which libvirt may well refuse.
    fn try_delete(&mut self, name: &str) -> Result<Result<(), LibvirtError>, DriverError> {
        let call = Call::new(Api::CheckpointDelete, &self.session.place().domain);
        let call = call.checkpoint(name);
        let refusal = self.try_call(&format!("checkpoint-delete {name}"), &call)?;
        Ok(refusal.map_or(Ok(()), Err))
    }

    /// The checkpoint is defined again on the disks that it keeps, and so is the client's own record.
    fn keep_on(&mut self, step: &CleanUp, document: &SavedCheckpoint) -> Result<bool, DriverError> {
        if step.kept.is_empty() {
            return Ok(true);
        }
        // What nobody has looked at is kept as it is.
        let health = self
            .facts()
            .and_then(|facts| facts.observed.bitmap_health.get(&step.checkpoint));
        let was_asked = |disk: &String| health.is_some_and(|health| health.contains_key(disk));
        let is_known = !step.unseen || step.kept.iter().all(was_asked);
        let is_kept = self.redefine(document, &step.kept, is_known)?;
        if let Some(xml) = self
            .session
            .checkpoint_document(&step.checkpoint)?
            .filter(|_| is_kept)
        {
            self.session
                .ledger_mut()
                .keep_document(&step.checkpoint, xml);
        }
        Ok(is_kept)
    }

    /// Disk by disk, since nobody has seen which of them carry the bitmap; of one that does not, the
    /// deletion is refused, and only the metadata goes.
    fn purge_unseen(&mut self, step: &CleanUp) -> Result<bool, DriverError> {
        let name = &step.checkpoint;
        let before = self.session.whole_checkpoint(name)?;
        let document = self.document_of(name)?;
        for disk in &step.disks {
            if !self.redefine(&document, std::slice::from_ref(disk), false)? {
                return Ok(false);
            }
            let is_gone = match self.try_delete(name)? {
                Ok(()) => true,
                Err(error) if is_absent(&error) => {
                    self.delete(name, flags::CHECKPOINT_DELETE_METADATA_ONLY)?
                }
                Err(_) => false,
            };
            if !is_gone {
                self.session.put_back(name, before.as_deref())?;
                return Ok(false);
            }
        }
        self.keep_on(step, &document)
    }

    fn purge_offline(&mut self, bitmap: &str, disks: &[String]) -> Result<bool, DriverError> {
        let stored = self.session.bitmaps()?;
        for disk in self.session.disks().to_vec() {
            if !disks.contains(&disk.target) {
                continue;
            }
            for row in stored.on(&disk.target, bitmap) {
                let action = Action::ChangeBitmap {
                    image: disk.image.clone(),
                    bitmap: bitmap.to_owned(),
                    change: BitmapChange::Remove,
                };
                let label = format!("bitmap-remove {} {bitmap}", on_layer(&row.disk, row.layer));
                self.perform(&Step::act_on(label, &row.disk, row.layer, action))?;
            }
        }
        Ok(true)
    }

    /// A name that was cleaned up is free on every disk: a checkpoint of that name can be made, and
    /// goes again. One that is kept on some disks is on exactly these.
    pub(super) fn prove_clean_up(&mut self) -> Result<(), DriverError> {
        let disks = self.session.disks().to_vec();
        let domain = self.session.place().domain.clone();
        let mut proven: Vec<&str> = Vec::new();
        for step in self.clean_up_steps() {
            let name = &step.checkpoint;
            if proven.contains(&name.as_str()) {
                continue;
            }
            proven.push(name);
            if !step.kept.is_empty() {
                let found = self.disks_of(name)?;
                let holds = found == step.kept;
                self.claim(format!("{name} is kept"), found.join(" "), holds);
                continue;
            }
            let request = self.facts().map(|facts| &facts.request);
            let is_wanted = request.is_some_and(|asked| asked.checkpoint.as_ref() == Some(name));
            if is_wanted && self.session.checkpoints()?.contains(name) {
                // The retry has made it anew, which shows the same.
                continue;
            }
            if step.kind == CleanUpKind::ClearStuckBackupJob || is_unstorable(name) {
                continue;
            }
            let document = checkpoint_xml(name, None, Some(&bitmap_disks(&disks)), &disks);
            let create = Call::new(Api::CheckpointCreate, &domain).xml(document);
            let is_free = self.call(&format!("checkpoint-create {name}"), &create)?
                && self.delete(name, 0)?;
            let found = if is_free { "free" } else { "taken" };
            self.claim(format!("name {name}"), found, is_free);
        }
        Ok(())
    }

    fn delete(&mut self, name: &str, bits: u32) -> Result<bool, DriverError> {
        let metadata_only = bits & flags::CHECKPOINT_DELETE_METADATA_ONLY != 0;
        let word = if metadata_only { " metadata-only" } else { "" };
        let call = Call::new(Api::CheckpointDelete, &self.session.place().domain);
        let call = call.checkpoint(name).flags(bits);
        self.call(&format!("checkpoint-delete {name}{word}"), &call)
    }
}

/// How libvirt refuses to delete a checkpoint of which a disk lacks the bitmap. Nothing but the message
/// tells that from one that cannot be removed now (`qemuCheckpointDiscardDiskBitmaps`).
fn is_absent(error: &LibvirtError) -> bool {
    error.code == ErrorCode::INTERNAL_ERROR
        && error.domain == ErrorDomain::QEMU
        && error.message.contains("not found in backing chain")
}

/// A checkpoint of so long a name cannot be made by anybody.
fn is_unstorable(name: &str) -> bool {
    name.len() > 247
}

/// What a bitmap could be used for, on each layer; how much it marks may change by the guest's hand.
fn flags_of(table: &BitmapTable, step: &CleanUp) -> Vec<(String, u32, [bool; 4])> {
    let rows = table.0.iter().filter(|row| row.name == step.checkpoint);
    let flags = |row: &BitmapRow| {
        let flags = [row.persistent, row.recording, row.inconsistent, row.busy];
        (row.disk.clone(), row.layer, flags)
    };
    rows.map(flags).collect()
}

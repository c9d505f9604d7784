//! What a client does to checkpoints: redefining and deleting them.

use super::client::{Client, Flow, Refusal};
use super::rule::{CallWord, OnDisks, Redefine, Which};
use crate::driver::DriverError;
use crate::model::{Api, flags};
use crate::plan::SavedCheckpoint;

impl Client<'_, '_> {
    /// Checkpoints are redefined, one call each.
    pub(super) fn redefine(&mut self, how: Redefine) -> Result<Flow, DriverError> {
        if how.only_after_restart && !self.restarted {
            return Ok(Flow::Next);
        }
        let defined = self.session.checkpoints()?;
        let names = match how.which {
            Which::Base => self.base.iter().cloned().collect(),
            Which::Recorded => self.recorded(),
        };
        for name in names {
            if how.only_missing && defined.contains(&name) {
                continue;
            }
            let mut document = self.document_of(&name)?;
            let parent = document.parent.take();
            document.parent = parent.filter(|_| how.parent);
            match how.disks {
                OnDisks::Recorded => {}
                OnDisks::All => document.disks = self.on_disks(&name, |_| true),
                OnDisks::WithBitmap => {
                    let bitmaps = self.session.bitmaps()?;
                    let has_bitmap = |disk: &str| bitmaps.has_usable(disk, &name);
                    document.disks = self.on_disks(&name, has_bitmap);
                    if document.disks.is_empty() {
                        return Ok(self.bitmap_is_missing(&name));
                    }
                }
            }
            let validate = if how.validate {
                flags::CHECKPOINT_CREATE_REDEFINE_VALIDATE
            } else {
                0
            };
            let bits = flags::CHECKPOINT_CREATE_REDEFINE | validate;
            let call = self.call(Api::CheckpointCreate).flags(bits);
            let word = if how.validate { " validate" } else { "" };
            let label = format!("checkpoint-redefine {name}{word}");
            let flow = self.send(&label, &call.xml(document.to_xml()))?;
            if !matches!(flow, Flow::Next) {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    pub(super) fn require_bitmap(&mut self) -> Result<Flow, DriverError> {
        let Some(base) = self.base.clone() else {
            return Ok(Flow::Next);
        };
        let bitmaps = self.session.bitmaps()?;
        let disks = self.session.disks().iter();
        let mut disks = disks.filter(|disk| bitmaps.on(&disk.target, &base).next().is_none());
        if disks.next().is_none() {
            return Ok(Flow::Next);
        }
        Ok(self.bitmap_is_missing(&base))
    }

    fn bitmap_is_missing(&mut self, name: &str) -> Flow {
        self.steps.push(format!("finds no bitmap {name}"));
        Flow::Refused(Box::new(Refusal {
            word: CallWord::BitmapCheck,
            call: None,
            error: None,
            checkpoint: Some(name.to_owned()),
        }))
    }

    pub(super) fn delete_subject(
        &mut self,
        refused: Option<&Refusal>,
        bits: u32,
    ) -> Result<Flow, DriverError> {
        match self.subject(refused) {
            Some(name) => self.delete(&name, bits),
            None => Ok(Flow::Next),
        }
    }

    /// Every checkpoint goes, as far as libvirt lets it; the client's own records go in any case.
    pub(super) fn delete_all(&mut self, bits: u32) -> Result<Flow, DriverError> {
        for name in self.session.checkpoints_from_the_root()? {
            self.delete(&name, bits)?;
        }
        self.base = None;
        Ok(Flow::Next)
    }

    pub(super) fn delete_new(&mut self) -> Result<Flow, DriverError> {
        let Some(name) = self.request.checkpoint.clone() else {
            return Ok(Flow::Next);
        };
        if !self.session.checkpoints()?.contains(&name) {
            return Ok(Flow::Next);
        }
        match self.delete(&name, 0)? {
            Flow::Refused(_) => self.delete(&name, flags::CHECKPOINT_DELETE_METADATA_ONLY),
            flow @ (Flow::Next | Flow::Ended(_)) => Ok(flow),
        }
    }

    pub(super) fn purge(&mut self, refused: Option<&Refusal>) -> Result<Flow, DriverError> {
        let Some(name) = self.subject(refused) else {
            return Ok(Flow::Next);
        };
        let bitmaps = self.session.bitmaps()?;
        let mut document = self.document_of(&name)?;
        document.parent = None;
        document.disks = self.on_disks(&name, |disk| bitmaps.on(disk, &name).next().is_some());
        if document.disks.is_empty() {
            return self.delete(&name, flags::CHECKPOINT_DELETE_METADATA_ONLY);
        }
        let call = self.call(Api::CheckpointCreate);
        let call = call.flags(flags::CHECKPOINT_CREATE_REDEFINE);
        let label = format!("checkpoint-redefine {name}");
        match self.send(&label, &call.xml(document.to_xml()))? {
            Flow::Next => self.delete(&name, 0),
            flow @ (Flow::Refused(_) | Flow::Ended(_)) => Ok(flow),
        }
    }

    /// Deletes a checkpoint; what is deleted is no base any more.
    fn delete(&mut self, name: &str, bits: u32) -> Result<Flow, DriverError> {
        let metadata_only = bits & flags::CHECKPOINT_DELETE_METADATA_ONLY != 0;
        let word = if metadata_only { " metadata-only" } else { "" };
        let call = self.call(Api::CheckpointDelete);
        let call = call.checkpoint(name).flags(bits);
        let flow = self.send(&format!("checkpoint-delete {name}{word}"), &call)?;
        if matches!(flow, Flow::Next) && self.base.as_deref() == Some(name) {
            let verified = self.session.ledger().whole_checkpoints();
            let other = verified.filter(|other| *other != name).last();
            self.base = other.map(str::to_owned);
        }
        Ok(flow)
    }

    /// The checkpoint that a refusal was about; else the base.
    pub(super) fn subject(&self, refused: Option<&Refusal>) -> Option<String> {
        let own = refused.and_then(|refusal| refusal.checkpoint.clone());
        own.or_else(|| self.base.clone())
    }

    /// The names of the recorded checkpoints, oldest first.
    fn recorded(&self) -> Vec<String> {
        let ledger = self.session.ledger();
        let mut names: Vec<String> = ledger.whole_checkpoints().map(str::to_owned).collect();
        for name in ledger.saved_checkpoints() {
            if !names.iter().any(|known| known == name) {
                names.insert(0, name.to_owned());
            }
        }
        names
    }

    /// What the client has recorded of a checkpoint: its document, else the disks of its backup.
    fn document_of(&mut self, name: &str) -> Result<SavedCheckpoint, DriverError> {
        let kept = self.session.ledger().saved_checkpoint(name);
        if let Some(saved) = kept.and_then(SavedCheckpoint::of) {
            return Ok(saved);
        }
        let dumped = self.session.checkpoint_document(name)?;
        if let Some(saved) = dumped.and_then(|xml| SavedCheckpoint::of(&xml)) {
            return Ok(saved);
        }
        let backups = self.session.ledger().verified_disks();
        let mut saved = SavedCheckpoint::named(name);
        let of_backup = |disk: &str| backups.get(name).is_none_or(|disks| disks.contains(disk));
        saved.disks = self.on_disks(name, of_backup);
        Ok(saved)
    }

    /// The disks that can have bitmaps and of which this holds, with a bitmap of the name.
    fn on_disks(&self, name: &str, holds: impl Fn(&str) -> bool) -> Vec<(String, String)> {
        let disks = self.session.disks().iter();
        let able = disks.filter(|disk| disk.can_have_bitmaps() && holds(&disk.target));
        able.map(|disk| (disk.target.clone(), name.to_owned()))
            .collect()
    }
}

//! The clean-up steps: what is stale goes, through libvirt alone.

use super::backup::bitmap_disks;
use super::work::Work;
use crate::driver::DriverError;
use crate::model::{Api, Call, CleanUp, CleanUpKind, flags};
use crate::plan::checkpoint_xml;

impl Work<'_, '_> {
    /// Executes the steps in order; `false` if libvirt refused one.
    pub(super) fn clean_up(&mut self, steps: &[CleanUp]) -> Result<bool, DriverError> {
        for step in steps {
            if !self.clean_up_step(step)? {
                self.claim(step.to_string(), "refused", false);
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn clean_up_step(&mut self, step: &CleanUp) -> Result<bool, DriverError> {
        let CleanUp {
            kind,
            checkpoint,
            disks,
            kept,
        } = step;
        let document = self.document_of(checkpoint)?;
        match kind {
            CleanUpKind::DropCheckpointMetadata if kept.is_empty() => {
                self.delete(checkpoint, flags::CHECKPOINT_DELETE_METADATA_ONLY)
            }
            CleanUpKind::DropCheckpointMetadata => self.redefine(&document, kept, true),
            // Deleting wants a definition that lists exactly the disks whose bitmap must go.
            CleanUpKind::PurgeStaleBitmapLive => Ok(self.redefine(&document, disks, false)?
                && self.delete(checkpoint, 0)?
                && (kept.is_empty() || self.redefine(&document, kept, true)?)),
            CleanUpKind::DiscardUncommittedCheckpoint
            | CleanUpKind::PurgeStaleBitmapOffline
            | CleanUpKind::ClearStuckBackupJob => {
                let text = format!("executing the clean-up step `{step}`");
                Err(DriverError::NotModelled(text))
            }
        }
    }

    /// A name that was cleaned up is free on every disk: a checkpoint of that name can be made, and
    /// goes again. One that is kept on some disks is on exactly these.
    pub(super) fn prove_clean_up(&mut self, steps: &[CleanUp]) -> Result<(), DriverError> {
        for step in steps {
            let name = &step.checkpoint;
            if !step.kept.is_empty() {
                let found = self.disks_of(name)?;
                let holds = found == step.kept;
                self.claim(format!("{name} is kept"), found.join(" "), holds);
                continue;
            }
            let disks = self.session.disks().to_vec();
            let document = checkpoint_xml(name, None, Some(&bitmap_disks(&disks)), &disks);
            let domain = self.session.place().domain.clone();
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

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
            let done = match step.kind {
                CleanUpKind::DropCheckpointMetadata => {
                    let bits = flags::CHECKPOINT_DELETE_METADATA_ONLY;
                    self.delete(&step.checkpoint, bits)?
                }
                // Deleting wants a definition that lists exactly the disks that carry the bitmap.
                CleanUpKind::PurgeStaleBitmapLive => {
                    self.redefine(&step.checkpoint, &step.disks, false)?
                        && self.delete(&step.checkpoint, 0)?
                }
                CleanUpKind::DiscardUncommittedCheckpoint
                | CleanUpKind::PurgeStaleBitmapOffline
                | CleanUpKind::ClearStuckBackupJob => {
                    let text = format!("executing the clean-up step `{step}`");
                    return Err(DriverError::NotModelled(text));
                }
            };
            if !done {
                self.claim(step.to_string(), "refused", false);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A name that was cleaned up is free on every disk: a checkpoint of that name can be made, and
    /// goes again.
    pub(super) fn prove_names_are_free(&mut self, steps: &[CleanUp]) -> Result<(), DriverError> {
        for step in steps {
            let name = &step.checkpoint;
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

//! `virDomainCheckpointDelete`.

use super::look::no_checkpoint;
use crate::driver::mock::Mock;
use crate::driver::mock::answer::{Ruled, check_flags, not_modelled, refuse};
use crate::model::{Call, ErrorCode, ErrorDomain, Value, flags};
use crate::world::{Checkpoint, CheckpointDisk};

impl Mock {
    /// `src/qemu/qemu_checkpoint.c:qemuCheckpointDelete`. The children move up before anything
    /// can fail, and stay there when it does.
    pub(in crate::driver::mock) fn checkpoint_delete(&mut self, call: &Call) -> Ruled {
        const METADATA_ONLY: u32 = flags::CHECKPOINT_DELETE_METADATA_ONLY;
        let name = self.checkpoint_handle(call)?;
        let domain = self.domain(call)?;
        let function = if self.rules.flags_at_entry {
            "qemuDomainCheckpointDelete"
        } else {
            "qemuCheckpointDelete"
        };
        check_flags(call.flags, 7, function)?;
        if call.flags & !METADATA_ONLY != 0 {
            return not_modelled("deleting a checkpoint with its children");
        }
        let metadata_only = call.flags == METADATA_ONLY;
        if !metadata_only && domain.active.is_none() {
            let text = "cannot delete checkpoint for inactive domain";
            return refuse(ErrorCode::OPERATION_UNSUPPORTED, ErrorDomain::QEMU, text);
        }
        let Some(checkpoint) = domain.checkpoints.get(&name).cloned() else {
            return no_checkpoint(&name);
        };
        self.domain_mut(call)?.checkpoints.move_children_up(&name);
        if !metadata_only {
            let bitmaps = self.bitmaps_of(call, &checkpoint)?;
            self.world.remove_bitmaps(&call.domain, &bitmaps)?;
        }
        self.domain_mut(call)?.checkpoints.delete(&name);
        Ok(Value::Nothing)
    }

    /// The bitmaps of the recorded names on every disk that is still there; one that no layer
    /// has stops all (`qemuCheckpointDiscardDiskBitmaps`).
    fn bitmaps_of(&self, call: &Call, checkpoint: &Checkpoint) -> Ruled<Vec<(usize, String)>> {
        let domain = self.domain(call)?;
        let Some(active) = &domain.active else {
            return not_modelled("removing bitmaps from an inactive domain");
        };
        let present =
            |disk: &CheckpointDisk| domain.disk_index(&disk.name).zip(disk.bitmap.clone());
        let wanted: Vec<(usize, String)> = checkpoint.disks.iter().filter_map(present).collect();
        for (index, bitmap) in &wanted {
            let mut layers = active.bitmaps[*index].iter();
            if !layers.any(|layer| layer.contains_key(bitmap)) {
                let target = &domain.disks[*index].target;
                let text = format!("bitmap '{bitmap}' not found in backing chain of '{target}'");
                return refuse(ErrorCode::INTERNAL_ERROR, ErrorDomain::QEMU, &text);
            }
        }
        Ok(wanted)
    }
}

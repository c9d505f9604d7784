//! `virDomainCheckpointDelete`.

use super::look::no_checkpoint;
use crate::driver::mock::Mock;
use crate::driver::mock::answer::{
    Ruled, not_modelled, refuse, refuse_flags, refuse_monitor, require_writable,
};
use crate::model::{Call, ErrorCode, ErrorDomain, Value, flags};
use crate::world::{Checkpoint, CheckpointDisk};

impl Mock {
    /// `src/libvirt-domain-checkpoint.c:virDomainCheckpointDelete`, then
    /// `src/qemu/qemu_checkpoint.c:qemuCheckpointDelete`. The children move up before anything
    /// can fail, and stay there when it does.
    pub(in crate::driver::mock) fn checkpoint_delete(&mut self, call: &Call) -> Ruled {
        const CHILDREN: u32 = flags::CHECKPOINT_DELETE_CHILDREN;
        const CHILDREN_ONLY: u32 = flags::CHECKPOINT_DELETE_CHILDREN_ONLY;
        const METADATA_ONLY: u32 = flags::CHECKPOINT_DELETE_METADATA_ONLY;
        const FLAG: &str = "VIR_DOMAIN_CHECKPOINT_DELETE_CHILDREN";

        let name = self.checkpoint_handle(call)?;
        require_writable(call, ErrorDomain::DOMAIN_CHECKPOINT)?;
        if call.flags & (CHILDREN | CHILDREN_ONLY) == CHILDREN | CHILDREN_ONLY {
            let message = format!("Flags '{FLAG}' and '{FLAG}_ONLY' are mutually exclusive");
            return refuse_flags(ErrorDomain::DOMAIN_CHECKPOINT, message);
        }
        let known = CHILDREN | METADATA_ONLY | CHILDREN_ONLY;
        let functions = ["qemuDomainCheckpointDelete", "qemuCheckpointDelete"];
        let domain = self.domain_and_flags(call, known, functions)?;
        let metadata_only = call.flags & METADATA_ONLY != 0;
        if !metadata_only && domain.active.is_none() {
            let text = "cannot delete checkpoint for inactive domain";
            return refuse(ErrorCode::OPERATION_UNSUPPORTED, ErrorDomain::QEMU, text);
        }
        if domain.checkpoints.get(&name).is_none() {
            return no_checkpoint(&name);
        }
        if call.flags & (CHILDREN | CHILDREN_ONLY) == 0 {
            let has_children = domain.checkpoints.children(&name).next().is_some();
            if domain.metadata_is_blocked && has_children {
                return not_modelled("moving checkpoints up without a store of their metadata");
            }
            self.domain_mut(call)?.checkpoints.move_children_up(&name);
        } else if self.delete_descendants(call, &name, metadata_only)? {
            // What was current is gone.
            let domain = self.domain_mut(call)?;
            if call.flags & CHILDREN_ONLY != 0 && domain.metadata_is_blocked {
                let text = format!("failed to set checkpoint '{name}' as current");
                return refuse(ErrorCode::INTERNAL_ERROR, ErrorDomain::QEMU, &text);
            }
            domain.checkpoints.make_current(&name);
        }
        if call.flags & CHILDREN_ONLY == 0 {
            if !metadata_only {
                self.discard_bitmaps(call, &name)?;
            }
            self.domain_mut(call)?.checkpoints.delete(&name);
        }
        Ok(Value::Nothing)
    }

    /// Deletes all descendants, parents before their children; one that cannot be deleted keeps no
    /// other (`src/qemu/qemu_domain.c:qemuDomainMomentDiscardAll`). True if one was current.
    fn delete_descendants(&mut self, call: &Call, name: &str, metadata_only: bool) -> Ruled<bool> {
        let descendants = self.domain(call)?.checkpoints.descendants(name);
        let descendants: Vec<String> = descendants.into_iter().cloned().collect();
        let mut was_current = false;
        let mut failures = Vec::new();
        for descendant in descendants {
            if !metadata_only && let Err(failure) = self.discard_bitmaps(call, &descendant) {
                failures.push(failure);
                continue;
            }
            let tree = &mut self.domain_mut(call)?.checkpoints;
            was_current |= tree.delete_below(&descendant);
        }
        let mut failures = failures.into_iter();
        match (failures.next(), failures.next()) {
            (None, _) => Ok(was_current),
            (Some(failure), None) => Err(failure),
            // Among siblings the order is not promised.
            (Some(_), Some(_)) => not_modelled("several descendants that cannot be deleted"),
        }
    }

    /// Removes the bitmaps of one checkpoint, or none where one is missing
    /// (`qemuCheckpointDiscardBitmaps`).
    fn discard_bitmaps(&mut self, call: &Call, name: &str) -> Ruled<()> {
        let Some(checkpoint) = self.domain(call)?.checkpoints.get(name).cloned() else {
            return no_checkpoint(name);
        };
        let bitmaps = self.bitmaps_of(call, &checkpoint)?;
        self.require_writable_layers(call, &bitmaps)?;
        self.world.remove_bitmaps(&call.domain, &bitmaps)?;
        Ok(())
    }

    /// A lower layer is opened for writing while it loses a bitmap; where it is not, QEMU refuses
    /// (`block/dirty-bitmap.c:bdrv_dirty_bitmap_check`).
    fn require_writable_layers(&self, call: &Call, bitmaps: &[(usize, String)]) -> Ruled<()> {
        let domain = self.domain(call)?;
        let Some(active) = domain
            .active
            .as_ref()
            .filter(|_| !self.rules.layers_in_full)
        else {
            return Ok(());
        };
        let is_below = |(index, name): &&(usize, String)| {
            let mut below = active.bitmaps[*index].iter().skip(1);
            below.any(|layer| layer.contains_key(name))
        };
        match bitmaps.iter().find(is_below) {
            None => Ok(()),
            Some((_, name)) => {
                let reason = format!("Bitmap '{name}' is readonly and cannot be modified");
                refuse_monitor("transaction", &reason)
            }
        }
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

//! The calls that look at checkpoints and change nothing.

use std::collections::BTreeMap;

use crate::driver::mock::Mock;
use crate::driver::mock::answer::{
    Ruled, check_flags, not_modelled, not_running, refuse, refuse_flags,
};
use crate::driver::mock::dump;
use crate::model::{Call, ErrorCode, ErrorDomain, Size, Value, flags};
use crate::world::{Checkpoint, CheckpointTree, Domain, chain_is_valid};

/// The flags of the functions that list checkpoints.
const LISTING: u32 = flags::CHECKPOINT_LIST_ROOTS
    | flags::CHECKPOINT_LIST_TOPOLOGICAL
    | flags::CHECKPOINT_LIST_LEAVES
    | flags::CHECKPOINT_LIST_NO_LEAVES;

impl Mock {
    /// `src/qemu/qemu_checkpoint.c:qemuCheckpointGetXMLDesc`.
    pub(in crate::driver::mock) fn checkpoint_get_xml_desc(&mut self, call: &Call) -> Ruled {
        let name = self.checkpoint_handle(call)?;
        if call.read_only && call.flags & flags::CHECKPOINT_XML_SECURE != 0 {
            let text = format!("{} with secure flag", call.api);
            let part = ErrorDomain::DOMAIN_CHECKPOINT;
            return refuse(ErrorCode::OPERATION_DENIED, part, &text);
        }
        let functions = ["qemuDomainCheckpointGetXMLDesc", "qemuCheckpointGetXMLDesc"];
        let domain = self.domain_and_flags(call, 7, functions)?;
        let Some(checkpoint) = domain.checkpoints.get(&name) else {
            return no_checkpoint(&name);
        };
        let sizes = if call.flags & flags::CHECKPOINT_XML_SIZE == 0 {
            BTreeMap::new()
        } else {
            self.sizes(call, &name, domain, checkpoint)?
        };
        let with_domain = call.flags & flags::CHECKPOINT_XML_NO_DOMAIN == 0;
        Ok(Value::Xml(dump::checkpoint(
            &name,
            checkpoint,
            &sizes,
            with_domain,
        )))
    }

    /// The dirty bytes since a checkpoint by disk, by the bitmaps of its *name*; a disk that is
    /// gone or whose bitmaps are no valid chain has none
    /// (`qemu_checkpoint.c:qemuCheckpointGetXMLDescUpdateSize`).
    fn sizes(
        &self,
        call: &Call,
        name: &str,
        domain: &Domain,
        checkpoint: &Checkpoint,
    ) -> Ruled<BTreeMap<String, Size>> {
        let Some(active) = &domain.active else {
            return not_running();
        };
        let mut sizes = BTreeMap::new();
        for disk in checkpoint.disks.iter().filter(|disk| disk.bitmap.is_some()) {
            let Some(index) = domain.disk_index(&disk.name) else {
                continue;
            };
            if !chain_is_valid(&active.bitmaps[index], name) {
                continue;
            }
            let Some(dirty) = self.world.to_copy(&call.domain, index, Some(name)) else {
                return not_modelled("the bitmaps of a removed image");
            };
            sizes.insert(disk.name.clone(), dirty.bytes());
        }
        Ok(sizes)
    }

    /// `src/qemu/qemu_driver.c:qemuDomainCheckpointLookupByName`.
    pub(in crate::driver::mock) fn checkpoint_lookup(&mut self, call: &Call) -> Ruled {
        let Some(name) = call.checkpoint.clone() else {
            let message = "name in virDomainCheckpointLookupByName must not be NULL".to_owned();
            return refuse_flags(ErrorDomain::DOMAIN_CHECKPOINT, message);
        };
        check_flags(call.flags, 0, "qemuDomainCheckpointLookupByName")?;
        if self.domain(call)?.checkpoints.get(&name).is_none() {
            return no_checkpoint(&name);
        }
        if !call.read_only {
            self.checkpoint_handles.insert(name.clone());
        }
        Ok(Value::Name(name))
    }

    /// The name behind the client's handle; without one the client looks the name up first.
    pub(super) fn checkpoint_handle(&mut self, call: &Call) -> Ruled<String> {
        let Some(name) = call.checkpoint.clone() else {
            return not_modelled("a call about a checkpoint without its name");
        };
        // A connection of its own has no handles yet.
        if call.read_only || !self.checkpoint_handles.contains(&name) {
            self.checkpoint_lookup(&Call {
                flags: 0,
                ..call.clone()
            })?;
        }
        Ok(name)
    }

    /// `src/qemu/qemu_driver.c:qemuDomainCheckpointGetParent`: the name that is stored, whether or not
    /// it is that of a checkpoint.
    pub(in crate::driver::mock) fn checkpoint_get_parent(&mut self, call: &Call) -> Ruled {
        let name = self.checkpoint_handle(call)?;
        check_flags(call.flags, 0, "qemuDomainCheckpointGetParent")?;
        let Some(checkpoint) = self.domain(call)?.checkpoints.get(&name) else {
            return no_checkpoint(&name);
        };
        let Some(parent) = &checkpoint.parent else {
            let text = format!("checkpoint '{name}' does not have a parent");
            return refuse(ErrorCode::NO_DOMAIN_CHECKPOINT, ErrorDomain::QEMU, &text);
        };
        Ok(Value::Name(parent.clone()))
    }

    /// `src/qemu/qemu_driver.c:qemuDomainListAllCheckpoints`.
    pub(in crate::driver::mock) fn list_all_checkpoints(&self, call: &Call) -> Ruled {
        check_flags(call.flags, LISTING, "qemuDomainListAllCheckpoints")?;
        listed(&self.domain(call)?.checkpoints, None, call.flags)
    }

    /// `src/qemu/qemu_driver.c:qemuDomainCheckpointListAllChildren`.
    pub(in crate::driver::mock) fn list_all_children(&mut self, call: &Call) -> Ruled {
        let name = self.checkpoint_handle(call)?;
        check_flags(call.flags, LISTING, "qemuDomainCheckpointListAllChildren")?;
        let tree = &self.domain(call)?.checkpoints;
        if tree.get(&name).is_none() {
            return no_checkpoint(&name);
        }
        listed(tree, Some(&name), call.flags)
    }
}

/// Without `TOPOLOGICAL` the order is not promised, and nobody sees it. With it parents come before
/// children; among others the order is not promised either.
fn listed(tree: &CheckpointTree, of: Option<&str>, bits: u32) -> Ruled {
    let names = tree.listed(of, bits).into_iter();
    let mut names: Vec<String> = names.cloned().collect();
    if bits & flags::CHECKPOINT_LIST_TOPOLOGICAL != 0 {
        names.sort_by_key(|name| tree.depth(name));
        if !names.is_sorted_by(|a, b| tree.depth(a) < tree.depth(b)) {
            return not_modelled("the order of checkpoints in a tree with branches");
        }
    }
    Ok(Value::Names(names))
}

pub(super) fn no_checkpoint<T>(name: &str) -> Ruled<T> {
    let text = format!("no domain checkpoint with matching name '{name}'");
    refuse(ErrorCode::NO_DOMAIN_CHECKPOINT, ErrorDomain::QEMU, &text)
}

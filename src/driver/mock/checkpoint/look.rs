//! The calls that look at checkpoints and change nothing.

use std::collections::BTreeMap;

use crate::driver::mock::Mock;
use crate::driver::mock::answer::{
    Ruled, check_flags, not_modelled, not_running, refuse, refuse_flags,
};
use crate::driver::mock::dump;
use crate::model::{Call, ErrorCode, ErrorDomain, Size, Value, flags};
use crate::world::{Checkpoint, Domain, chain_is_valid};

impl Mock {
    /// `src/qemu/qemu_checkpoint.c:qemuCheckpointGetXMLDesc`.
    pub(in crate::driver::mock) fn checkpoint_get_xml_desc(&mut self, call: &Call) -> Ruled {
        let name = self.checkpoint_handle(call)?;
        let domain = self.domain(call)?;
        let function = if self.rules.flags_at_entry {
            "qemuDomainCheckpointGetXMLDesc"
        } else {
            "qemuCheckpointGetXMLDesc"
        };
        check_flags(call.flags, 7, function)?;
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
        self.checkpoint_handles.insert(name.clone());
        Ok(Value::Name(name))
    }

    /// The name behind the client's handle; without one the client looks the name up first.
    pub(super) fn checkpoint_handle(&mut self, call: &Call) -> Ruled<String> {
        let Some(name) = call.checkpoint.clone() else {
            return not_modelled("a call about a checkpoint without its name");
        };
        if !self.checkpoint_handles.contains(&name) {
            self.checkpoint_lookup(&Call {
                flags: 0,
                ..call.clone()
            })?;
        }
        Ok(name)
    }

    /// `src/qemu/qemu_driver.c:qemuDomainListAllCheckpoints`; filters are not modelled.
    pub(in crate::driver::mock) fn list_all_checkpoints(&self, call: &Call) -> Ruled {
        check_flags(call.flags, 15, "qemuDomainListAllCheckpoints")?;
        if call.flags & !flags::CHECKPOINT_LIST_TOPOLOGICAL != 0 {
            return not_modelled("listing checkpoints with a filter");
        }
        let tree = &self.domain(call)?.checkpoints;
        let mut names: Vec<String> = tree.names().cloned().collect();
        if call.flags & flags::CHECKPOINT_LIST_TOPOLOGICAL != 0 {
            // Parents before children; among siblings the order is not promised.
            names.sort_by_key(|name| tree.depth(name));
            if names.is_sorted_by(|a, b| tree.depth(a) < tree.depth(b)) {
                return Ok(Value::Names(names));
            }
            return not_modelled("the order of checkpoints in a tree with branches");
        }
        Ok(Value::Names(names))
    }
}

pub(super) fn no_checkpoint<T>(name: &str) -> Ruled<T> {
    let text = format!("no domain checkpoint with matching name '{name}'");
    refuse(ErrorCode::NO_DOMAIN_CHECKPOINT, ErrorDomain::QEMU, &text)
}

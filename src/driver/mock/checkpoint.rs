//! The calls about checkpoints, each in libvirt's order of checks.

use super::Mock;
use super::answer::{Ruled, check_flags, not_modelled, refuse, refuse_flags};
use super::dump;
use super::intake::{self, CheckpointDocument};
use crate::model::{Call, DiskFormat, ErrorCode, ErrorDomain, Value, flags};
use crate::world::{Active, Checkpoint, CheckpointDisk, Domain, chain_is_valid};

impl Mock {
    /// `src/libvirt-domain-checkpoint.c:virDomainCheckpointCreateXML`, then
    /// `src/qemu/qemu_checkpoint.c:qemuCheckpointCreateXML`.
    pub(super) fn checkpoint_create(&mut self, call: &Call) -> Ruled {
        const REDEFINE: u32 = flags::CHECKPOINT_CREATE_REDEFINE;
        const VALIDATE: u32 = flags::CHECKPOINT_CREATE_REDEFINE_VALIDATE;
        const QUIESCE: u32 = flags::CHECKPOINT_CREATE_QUIESCE;
        const NAME: &str = "VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE";

        if call.xml.is_none() {
            intake::checkpoint(None, call.api.as_str())?;
        }
        if call.flags & (REDEFINE | QUIESCE) == REDEFINE | QUIESCE {
            let message = format!(
                "Flags '{NAME}' and 'VIR_DOMAIN_CHECKPOINT_CREATE_QUIESCE' are mutually exclusive"
            );
            return refuse_flags(ErrorDomain::DOMAIN_CHECKPOINT, message);
        }
        if call.flags & (REDEFINE | VALIDATE) == VALIDATE {
            let message = format!("Flag '{NAME}' is required by flag '{NAME}_VALIDATE'");
            return refuse_flags(ErrorDomain::DOMAIN_CHECKPOINT, message);
        }
        let domain = self.domain(call)?;
        check_flags(call.flags, REDEFINE | VALIDATE, "qemuCheckpointCreateXML")?;
        let redefine = call.flags & REDEFINE != 0;
        if !redefine && domain.active.is_none() {
            let text = "cannot create checkpoint for inactive domain";
            return refuse(ErrorCode::OPERATION_UNSUPPORTED, ErrorDomain::QEMU, text);
        }
        let document = intake::checkpoint(call.xml.as_deref(), call.api.as_str())?;
        let name = if redefine {
            self.redefine(call, document, call.flags & VALIDATE != 0)?
        } else {
            let prepared = prepare(domain, document)?;
            self.create(call, prepared)?
        };
        self.checkpoint_handles.insert(name.clone());
        Ok(Value::Name(name))
    }

    fn create(&mut self, call: &Call, prepared: Prepared) -> Ruled<String> {
        let active = active_of(self.domain(call)?)?;
        require_free(active, &prepared.bitmap_disks, &prepared.name)?;
        self.add_checkpoint(call, prepared)
    }

    /// Bitmaps, metadata, "current": the successful end of a create or a backup.
    pub(super) fn add_checkpoint(&mut self, call: &Call, prepared: Prepared) -> Ruled<String> {
        self.world
            .add_bitmaps(&call.domain, &prepared.name, &prepared.bitmap_disks)?;
        self.world.clock += 1;
        let checkpoint = Checkpoint {
            creation_time: self.world.clock,
            ..prepared.checkpoint
        };
        self.domain_mut(call)?
            .checkpoints
            .create(&prepared.name, checkpoint);
        Ok(prepared.name)
    }

    /// `qemuCheckpointRedefine`: the definition is prepared, then validated, then installed.
    fn redefine(
        &mut self,
        call: &Call,
        document: CheckpointDocument,
        validate: bool,
    ) -> Ruled<String> {
        let Some(name) = document.name else {
            let text = "a redefined checkpoint must have a name";
            return refuse(ErrorCode::XML_ERROR, ErrorDomain::DOMAIN_CHECKPOINT, text);
        };
        let Some(creation_time) = document.creation_time else {
            let text = "missing creationTime from existing checkpoint";
            return refuse(
                ErrorCode::INTERNAL_ERROR,
                ErrorDomain::DOMAIN_CHECKPOINT,
                text,
            );
        };
        if document.has_domain {
            return not_modelled("redefining a checkpoint with a nested <domain>");
        }
        let domain = self.domain(call)?;
        if let Some(parent) = &document.parent {
            if *parent == name {
                let text = format!("cannot set moment {name} as its own parent");
                return refuse(ErrorCode::INVALID_ARG, ErrorDomain::DOMAIN, &text);
            }
            if domain.checkpoints.get(parent).is_none() {
                let text = format!("parent {parent} for moment {name} not found");
                return refuse(ErrorCode::INVALID_ARG, ErrorDomain::DOMAIN, &text);
            }
            if domain.checkpoints.get(&name).is_some() {
                return not_modelled("moving a checkpoint below another parent");
            }
        }
        let stored = |element: intake::CheckpointDiskElement| CheckpointDisk {
            bitmap: element
                .has_bitmap
                .then(|| element.bitmap.unwrap_or_else(|| name.clone())),
            name: element.name,
        };
        let disks: Vec<CheckpointDisk> = document
            .disks
            .unwrap_or_default()
            .into_iter()
            .map(stored)
            .collect();
        if validate {
            validate_bitmaps(domain, &name, &disks)?;
        }
        let checkpoint = Checkpoint {
            description: document.description,
            parent: document.parent,
            creation_time,
            disks,
            has_domain: false,
        };
        self.domain_mut(call)?
            .checkpoints
            .redefine(&name, checkpoint);
        Ok(name)
    }

    /// `qemuCheckpointDelete`.
    pub(super) fn checkpoint_delete(&mut self, call: &Call) -> Ruled {
        const METADATA_ONLY: u32 = flags::CHECKPOINT_DELETE_METADATA_ONLY;
        let name = self.checkpoint_handle(call)?;
        let domain = self.domain(call)?;
        check_flags(call.flags, 7, "qemuCheckpointDelete")?;
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
        if !metadata_only {
            self.remove_bitmaps(call, &checkpoint)?;
        }
        self.domain_mut(call)?.checkpoints.delete(&name);
        Ok(Value::Nothing)
    }

    /// The bitmap of the recorded name goes from every layer of every disk that is still there
    /// (`qemuCheckpointDiscardBitmaps`).
    fn remove_bitmaps(&mut self, call: &Call, checkpoint: &Checkpoint) -> Ruled<()> {
        let domain = self.domain_mut(call)?;
        let present =
            |disk: &CheckpointDisk| domain.disk_index(&disk.name).zip(disk.bitmap.clone());
        let wanted: Vec<(usize, String)> = checkpoint.disks.iter().filter_map(present).collect();
        let targets: Vec<String> = domain
            .disks
            .iter()
            .map(|disk| disk.target.clone())
            .collect();
        let Some(active) = &mut domain.active else {
            return not_modelled("removing bitmaps from an inactive domain");
        };
        for (index, bitmap) in &wanted {
            if !active.bitmaps[*index]
                .iter()
                .any(|layer| layer.contains_key(bitmap))
            {
                if domain.checkpoints.names().count() > 1 {
                    return not_modelled("a failed delete, which has moved the children already");
                }
                let text = format!(
                    "bitmap '{bitmap}' not found in backing chain of '{}'",
                    targets[*index]
                );
                return refuse(ErrorCode::INTERNAL_ERROR, ErrorDomain::QEMU, &text);
            }
        }
        for (index, bitmap) in &wanted {
            for layer in &mut active.bitmaps[*index] {
                layer.remove(bitmap);
            }
        }
        Ok(())
    }

    /// `qemuCheckpointGetXMLDesc`.
    pub(super) fn checkpoint_get_xml_desc(&mut self, call: &Call) -> Ruled {
        let name = self.checkpoint_handle(call)?;
        let domain = self.domain(call)?;
        check_flags(call.flags, 7, "qemuCheckpointGetXMLDesc")?;
        let Some(checkpoint) = domain.checkpoints.get(&name) else {
            return no_checkpoint(&name);
        };
        if call.flags & flags::CHECKPOINT_XML_SIZE != 0 {
            return not_modelled("a checkpoint dump with sizes");
        }
        if checkpoint.has_domain && call.flags & flags::CHECKPOINT_XML_NO_DOMAIN == 0 {
            return not_modelled("a checkpoint dump with its nested <domain>");
        }
        Ok(Value::Xml(dump::checkpoint(&name, checkpoint)))
    }

    /// `src/qemu/qemu_driver.c:qemuDomainCheckpointLookupByName`.
    pub(super) fn checkpoint_lookup(&mut self, call: &Call) -> Ruled {
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
    fn checkpoint_handle(&mut self, call: &Call) -> Ruled<String> {
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
    pub(super) fn list_all_checkpoints(&self, call: &Call) -> Ruled {
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

/// A checkpoint that passed every check before the monitor.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) name: String,
    pub(super) bitmap_disks: Vec<usize>,
    checkpoint: Checkpoint,
}

/// Aligns a new checkpoint with the domain's disks and checks them
/// (`src/conf/checkpoint_conf.c:virDomainCheckpointAlignDisks`,
/// `qemu_checkpoint.c:qemuCheckpointPrepare`, `virdomainmomentobjlist.c`).
pub(super) fn prepare(domain: &Domain, document: CheckpointDocument) -> Ruled<Prepared> {
    const CONFIG: ErrorCode = ErrorCode::CONFIG_UNSUPPORTED;
    let Some(name) = document.name else {
        return not_modelled("a checkpoint that takes its name from the clock");
    };
    let listed = document.disks.is_some();
    // Per domain disk: `None` while the document has not named it.
    let mut chosen: Vec<Option<intake::CheckpointDiskElement>> =
        domain.disks.iter().map(|_| None).collect();
    let elements = document.disks.unwrap_or_default();
    if elements.len() > domain.disks.len() {
        let text = "too many disk checkpoint requests for domain";
        return refuse(CONFIG, ErrorDomain::DOMAIN_CHECKPOINT, text);
    }
    for element in elements {
        let named =
            |disk: &crate::world::Disk| disk.target == element.name || disk.source == element.name;
        let Some(index) = domain.disks.iter().position(named) else {
            let text = format!("no disk named '{}'", element.name);
            return refuse(CONFIG, ErrorDomain::DOMAIN_CHECKPOINT, &text);
        };
        if chosen[index].is_some() {
            let text = format!("disk '{}' specified twice", element.name);
            return refuse(CONFIG, ErrorDomain::DOMAIN_CHECKPOINT, &text);
        }
        chosen[index] = Some(element);
    }
    let mut disks = Vec::new();
    let mut bitmap_disks = Vec::new();
    for (index, (disk, element)) in domain.disks.iter().zip(chosen).enumerate() {
        let has_bitmap = element
            .as_ref()
            .map_or(!listed, |element| element.has_bitmap);
        let given = element.and_then(|element| element.bitmap);
        if has_bitmap {
            if given.is_some_and(|given| given != name) {
                let target = &disk.target;
                let text =
                    format!("bitmap for disk '{target}' must match checkpoint name '{name}'");
                return refuse(CONFIG, ErrorDomain::QEMU, &text);
            }
            if disk.format != DiskFormat::Qcow2 {
                let text = format!(
                    "checkpoint for disk {} unsupported for storage type {}",
                    disk.target, disk.format
                );
                return refuse(CONFIG, ErrorDomain::QEMU, &text);
            }
            bitmap_disks.push(index);
        }
        disks.push(CheckpointDisk {
            name: disk.target.clone(),
            bitmap: has_bitmap.then(|| name.clone()),
        });
    }
    if domain.checkpoints.get(&name).is_some() {
        let text = format!("domain moment {name} already exists");
        return refuse(ErrorCode::OPERATION_FAILED, ErrorDomain::DOMAIN, &text);
    }
    let checkpoint = Checkpoint {
        description: document.description,
        parent: None,
        creation_time: 0,
        disks,
        has_domain: true,
    };
    Ok(Prepared {
        name,
        bitmap_disks,
        checkpoint,
    })
}

/// `qemu_checkpoint.c:qemuCheckpointRedefineValidateBitmaps`: for each disk of type bitmap that
/// the live domain has, the chain of the checkpoint's *name* must be valid.
fn validate_bitmaps(domain: &Domain, name: &str, disks: &[CheckpointDisk]) -> Ruled<()> {
    let Some(active) = &domain.active else {
        let text = "domain is not running";
        return refuse(ErrorCode::OPERATION_INVALID, ErrorDomain::DOMAIN, text);
    };
    for disk in disks.iter().filter(|disk| disk.bitmap.is_some()) {
        let Some(index) = domain.disk_index(&disk.name) else {
            continue;
        };
        if !chain_is_valid(&active.bitmaps[index], name) {
            return inconsistent(name, &disk.name);
        }
    }
    Ok(())
}

/// `VIR_ERR_CHECKPOINT_INCONSISTENT`, one text for missing, broken and disabled.
pub(super) fn inconsistent<T>(checkpoint: &str, disk: &str) -> Ruled<T> {
    let text = format!("missing or broken bitmap '{checkpoint}' for disk '{disk}'");
    refuse(ErrorCode::CHECKPOINT_INCONSISTENT, ErrorDomain::QEMU, &text)
}

/// QEMU adds no bitmap to a node that has one of that name.
pub(super) fn require_free(active: &Active, disks: &[usize], name: &str) -> Ruled<()> {
    let has_it = |&index: &usize| {
        let top = active.bitmaps[index].first();
        top.is_some_and(|top| top.contains_key(name))
    };
    if disks.iter().any(has_it) {
        bitmap_exists(name)
    } else {
        Ok(())
    }
}

/// QEMU's answer to `block-dirty-bitmap-add` of a name that is taken.
pub(super) fn bitmap_exists<T>(name: &str) -> Ruled<T> {
    let text =
        format!("unable to execute QEMU command 'transaction': Bitmap already exists: {name}");
    refuse(ErrorCode::INTERNAL_ERROR, ErrorDomain::QEMU, &text)
}

fn no_checkpoint<T>(name: &str) -> Ruled<T> {
    let text = format!("no domain checkpoint with matching name '{name}'");
    refuse(ErrorCode::NO_DOMAIN_CHECKPOINT, ErrorDomain::QEMU, &text)
}

/// The QEMU process of a domain that was checked to be active.
pub(super) fn active_of(domain: &Domain) -> Ruled<&Active> {
    match &domain.active {
        Some(active) => Ok(active),
        None => not_modelled("a call that needs an active domain"),
    }
}

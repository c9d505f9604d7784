//! `virDomainCheckpointCreateXML`: flags, and a checkpoint that is new.

use super::align::align;
use crate::driver::mock::Mock;
use crate::driver::mock::answer::{
    Ruled, not_modelled, refuse, refuse_flags, refuse_monitor, require_writable,
};
use crate::driver::mock::intake::{self, CheckpointDocument};
use crate::model::{Call, Compat, DiskFormat, ErrorCode, ErrorDomain, Value, flags};
use crate::world::{Active, Checkpoint, Disk, Domain};

/// The longest name whose metadata can be stored: `NAME.xml.new` is the name of a file.
const LONGEST_NAME: usize = 247;

/// The longest name of a bitmap (QEMU `include/block/dirty-bitmap.h:BDRV_BITMAP_MAX_NAME_SIZE`).
const LONGEST_BITMAP_NAME: usize = 1023;

impl Mock {
    /// `src/libvirt-domain-checkpoint.c:virDomainCheckpointCreateXML`, then
    /// `src/qemu/qemu_checkpoint.c:qemuCheckpointCreateXML`.
    pub(in crate::driver::mock) fn checkpoint_create(&mut self, call: &Call) -> Ruled {
        const REDEFINE: u32 = flags::CHECKPOINT_CREATE_REDEFINE;
        const VALIDATE: u32 = flags::CHECKPOINT_CREATE_REDEFINE_VALIDATE;
        const QUIESCE: u32 = flags::CHECKPOINT_CREATE_QUIESCE;
        const NAME: &str = "VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE";

        if call.xml.is_none() {
            intake::checkpoint(None, call.api.as_str(), self.rules)?;
        }
        require_writable(call, ErrorDomain::DOMAIN_CHECKPOINT)?;
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
        let known = if self.rules.validates {
            REDEFINE | VALIDATE
        } else {
            REDEFINE
        };
        let functions = ["qemuDomainCheckpointCreateXML", "qemuCheckpointCreateXML"];
        let domain = self.domain_and_flags(call, known, functions)?;
        let redefine = call.flags & REDEFINE != 0;
        if !redefine && domain.active.is_none() {
            let text = "cannot create checkpoint for inactive domain";
            return refuse(ErrorCode::OPERATION_UNSUPPORTED, ErrorDomain::QEMU, text);
        }
        let are_inactive = |active: &Active| active.inactive_images;
        if !redefine && domain.active.as_ref().is_some_and(are_inactive) {
            return not_modelled("a checkpoint of images that are not active yet");
        }
        let document = intake::checkpoint(call.xml.as_deref(), call.api.as_str(), self.rules)?;
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
        self.require_storable(call, &prepared)?;
        self.add_checkpoint(call, prepared)
    }

    /// What QEMU says to the bitmaps of a checkpoint, disk by disk
    /// (`block/monitor/bitmap-qmp-cmds.c:qmp_block_dirty_bitmap_add`).
    pub(in crate::driver::mock) fn require_storable(
        &self,
        call: &Call,
        prepared: &Prepared,
    ) -> Ruled<()> {
        let domain = self.domain(call)?;
        let active = active_of(domain)?;
        for &index in &prepared.bitmap_disks {
            let image = self.world.image(&domain.disks[index].source);
            let is_old = image.is_some_and(|image| image.compat == Compat::V2);
            // In this order: QEMU `block/qcow2-bitmap.c:qcow2_co_can_store_new_dirty_bitmap`.
            let obstacle = if is_old {
                Some("Cannot store dirty bitmaps in qcow2 v2 files".to_owned())
            } else if prepared.name.len() > LONGEST_BITMAP_NAME {
                Some(format!(
                    "Name length exceeds maximum ({LONGEST_BITMAP_NAME} characters)"
                ))
            } else {
                None
            };
            if let Some(obstacle) = obstacle {
                let (name, node) = (&prepared.name, active.nodes[index]);
                let reason = format!(
                    "Can't make bitmap '{name}' persistent in 'libvirt-{node}-format': {obstacle}"
                );
                return refuse_monitor("transaction", &reason);
            }
            require_free(active, &[index], &prepared.name)?;
        }
        Ok(())
    }

    /// Whether the metadata of a checkpoint can be stored
    /// (`qemu_checkpoint.c:qemuCheckpointWriteMetadata`).
    pub(super) fn require_metadata(&self, call: &Call, name: &str) -> Ruled<()> {
        let domain = self.domain(call)?;
        if domain.metadata_is_blocked || name.len() > LONGEST_NAME {
            let text = format!("unable to save metadata for checkpoint {name}");
            return refuse(ErrorCode::INTERNAL_ERROR, ErrorDomain::QEMU, &text);
        }
        Ok(())
    }

    /// Bitmaps, metadata, "current": the end of a create or a backup. Where the metadata cannot be
    /// stored, the bitmaps stay and nothing is current any more
    /// (`qemu_checkpoint.c:qemuCheckpointCreateFinalize`).
    pub(in crate::driver::mock) fn add_checkpoint(
        &mut self,
        call: &Call,
        prepared: Prepared,
    ) -> Ruled<String> {
        self.world
            .add_bitmaps(&call.domain, &prepared.name, &prepared.bitmap_disks)?;
        if let Err(refused) = self.require_metadata(call, &prepared.name) {
            self.domain_mut(call)?.checkpoints.lose_current();
            return Err(refused);
        }
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
}

/// A checkpoint that passed every check before the monitor.
#[derive(Debug)]
pub(in crate::driver::mock) struct Prepared {
    pub(in crate::driver::mock) name: String,
    pub(in crate::driver::mock) bitmap_disks: Vec<usize>,
    checkpoint: Checkpoint,
}

/// Aligns a new checkpoint with the domain's disks and checks them
/// (`src/conf/checkpoint_conf.c:virDomainCheckpointAlignDisks`,
/// `qemu_checkpoint.c:qemuCheckpointPrepare`, `virdomainmomentobjlist.c`).
pub(in crate::driver::mock) fn prepare(
    domain: &Domain,
    document: CheckpointDocument,
) -> Ruled<Prepared> {
    const CONFIG: ErrorCode = ErrorCode::CONFIG_UNSUPPORTED;
    let Some(name) = document.name else {
        return not_modelled("a checkpoint that takes its name from the clock");
    };
    let disks = align(&domain.disks, document.disks, &name)?;
    let mut bitmap_disks = Vec::new();
    for (index, (disk, aligned)) in domain.disks.iter().zip(&disks).enumerate() {
        let Some(bitmap) = &aligned.bitmap else {
            continue;
        };
        let target = &disk.target;
        if *bitmap != name {
            let text = format!("bitmap for disk '{target}' must match checkpoint name '{name}'");
            return refuse(CONFIG, ErrorDomain::QEMU, &text);
        }
        if disk.format != DiskFormat::Qcow2 {
            let format = disk.format;
            let text =
                format!("checkpoint for disk {target} unsupported for storage type {format}");
            return refuse(CONFIG, ErrorDomain::QEMU, &text);
        }
        require_block_jobs(disk)?;
        bitmap_disks.push(index);
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
        definition: Some(domain.definition.trim().to_owned()),
    };
    Ok(Prepared {
        name,
        bitmap_disks,
        checkpoint,
    })
}

/// `src/qemu/qemu_domain.c:qemuDomainDiskBlockJobIsSupported`.
pub(in crate::driver::mock) fn require_block_jobs(disk: &Disk) -> Ruled<()> {
    if !disk.transient {
        return Ok(());
    }
    let text = format!(
        "block jobs are not supported on transient disk '{}'",
        disk.target
    );
    refuse(ErrorCode::OPERATION_UNSUPPORTED, ErrorDomain::QEMU, &text)
}

/// QEMU adds no bitmap to a node that has one of that name.
pub(in crate::driver::mock) fn require_free(
    active: &Active,
    disks: &[usize],
    name: &str,
) -> Ruled<()> {
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
pub(in crate::driver::mock) fn bitmap_exists<T>(name: &str) -> Ruled<T> {
    refuse_monitor("transaction", &format!("Bitmap already exists: {name}"))
}

/// The QEMU process of a domain that was checked to be active.
pub(in crate::driver::mock) fn active_of(domain: &Domain) -> Ruled<&Active> {
    match &domain.active {
        Some(active) => Ok(active),
        None => not_modelled("a call that needs an active domain"),
    }
}

//! `virDomainCheckpointCreateXML` with `REDEFINE`: metadata for bitmaps that are there, or ought
//! to be.

use super::align::align;
use super::create::active_of;
use crate::driver::mock::Mock;
use crate::driver::mock::answer::{Ruled, not_running, refuse};
use crate::driver::mock::intake::{self, CheckpointDiskElement, CheckpointDocument};
use crate::model::{Call, ErrorCode, ErrorDomain};
use crate::world::{Checkpoint, CheckpointDisk, Domain, chain_is_valid};

impl Mock {
    /// `qemu_checkpoint.c:qemuCheckpointRedefine`: the definition is prepared
    /// (`virdomainmomentobjlist.c:virDomainMomentCheckCycles`), then validated, then installed. An
    /// older definition of the name goes, its nested domain too; its children stay.
    pub(in crate::driver::mock) fn redefine(
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
        let nested = document.domain.as_ref();
        let nested_disks = nested.map(|nested| intake::nested_disks(&nested.text));
        let nested_disks = nested_disks.transpose()?;
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
            let mut line = std::iter::once(parent).chain(domain.checkpoints.ancestors(parent));
            let below = |ancestor: &&String| {
                let found = domain.checkpoints.get(ancestor);
                found.and_then(|found| found.parent.as_ref()) == Some(&name)
            };
            if let Some(ancestor) = line.find(below) {
                let text = format!("parent {ancestor} would create cycle to {name}");
                return refuse(ErrorCode::INVALID_ARG, ErrorDomain::DOMAIN, &text);
            }
        }
        let disks = match document.domain.as_ref().zip(nested_disks) {
            None => as_given(document.disks.unwrap_or_default(), &name),
            Some((nested, nested_disks)) => {
                if nested.uuid.as_ref() != Some(&domain.uuid) {
                    let uuid = &domain.uuid;
                    let text = format!("definition for checkpoint {name} must use uuid {uuid}");
                    return refuse(
                        ErrorCode::INVALID_ARG,
                        ErrorDomain::DOMAIN_CHECKPOINT,
                        &text,
                    );
                }
                align(&nested_disks, document.disks, &name)?
            }
        };
        if validate {
            validate_bitmaps(domain, &name, &disks)?;
        }
        self.require_metadata(call, &name)?;
        let checkpoint = Checkpoint {
            description: document.description,
            parent: document.parent,
            creation_time,
            disks,
            definition: document.domain.map(|nested| nested.text),
        };
        self.domain_mut(call)?
            .checkpoints
            .redefine(&name, checkpoint);
        Ok(name)
    }
}

/// The checkpoint of a document that libvirt has written itself: its disks are listed as they are.
pub(in crate::driver::mock) fn stored(document: CheckpointDocument) -> Checkpoint {
    let name = document.name.unwrap_or_default();
    Checkpoint {
        description: document.description,
        parent: document.parent,
        creation_time: document.creation_time.unwrap_or_default(),
        disks: as_given(document.disks.unwrap_or_default(), &name),
        definition: document.domain.map(|nested| nested.text),
    }
}

/// Without a `<domain>` the disks are stored as the document lists them
/// (`src/conf/checkpoint_conf.c:virDomainCheckpointRedefinePrep`).
fn as_given(listed: Vec<CheckpointDiskElement>, name: &str) -> Vec<CheckpointDisk> {
    let stored = |element: CheckpointDiskElement| CheckpointDisk {
        bitmap: element
            .has_bitmap
            .then(|| element.bitmap.unwrap_or_else(|| name.to_owned())),
        name: element.name,
    };
    listed.into_iter().map(stored).collect()
}

/// `qemu_checkpoint.c:qemuCheckpointRedefineValidateBitmaps`: for each disk of type bitmap that
/// the live domain has, the chain of the checkpoint's *name* must be valid.
fn validate_bitmaps(domain: &Domain, name: &str, disks: &[CheckpointDisk]) -> Ruled<()> {
    if domain.active.is_none() {
        return not_running();
    }
    let active = active_of(domain)?;
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
fn inconsistent<T>(checkpoint: &str, disk: &str) -> Ruled<T> {
    let text = format!("missing or broken bitmap '{checkpoint}' for disk '{disk}'");
    refuse(ErrorCode::CHECKPOINT_INCONSISTENT, ErrorDomain::QEMU, &text)
}

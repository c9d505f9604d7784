//! The calls about domains.

use std::collections::BTreeMap;

use super::Mock;
use super::answer::{Ruled, check_flags, not_modelled, not_running, refuse, require_writable};
use super::intake;
use crate::model::{Api, Call, DomainState, ErrorCode, ErrorDomain, Value, flags};
use crate::world::{CheckpointTree, Disk, Domain};

impl Mock {
    pub(super) fn domain_define(&mut self, call: &Call) -> Ruled {
        let document = intake::domain(call.xml.as_deref())?;
        if call.flags != 0 {
            return not_modelled("virDomainDefineXMLFlags with flags");
        }
        if let Some(found) = self.world.domains.get_mut(&document.name) {
            // The same definition once more changes nothing.
            if found.uuid != document.uuid {
                return not_modelled("defining a domain under another UUID");
            }
            if found.disks != document.disks && found.active.is_some() {
                return not_modelled("defining an active domain for its next start");
            }
            if found.disks != document.disks {
                found.disks = document.disks;
                found.definition = call.xml.clone().unwrap_or_default();
            }
            found.persistent = true;
            return Ok(Value::Name(document.name));
        }
        self.domain_handles
            .insert(document.name.clone(), document.uuid.clone());
        let domain = Domain {
            uuid: document.uuid,
            disks: document.disks,
            definition: call.xml.clone().unwrap_or_default(),
            checkpoints: CheckpointTree::default(),
            snapshots: BTreeMap::new(),
            current_snapshot: None,
            persistent: true,
            stored_checkpoints: BTreeMap::new(),
            metadata_is_blocked: false,
            saved: None,
            active: None,
            ended_job: None,
        };
        self.world.domains.insert(document.name.clone(), domain);
        Ok(Value::Name(document.name))
    }

    /// `src/qemu/qemu_driver.c:qemuDomainUndefineFlags`. The metadata goes along, asked for or not. A
    /// domain that is active loses its definition only.
    pub(super) fn domain_undefine(&mut self, call: &Call) -> Ruled {
        const SNAPSHOTS: u32 = flags::UNDEFINE_SNAPSHOTS_METADATA;
        const CHECKPOINTS: u32 = flags::UNDEFINE_CHECKPOINTS_METADATA;
        const NVRAM: u32 = flags::UNDEFINE_NVRAM | flags::UNDEFINE_KEEP_NVRAM;
        const TPM: u32 = flags::UNDEFINE_TPM | flags::UNDEFINE_KEEP_TPM;
        require_writable(call, ErrorDomain::DOMAIN)?;
        check_flags(call.flags, 0x7f, "qemuDomainUndefineFlags")?;
        for (pair, what) in [(NVRAM, "nvram"), (TPM, "TPM")] {
            if call.flags & pair == pair {
                return invalid(&format!("cannot both keep and delete {what}"));
            }
        }
        let domain = self.domain_mut(call)?;
        if !domain.persistent {
            return invalid("cannot undefine transient domain");
        }
        if domain.active.is_some() {
            domain.persistent = false;
            return Ok(Value::Nothing);
        }
        let snapshots = domain.snapshots.len();
        if snapshots > 0 && call.flags & SNAPSHOTS == 0 {
            let text = format!("cannot delete inactive domain with {snapshots} snapshots");
            return invalid(&text);
        }
        let counted = domain.checkpoints.counted_by_undefine(call.flags);
        if counted > 0 && call.flags & CHECKPOINTS == 0 {
            let text = format!("cannot delete inactive domain with {counted} checkpoints");
            return invalid(&text);
        }
        if domain.saved.is_some() && call.flags & flags::UNDEFINE_MANAGED_SAVE == 0 {
            return invalid("Refusing to undefine while domain managed save image exists");
        }
        self.world.domains.remove(&call.domain);
        Ok(Value::Nothing)
    }

    /// `src/qemu/qemu_driver.c:qemuDomainDetachDeviceFlags`, of a disk of a domain that is off.
    pub(super) fn domain_detach_device(&mut self, call: &Call) -> Ruled {
        let disk = intake::disk(call.xml.as_deref())?;
        if call.flags & flags::DOMAIN_AFFECT_LIVE != 0 {
            return self.detach_live(call, &disk.target);
        }
        let domain = self.configurable(call)?;
        let Some(index) = domain.disk_index(&disk.target) else {
            return not_modelled("detaching a disk that the domain does not have");
        };
        domain.disks.remove(index);
        Ok(Value::Nothing)
    }

    /// `src/qemu/qemu_driver.c:qemuDomainAttachDeviceFlags`, of a disk of a domain that is off. Disks are
    /// in the order of their target devices (`src/conf/domain_conf.c:virDomainDiskInsert`).
    pub(super) fn domain_attach_device(&mut self, call: &Call) -> Ruled {
        let disk = intake::disk(call.xml.as_deref())?;
        if call.flags & flags::DOMAIN_AFFECT_LIVE != 0 {
            return self.attach_live(call, disk);
        }
        let domain = self.configurable(call)?;
        if domain.disk_index(&disk.target).is_some() {
            return not_modelled("attaching a disk under a target device that is taken");
        }
        let behind = |other: &Disk| other.target > disk.target;
        let place = domain.disks.iter().position(behind);
        domain
            .disks
            .insert(place.unwrap_or(domain.disks.len()), disk);
        Ok(Value::Nothing)
    }

    /// The domain whose definition is changed.
    fn configurable(&mut self, call: &Call) -> Ruled<&mut Domain> {
        let domain = self.domain_mut(call)?;
        if call.flags != flags::DOMAIN_AFFECT_CONFIG || domain.active.is_some() {
            return not_modelled("changing the devices of a domain that is not off");
        }
        Ok(domain)
    }

    /// `src/qemu/qemu_driver.c:qemuDomainCreateWithFlags`.
    pub(super) fn domain_create(&mut self, call: &Call) -> Ruled {
        if call.flags & !flags::START_PAUSED != 0 {
            return not_modelled("virDomainCreateWithFlags with flags other than START_PAUSED");
        }
        if self.domain(call)?.active.is_some() {
            return invalid("domain is already running");
        }
        let paused = call.flags & flags::START_PAUSED != 0;
        let inactive = self.rules.restores_inactive_images;
        match self.world.start(&call.domain, paused, inactive)? {
            Ok(()) => Ok(Value::Nothing),
            Err(reason) => refuse_start(&reason, self.rules.behind_reasons),
        }
    }

    /// `src/qemu/qemu_driver.c:qemuDomainDestroyFlags`. QEMU is asked to end by SIGTERM, so it
    /// closes its images cleanly.
    pub(super) fn domain_destroy(&mut self, call: &Call) -> Ruled {
        check_flags(call.flags, 3, "qemuDomainDestroyFlags")?;
        if self.domain(call)?.active.is_none() {
            return not_running();
        }
        self.world.stop(&call.domain)?;
        Ok(Value::Nothing)
    }

    pub(super) fn domain_suspend_resume(&mut self, call: &Call) -> Ruled {
        let Some(active) = &mut self.domain_mut(call)?.active else {
            return not_running();
        };
        let suspend = call.api == Api::DomainSuspend;
        active.note();
        match (suspend, active.paused) {
            (true, true) => return not_modelled("suspending a paused domain"),
            (false, false) => {
                return invalid("domain is already running");
            }
            (true, false) => active.paused = true,
            (false, true) => self.world.resume(&call.domain)?,
        }
        Ok(Value::Nothing)
    }

    /// `src/qemu/qemu_driver.c:qemuDomainManagedSave`.
    pub(super) fn domain_managed_save(&mut self, call: &Call) -> Ruled {
        if call.flags != 0 {
            return not_modelled("virDomainManagedSave with flags");
        }
        if self.domain(call)?.active.is_none() {
            return not_running();
        }
        if !self.domain(call)?.persistent {
            return invalid("cannot do managed save for transient domain");
        }
        self.require_savable(call)?;
        self.world.save(&call.domain)?;
        Ok(Value::Nothing)
    }

    pub(super) fn domain_get_state(&self, call: &Call) -> Ruled {
        check_flags(call.flags, 0, "qemuDomainGetState")?;
        let state = self.domain(call)?.state();
        // The reason is not modelled; nothing compares it.
        Ok(Value::State(
            state,
            i32::from(state == DomainState::Running),
        ))
    }
}

/// QEMU has ended before it answered; libvirt quotes the end of its log
/// (`src/qemu/qemu_process.c:qemuProcessReportLogError`).
fn refuse_start(reason: &str, behind: &[(&str, &str)]) -> Ruled {
    let behind = behind.iter().find(|(known, _)| *known == reason);
    let behind = behind.map_or_else(String::new, |(_, text)| format!(": {text}"));
    let text = format!(
        "process exited while connecting to monitor: 1970-01-01T00:00:00.000000Z \
         qemu-system-x86_64: -blockdev {{}}: {reason}{behind}"
    );
    refuse(ErrorCode::INTERNAL_ERROR, ErrorDomain::QEMU, &text)
}

/// `VIR_ERR_OPERATION_INVALID` in the QEMU driver.
pub(super) fn invalid<T>(text: &str) -> Ruled<T> {
    refuse(ErrorCode::OPERATION_INVALID, ErrorDomain::QEMU, text)
}

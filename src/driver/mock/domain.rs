//! The calls about domains.

use super::Mock;
use super::answer::{Ruled, check_flags, not_modelled, not_running, refuse};
use super::intake;
use crate::model::{Api, Call, DomainState, ErrorCode, ErrorDomain, Value, flags};
use crate::world::{CheckpointTree, Domain};

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
            return Ok(Value::Name(document.name));
        }
        self.domain_handles
            .insert(document.name.clone(), document.uuid.clone());
        let domain = Domain {
            uuid: document.uuid,
            disks: document.disks,
            definition: call.xml.clone().unwrap_or_default(),
            checkpoints: CheckpointTree::default(),
            metadata_is_blocked: false,
            saved: None,
            active: None,
            ended_job: None,
        };
        self.world.domains.insert(document.name.clone(), domain);
        Ok(Value::Name(document.name))
    }

    /// `src/qemu/qemu_driver.c:qemuDomainUndefineFlags`. It counts the checkpoints that its own
    /// flags choose when they are read as those of a list: `MANAGED_SAVE` has the number of
    /// `LIST_ROOTS`. The metadata goes along, asked for or not.
    pub(super) fn domain_undefine(&mut self, call: &Call) -> Ruled {
        const MANAGED_SAVE: u32 = flags::UNDEFINE_MANAGED_SAVE;
        const CHECKPOINTS: u32 = flags::UNDEFINE_CHECKPOINTS_METADATA;
        const MODELLED: u32 = MANAGED_SAVE | flags::UNDEFINE_SNAPSHOTS_METADATA | CHECKPOINTS;
        check_flags(call.flags, 0x7f, "qemuDomainUndefineFlags")?;
        if call.flags & !MODELLED != 0 {
            return not_modelled("virDomainUndefineFlags with flags about NVRAM or TPM");
        }
        let domain = self.domain(call)?;
        if domain.active.is_some() {
            return not_modelled("undefining an active domain, which becomes transient");
        }
        if domain.saved.is_some() && call.flags & MANAGED_SAVE == 0 {
            return not_modelled("undefining a domain with a managed save image");
        }
        let tree = &domain.checkpoints;
        let counted = if call.flags & MANAGED_SAVE == 0 {
            tree.names().count()
        } else {
            tree.roots().count()
        };
        if counted > 0 && call.flags & CHECKPOINTS == 0 {
            let text = format!("cannot delete inactive domain with {counted} checkpoints");
            return refuse(ErrorCode::OPERATION_INVALID, ErrorDomain::QEMU, &text);
        }
        self.world.domains.remove(&call.domain);
        Ok(Value::Nothing)
    }

    /// `src/qemu/qemu_driver.c:qemuDomainCreateWithFlags`.
    pub(super) fn domain_create(&mut self, call: &Call) -> Ruled {
        if call.flags & !flags::START_PAUSED != 0 {
            return not_modelled("virDomainCreateWithFlags with flags other than START_PAUSED");
        }
        if self.domain(call)?.active.is_some() {
            return refuse(
                ErrorCode::OPERATION_INVALID,
                ErrorDomain::QEMU,
                "domain is already running",
            );
        }
        let paused = call.flags & flags::START_PAUSED != 0;
        let inactive = self.rules.restores_inactive_images;
        match self.world.start(&call.domain, paused, inactive)? {
            Ok(()) => Ok(Value::Nothing),
            Err(reason) => refuse_start(&reason),
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
        match (suspend, active.paused) {
            (true, true) => return not_modelled("suspending a paused domain"),
            (false, false) => {
                let text = "domain is already running";
                return refuse(ErrorCode::OPERATION_INVALID, ErrorDomain::QEMU, text);
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
fn refuse_start(reason: &str) -> Ruled {
    let text = format!(
        "process exited while connecting to monitor: 1970-01-01T00:00:00.000000Z \
         qemu-system-x86_64: -blockdev {{}}: {reason}"
    );
    refuse(ErrorCode::INTERNAL_ERROR, ErrorDomain::QEMU, &text)
}

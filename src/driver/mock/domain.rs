//! The calls about domains.

use super::Mock;
use super::answer::{Ruled, check_flags, not_modelled, refuse};
use super::intake;
use crate::model::{Api, Call, DomainState, ErrorCode, ErrorDomain, Value, flags};
use crate::world::{CheckpointTree, Domain};

impl Mock {
    pub(super) fn domain_define(&mut self, call: &Call) -> Ruled {
        let document = intake::domain(call.xml.as_deref())?;
        if call.flags != 0 {
            return not_modelled("virDomainDefineXMLFlags with flags");
        }
        if self.world.domains.contains_key(&document.name) {
            return not_modelled("defining a domain again");
        }
        self.domain_handles
            .insert(document.name.clone(), document.uuid.clone());
        let domain = Domain {
            uuid: document.uuid,
            disks: document.disks,
            checkpoints: CheckpointTree::default(),
            active: None,
        };
        self.world.domains.insert(document.name.clone(), domain);
        Ok(Value::Name(document.name))
    }

    pub(super) fn domain_undefine(&mut self, call: &Call) -> Ruled {
        let domain = self.domain(call)?;
        if call.flags != 0 {
            return not_modelled("virDomainUndefineFlags with flags");
        }
        if domain.active.is_some() || !domain.checkpoints.is_empty() {
            return not_modelled("undefining a domain that is active or has checkpoints");
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
        self.world
            .start(&call.domain, call.flags & flags::START_PAUSED != 0)?;
        Ok(Value::Nothing)
    }

    /// `src/qemu/qemu_driver.c:qemuDomainDestroyFlags`. QEMU is asked to end by SIGTERM, so it
    /// closes its images cleanly.
    pub(super) fn domain_destroy(&mut self, call: &Call) -> Ruled {
        check_flags(call.flags, 3, "qemuDomainDestroyFlags")?;
        if self.domain(call)?.active.is_none() {
            return refuse(
                ErrorCode::OPERATION_INVALID,
                ErrorDomain::DOMAIN,
                "domain is not running",
            );
        }
        self.world.stop(&call.domain)?;
        Ok(Value::Nothing)
    }

    pub(super) fn domain_suspend_resume(&mut self, call: &Call) -> Ruled {
        let Some(active) = &mut self.domain_mut(call)?.active else {
            return refuse(
                ErrorCode::OPERATION_INVALID,
                ErrorDomain::DOMAIN,
                "domain is not running",
            );
        };
        let suspend = call.api == Api::DomainSuspend;
        match (suspend, active.paused) {
            (true, true) => return not_modelled("suspending a paused domain"),
            (false, false) => {
                let text = "domain is already running";
                return refuse(ErrorCode::OPERATION_INVALID, ErrorDomain::QEMU, text);
            }
            (_, _) => active.paused = suspend,
        }
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

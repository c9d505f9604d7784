//! The mock itself: which rule answers which call.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::answer::{
    Ruled, check_flags, into_answer, not_modelled, refuse, require_writable, shortened,
};
use super::version::{MODELLED, REFERENCE, Rules};
use crate::driver::{Driver, DriverError, Host, Libvirt};
use crate::model::{
    Action, Answer, Api, Call, ErrorCode, ErrorDomain, Identity, Observation, PORTS, Place, Raised,
    Version,
};
use crate::world::{Domain, File, Impossible, World};

/// The first of a scenario's TCP ports; nothing listens on the simulated host.
const FIRST_PORT: u16 = 40_001;

/// The simulated host's clock at the start of a scenario; any time will do.
const EPOCH: u64 = 1_600_000_000;

/// A mock of libvirt's QEMU driver.
#[derive(Debug)]
pub struct Mock {
    pub(super) version: Version,
    pub(super) rules: Rules,
    pub(super) world: World,
    /// UUIDs behind the handles that a client of this mock holds, by domain name.
    pub(super) domain_handles: BTreeMap<String, String>,
    /// Checkpoints that a client of this mock holds a handle of.
    pub(super) checkpoint_handles: BTreeSet<String>,
    /// Calls in the background, by label, each with its answer if that is there already.
    pub(super) begun: BTreeMap<String, (Call, Option<Answer>)>,
    /// The scenario's directory; the world has no other.
    directory: String,
    scenarios: u64,
}

impl Mock {
    /// The mock of the version whose answers snapshots hold.
    #[must_use]
    pub fn newest() -> Self {
        Self::with_rules_of(REFERENCE)
    }

    /// The simulated host, for property tests.
    #[must_use]
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// The mock of one version; the third number does not matter.
    pub fn of(version: Version) -> Result<Self, DriverError> {
        let known = MODELLED.iter().find(|known| known.same_series(version));
        known.copied().map(Self::with_rules_of).ok_or_else(|| {
            let known = MODELLED.map(|known| format!("{}.{}", known.major, known.minor));
            let text = format!(
                "the mock has no rules of libvirt {version}; modelled: {}",
                known.join(", ")
            );
            DriverError::Unavailable(text)
        })
    }

    fn with_rules_of(version: Version) -> Self {
        Self {
            version,
            rules: Rules::of(version),
            world: World::default(),
            domain_handles: BTreeMap::new(),
            checkpoint_handles: BTreeSet::new(),
            begun: BTreeMap::new(),
            directory: String::new(),
            scenarios: 0,
        }
    }

    fn rule(&mut self, call: &Call) -> Ruled {
        if call.read_only {
            check_reader(call)?;
        }
        match call.api {
            Api::DomainDefine => self.domain_define(call),
            Api::DomainUndefine => self.domain_undefine(call),
            Api::DomainCreate => self.domain_create(call),
            Api::DomainDestroy => self.domain_destroy(call),
            Api::DomainSuspend | Api::DomainResume => self.domain_suspend_resume(call),
            Api::DomainManagedSave => self.domain_managed_save(call),
            Api::DomainGetState => self.domain_get_state(call),
            Api::DomainBackupBegin => self.backup_begin(call),
            Api::DomainBackupGetXmlDesc => self.backup_get_xml_desc(call),
            Api::DomainAbortJob | Api::DomainAbortJobFlags => self.abort_job(call),
            Api::DomainGetJobStats => self.get_job_stats(call),
            Api::DomainGetJobInfo => self.get_job_info(call),
            Api::DomainBlockCopy => self.block_copy(call),
            Api::DomainBlockJobAbort => self.block_job_abort(call),
            Api::DomainGetBlockJobInfo => self.get_block_job_info(call),
            Api::CheckpointCreate => self.checkpoint_create(call),
            Api::CheckpointDelete => self.checkpoint_delete(call),
            Api::CheckpointGetXmlDesc => self.checkpoint_get_xml_desc(call),
            Api::CheckpointLookupByName => self.checkpoint_lookup(call),
            Api::CheckpointGetParent => self.checkpoint_get_parent(call),
            Api::CheckpointListAllChildren => self.list_all_children(call),
            Api::DomainListAllCheckpoints => self.list_all_checkpoints(call),
            Api::DomainAttachDevice => self.domain_attach_device(call),
            Api::DomainDetachDevice => self.domain_detach_device(call),
            Api::DomainSnapshotDelete => self.domain_snapshot_delete(call),
            Api::DomainRevertToSnapshot => self.domain_revert_to_snapshot(call),
            Api::DomainBlockCommit => self.block_commit(call),
            Api::DomainBlockPull | Api::DomainBlockRebase => self.block_pull(call),
            Api::DomainSnapshotCreate => self.domain_snapshot_create(call),
            Api::DomainShutdown => self.domain_shutdown(call),
            Api::DomainSave => self.domain_save(call),
            Api::DomainCoreDump => self.domain_core_dump(call),
            Api::DomainRename => self.domain_rename(call),
            Api::DomainMigrateSetMaxSpeed => self.migrate_set_max_speed(call),
            Api::DomainMigrateToUri3 => self.migrate(call),
            Api::DomainBlockResize => self.block_resize(call),
            Api::DomainBlockJobSetSpeed => self.block_job_set_speed(call),
            Api::DomainReset | Api::DomainGetXmlDesc | Api::DomainManagedSaveRemove => {
                not_modelled(call.api.as_str())
            }
        }
    }

    /// The same, and libvirt has stored what it has changed of its checkpoints.
    pub(super) fn ruled(&mut self, call: &Call) -> Ruled {
        let call = &self.of_its_name(call);
        let before = self.checkpoints_of(&call.domain);
        let ruled = shortened(self.rule(call), self.rules.longest_text);
        self.store_checkpoints(call, &before, ruled.as_ref().ok());
        ruled
    }

    /// The call, about the name that its domain has now: a handle stands for a UUID.
    fn of_its_name(&self, call: &Call) -> Call {
        let uuid = self.domain_handles.get(&call.domain);
        let mut domains = self.world.domains.iter();
        let renamed = domains.find(|(_, domain)| Some(&domain.uuid) == uuid);
        let domain = renamed.map_or(&call.domain, |(name, _)| name);
        Call {
            domain: domain.clone(),
            ..call.clone()
        }
    }

    /// Issues a call in the background. One that would wait for a job does so until it is joined.
    pub(super) fn begin_call(
        &mut self,
        label: &str,
        call: &Call,
    ) -> Result<Observation, Impossible> {
        let answer = self
            .call(call)
            .map_err(|error| Impossible(error.to_string()))?;
        let waits =
            matches!(&answer, Answer::Refused(error) if error.code == ErrorCode::OPERATION_TIMEOUT);
        let begun = (call.clone(), (!waits).then_some(answer));
        self.begun.insert(label.to_owned(), begun);
        Ok(Observation::Done)
    }

    /// The answer of such a call: what it waited for may have ended by now.
    pub(super) fn join_call(&mut self, label: &str) -> Result<Observation, Impossible> {
        let Some((call, answer)) = self.begun.remove(label) else {
            return Err(Impossible(format!(
                "joining the call {label}, which was not begun"
            )));
        };
        let answer = match answer {
            Some(answer) => answer,
            None => self
                .answer_after_wait(&call)
                .map_err(|error| Impossible(error.to_string()))?,
        };
        Ok(Observation::Answer(answer))
    }

    /// The answer of a call that has waited for the domain's job; libvirt looks first whether there still
    /// is a domain (`src/conf/virdomainjob.c:virDomainObjBeginJobInternal`).
    fn answer_after_wait(&mut self, call: &Call) -> Result<Answer, DriverError> {
        let mut answer = self.call(call)?;
        if let Answer::Refused(error) = &mut answer
            && error.code == ErrorCode::NO_DOMAIN
        {
            error.domain = self.rules.lock_domain;
        }
        Ok(answer)
    }

    /// Whether a path is one of the scenario's own; what else the host holds is not modelled.
    pub(super) fn is_in_directory(&self, path: &str) -> bool {
        let name = path
            .strip_prefix(&self.directory)
            .and_then(|rest| rest.strip_prefix('/'));
        name.is_some_and(|name| !name.is_empty())
    }

    /// The domain behind the client's handle (`src/qemu/qemu_domain.c:qemuDomainObjFromDomain`).
    pub(super) fn domain(&self, call: &Call) -> Ruled<&Domain> {
        let Some(uuid) = self.domain_handles.get(&call.domain) else {
            return not_modelled(format!(
                "a handle of the domain {}, which was never defined",
                call.domain
            ));
        };
        match self.world.domains.get(&call.domain) {
            Some(domain) => Ok(domain),
            None => refuse(
                ErrorCode::NO_DOMAIN,
                ErrorDomain::QEMU,
                &format!("no domain with matching uuid '{uuid}' ({})", call.domain),
            ),
        }
    }

    /// The same, of a call whose flags are looked at by the driver's entry point or, in older versions,
    /// by what it calls once it has the domain: these two functions.
    pub(super) fn domain_and_flags(
        &self,
        call: &Call,
        known: u32,
        [entry, below]: [&str; 2],
    ) -> Ruled<&Domain> {
        if self.rules.flags_at_entry {
            check_flags(call.flags, known, entry)?;
        }
        let domain = self.domain(call)?;
        check_flags(call.flags, known, below)?;
        Ok(domain)
    }

    /// The same, to change it.
    pub(super) fn domain_mut(&mut self, call: &Call) -> Ruled<&mut Domain> {
        self.domain(call)?;
        match self.world.domains.get_mut(&call.domain) {
            Some(domain) => Ok(domain),
            None => not_modelled("a domain that vanishes during a call"),
        }
    }
}

/// Which functions a connection that may only read can be used for; those of checkpoints, and to
/// undefine, have rules of their own.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not named has no rule for such a connection"
)]
fn check_reader(call: &Call) -> Ruled<()> {
    match call.api {
        Api::DomainUndefine
        | Api::CheckpointCreate
        | Api::CheckpointDelete
        | Api::CheckpointGetXmlDesc
        | Api::CheckpointLookupByName
        | Api::CheckpointGetParent
        | Api::CheckpointListAllChildren
        | Api::DomainListAllCheckpoints
        | Api::DomainGetState
        | Api::DomainBackupGetXmlDesc
        | Api::DomainGetJobStats
        | Api::DomainGetBlockJobInfo => Ok(()),
        // A document that is missing is told first (`src/libvirt-domain.c:virDomainBackupBegin`).
        Api::DomainBackupBegin if call.xml.is_none() => Ok(()),
        Api::DomainBackupBegin | Api::DomainAbortJob | Api::DomainAbortJobFlags => {
            require_writable(call, ErrorDomain::DOMAIN)
        }
        _ => not_modelled(format!("{} over a read-only connection", call.api)),
    }
}

impl Libvirt for Mock {
    fn call(&mut self, call: &Call) -> Result<Answer, DriverError> {
        into_answer(self.ruled(call))
    }
}

impl Host for Mock {
    fn act(&mut self, action: &Action) -> Result<Observation, DriverError> {
        self.observe(action)
            .map_err(|impossible| DriverError::NotModelled(impossible.0))
    }
}

impl Driver for Mock {
    fn identity(&mut self) -> Result<Identity, DriverError> {
        Ok(Identity {
            driver: format!("mock@{}.{}", self.version.major, self.version.minor),
            real: false,
            libvirt: self.version,
            qemu: self.rules.qemu.to_owned(),
        })
    }

    fn open_scenario(&mut self) -> Result<Place, DriverError> {
        *self = Self {
            scenarios: self.scenarios + 1,
            ..Self::with_rules_of(self.version)
        };
        self.world.clock = EPOCH;
        self.world.copies_lose_bitmaps = !self.rules.layers_in_full;
        self.world.commits_add_no_bitmaps = !self.rules.layers_in_full;
        self.world.bare_overlays = !self.rules.overlay_of_domain;
        let number = self.scenarios;
        self.directory = format!("/mock/{number}");
        self.world
            .files
            .insert(self.directory.clone(), File::Directory);
        Ok(Place {
            directory: self.directory.clone(),
            domain: format!("backup-tck-mock-{number}"),
            uuid: format!("00000000-0000-4000-8000-{number:012x}"),
            emulator: "/usr/bin/qemu-system-x86_64".to_owned(),
            capabilities: Place::capabilities_of(self.version),
            ports: (FIRST_PORT..).take(PORTS).collect(),
        })
    }

    fn raised(&mut self) -> Result<Option<Vec<Raised>>, DriverError> {
        Ok(None)
    }

    fn close_scenario(&mut self, _place: &Place) -> Result<(), DriverError> {
        self.world = World::default();
        Ok(())
    }

    /// The mock never waits, so a deadline has nothing to end.
    fn set_deadline(&mut self, _deadline: Option<Instant>) {}
}

//! From a [`Call`] to libvirt's answer, with the handles that a client would hold.
//!
//! One [`Session`] is one connection. It holds a domain's handle from the call that defined it,
//! so that a call on a domain that was undefined since gets libvirt's own refusal, and a
//! checkpoint's handle from its creation or last look-up. What each function gives:
//!
//! * define, create and look-ups: the object's name (what its handle stands for);
//! * lists: names; XML functions: XML; state: state;
//! * job statistics: the job's parameters, and its type under `type`;
//! * job information: the job's type alone, under `type`; the statistics have all the rest;
//! * block job information: `type`, `bandwidth`, `cur`, `end`, or nothing where there is no job.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, NulError};
use std::sync::Arc;

use roxmltree::Document;
use virt::connect::Connect;
use virt::domain::Domain;
use virt::domain_snapshot::DomainSnapshot;
use virt_sys as sys;

use super::emulator;
use super::events::Events;
use super::ffi::{self, Checkpoint, told};
use crate::driver::DriverError;
use crate::model::{Answer, Api, Call, DomainState, ErrorCode, LibvirtError, Param, Value, flags};

/// One connection and what was obtained through it.
pub(super) struct Session {
    uri: String,
    connection: Connect,
    /// What the names of the domains begin with that may be touched; `None` where all may.
    scope: Option<String>,
    events: Arc<Events>,
    domains: BTreeMap<String, Domain>,
    checkpoints: BTreeMap<(String, String), Checkpoint>,
    backups: BTreeMap<String, String>,
}

/// Why there is no value.
enum Stop {
    Refused(LibvirtError),
    Failed(DriverError),
}

impl From<LibvirtError> for Stop {
    fn from(error: LibvirtError) -> Self {
        Self::Refused(error)
    }
}

impl From<NulError> for Stop {
    fn from(_: NulError) -> Self {
        let message = "an argument holds a NUL byte, which no C text can";
        Self::Failed(DriverError::Failed(message.to_owned()))
    }
}

impl Session {
    /// Opens a connection. With a scope, which is the beginning of a name, nothing is done to
    /// another domain: who asks for it is failed.
    pub(super) fn open(uri: &str, scope: Option<String>) -> Result<Self, DriverError> {
        let events = Arc::default();
        let connection = ffi::open(uri, &events);
        let connection =
            connection.map_err(|error| failed(&format!("cannot open {uri}"), &error))?;
        Ok(Self::over(connection, uri, scope, events))
    }

    fn over(connection: Connect, uri: &str, scope: Option<String>, events: Arc<Events>) -> Self {
        Self {
            uri: uri.to_owned(),
            connection,
            scope,
            events,
            domains: BTreeMap::new(),
            checkpoints: BTreeMap::new(),
            backups: BTreeMap::new(),
        }
    }

    /// Another one over the same connection, for a thread of its own; without handles.
    pub(super) fn beside(&self) -> Self {
        let connection = self.connection.clone();
        let events = Arc::clone(&self.events);
        Self::over(connection, &self.uri, self.scope.clone(), events)
    }

    /// Takes what such a one has obtained.
    pub(super) fn take_over(&mut self, beside: Self) {
        self.domains.extend(beside.domains);
        self.checkpoints.extend(beside.checkpoints);
        self.backups.extend(beside.backups);
    }

    /// The documents of the backups that were begun last, by domain.
    pub(super) const fn backups(&self) -> &BTreeMap<String, String> {
        &self.backups
    }

    /// Connects anew to a libvirt that was restarted, and waits until it has found its domains
    /// again. No handle outlives the connection that it was obtained by.
    pub(super) fn open_again(
        uri: &str,
        scope: Option<String>,
        backups: BTreeMap<String, String>,
    ) -> Result<Self, DriverError> {
        let session = Self {
            backups,
            ..Self::open(uri, scope)?
        };
        for domain in session.list()? {
            if matches!(domain.is_active(), Ok(true)) {
                // libvirt holds the domain while it connects to its QEMU. One that it could not
                // connect to is off, which the next call shows.
                let _ = emulator::monitor(&domain, r#"{"execute":"query-status"}"#, 0);
            }
        }
        Ok(session)
    }

    /// How it is reached, and what the names of its domains begin with.
    pub(super) fn place(&self) -> (String, Option<String>) {
        (self.uri.clone(), self.scope.clone())
    }

    /// The same over a connection that may only read, without handles and events.
    fn reader(&self) -> Result<Self, DriverError> {
        let uri = &self.uri;
        let connection = told(Connect::open_read_only(Some(uri)));
        let connection =
            connection.map_err(|error| failed(&format!("cannot open {uri} read-only"), &error))?;
        let scope = self.scope.clone();
        Ok(Self::over(connection, uri, scope, Arc::default()))
    }

    /// Issues a call.
    pub(super) fn call(&mut self, call: &Call) -> Result<Answer, DriverError> {
        if call.api == Api::DomainDefine {
            let name = call.xml.as_deref().and_then(defined_name);
            self.check_scope(&name.unwrap_or_default())?;
        } else {
            self.check_scope(&call.domain)?;
            if call.api == Api::DomainRename {
                self.check_scope(call.to.as_deref().unwrap_or_default())?;
            }
        }
        let answer = if call.read_only {
            self.reader()?.answer(call)
        } else {
            self.answer(call)
        };
        match answer {
            Ok(value) => Ok(Answer::Returned(value)),
            Err(Stop::Refused(error)) => Ok(Answer::Refused(error)),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    /// The packed versions of libvirt and QEMU.
    pub(super) fn versions(&self) -> Result<(u32, u32), DriverError> {
        let libvirt = told(self.connection.lib_version());
        let libvirt = libvirt.map_err(|error| failed("cannot tell libvirt's version", &error))?;
        let qemu = told(self.connection.hyp_version());
        let qemu = qemu.map_err(|error| failed("cannot tell QEMU's version", &error))?;
        Ok((libvirt, qemu))
    }

    /// The capabilities of the host, as XML.
    pub(super) fn capabilities(&self) -> Result<String, DriverError> {
        let xml = told(self.connection.capabilities());
        xml.map_err(|error| failed("cannot tell the host's capabilities", &error))
    }

    /// Why the daemon cannot be asked any more; `None` where it can, and without a daemon. It is
    /// asked what none refuses: an error's domain tells nothing, since a daemon passes on those of
    /// its own connections.
    pub(super) fn lost(&self) -> Option<LibvirtError> {
        told(self.connection.lib_version()).err()
    }

    /// The names of all domains whose name begins so, in order.
    pub(super) fn domains(&self, prefix: &str) -> Result<Vec<String>, DriverError> {
        let mut names = Vec::new();
        for domain in self.list()? {
            // One that ended meanwhile has no name any more.
            names.extend(domain.name().ok().filter(|name| name.starts_with(prefix)));
        }
        names.sort();
        Ok(names)
    }

    /// Destroys and undefines all domains whose name begins so. One that stays keeps no other
    /// from being removed; the first such is told.
    pub(super) fn remove_domains(&self, prefix: &str) -> Result<(), DriverError> {
        let named = self.list()?.into_iter().filter_map(|domain| {
            let name = domain.name().ok()?;
            name.starts_with(prefix).then_some((name, domain))
        });
        remove_all(named, |_| {})
    }

    /// The domain's handle; a name without one is looked up.
    pub(super) fn domain(&mut self, name: &str) -> Result<Domain, LibvirtError> {
        if let Some(domain) = self.domains.get(name) {
            return Ok(domain.clone());
        }
        let domain = told(self.connection.lookup_domain_by_name(name))?;
        self.domains.insert(name.to_owned(), domain.clone());
        Ok(domain)
    }

    /// The handle of a domain that must be there.
    pub(super) fn handle(&mut self, name: &str) -> Result<Domain, DriverError> {
        self.check_scope(name)?;
        let domain = self.domain(name);
        domain.map_err(|error| failed(&format!("no domain {name}"), &error))
    }

    /// The events of backup jobs.
    pub(super) fn events(&self) -> Arc<Events> {
        Arc::clone(&self.events)
    }

    /// The document of the backup that was begun last on a domain.
    pub(super) fn last_backup(&self, domain: &str) -> Option<&str> {
        self.backups.get(domain).map(String::as_str)
    }

    /// Destroys and undefines every domain a handle is held of, and one more if it exists, and
    /// drops all handles. One that stays keeps no other from being removed; the first such is
    /// told.
    pub(super) fn clear(&mut self, name: Option<&str>) -> Result<(), DriverError> {
        self.checkpoints.clear();
        self.backups.clear();
        if let Some(name) = name {
            // A refusal means that no such domain is left.
            let _ = self.domain(name);
        }
        let mut held = std::mem::take(&mut self.domains);
        held.retain(|name, _| self.check_scope(name).is_ok());
        remove_all(held, |name| self.events.forget(name))
    }

    /// Whether a domain of this name may be touched.
    fn check_scope(&self, name: &str) -> Result<(), DriverError> {
        match &self.scope {
            Some(scope) if !name.starts_with(scope) => Err(DriverError::Failed(format!(
                "domain `{name}` is not of this run: on a daemon that was there before, only \
                 domains of this run may be defined and used, and their names begin with `{scope}`"
            ))),
            _ => Ok(()),
        }
    }

    fn list(&self) -> Result<Vec<Domain>, DriverError> {
        let domains = told(self.connection.list_all_domains(0));
        domains.map_err(|error| failed("cannot list the domains", &error))
    }

    fn answer(&mut self, call: &Call) -> Result<Value, Stop> {
        let flags = call.flags;
        let xml = c_text(call.xml.as_ref())?;
        let xml = xml.as_deref();
        if call.api == Api::DomainDefine {
            let domain = ffi::define(&self.connection, xml, flags)?;
            let name = told(domain.name())?;
            self.domains.insert(name.clone(), domain);
            return Ok(Value::Name(name));
        }
        c_text(Some(&call.domain))?;
        let domain = self.domain(&call.domain)?;
        let disk = c_text(call.disk.as_ref())?;
        let disk = disk.as_deref();
        let to = c_text(call.to.as_ref())?;
        let to = to.as_deref();
        let size = call.size.unwrap_or_default();
        match call.api {
            Api::DomainUndefine => told(domain.undefine_flags(flags))?,
            Api::DomainCreate => told(domain.create_with_flags(flags))?,
            Api::DomainDestroy => told(domain.destroy_flags(flags))?,
            Api::DomainShutdown => told(domain.shutdown_flags(flags))?,
            Api::DomainReset => ffi::reset(&domain, flags)?,
            Api::DomainSuspend => told(domain.suspend())?,
            Api::DomainResume => told(domain.resume())?,
            Api::DomainManagedSave => told(domain.managed_save(flags))?,
            Api::DomainManagedSaveRemove => told(domain.managed_save_remove(flags))?,
            Api::DomainAttachDevice => ffi::attach_device(&domain, xml, flags)?,
            Api::DomainDetachDevice => ffi::detach_device(&domain, xml, flags)?,
            Api::DomainBackupBegin => self.begin_backup(&domain, call, xml)?,
            Api::DomainAbortJob => ffi::abort_job(&domain)?,
            Api::DomainAbortJobFlags => ffi::abort_job_flags(&domain, flags)?,
            Api::DomainBlockCopy => ffi::block_copy(&domain, disk, xml, flags)?,
            Api::DomainBlockCommit => {
                let (base, top) = (c_text(call.base.as_ref())?, c_text(call.top.as_ref())?);
                ffi::block_commit(&domain, disk, (base.as_deref(), top.as_deref()), flags)?;
            }
            Api::DomainBlockPull => ffi::block_pull(&domain, disk, flags)?,
            Api::DomainBlockRebase => {
                let base = c_text(call.base.as_ref())?;
                ffi::block_rebase(&domain, disk, base.as_deref(), flags)?;
            }
            Api::DomainBlockResize => ffi::block_resize(&domain, disk, size, flags)?,
            Api::DomainBlockJobSetSpeed => ffi::block_job_set_speed(&domain, disk, size, flags)?,
            Api::DomainMigrateSetMaxSpeed => told(domain.migrate_set_max_speed(size, flags))?,
            Api::DomainSave => ffi::save(&domain, to)?,
            Api::DomainCoreDump => ffi::core_dump(&domain, to, flags)?,
            Api::DomainRename => ffi::rename(&domain, to, flags)?,
            Api::DomainMigrateToUri3 => ffi::migrate(&domain, to, flags)?,
            Api::DomainSnapshotDelete => told(Self::snapshot(&domain, call)?.delete(flags))?,
            Api::DomainRevertToSnapshot => told(Self::snapshot(&domain, call)?.revert(flags))?,
            Api::DomainBlockJobAbort => ffi::block_job_abort(&domain, disk, flags)?,
            Api::DomainGetState => {
                let (state, reason) = ffi::state(&domain, flags)?;
                return Ok(Value::State(DomainState::from_number(state), reason));
            }
            Api::DomainGetXmlDesc => return Ok(Value::Xml(told(domain.xml_desc(flags))?)),
            Api::DomainBackupGetXmlDesc => return Ok(Value::Xml(ffi::backup_xml(&domain, flags)?)),
            Api::DomainSnapshotCreate => {
                return Ok(Value::Name(ffi::create_snapshot(&domain, xml, flags)?));
            }
            Api::DomainGetJobStats => {
                let (kind, mut params) = ffi::job_stats(&domain, flags)?;
                params.insert("type".to_owned(), number(kind));
                return Ok(Value::Params(params));
            }
            Api::DomainGetJobInfo => {
                let kind = number(told(domain.job_info())?.r#type);
                return Ok(Value::Params([("type".to_owned(), kind)].into()));
            }
            Api::DomainGetBlockJobInfo => {
                let info = ffi::block_job_info(&domain, disk, flags)?;
                return Ok(Value::Params(info.map_or_else(BTreeMap::new, described)));
            }
            Api::DomainListAllCheckpoints => {
                return Ok(names(ffi::checkpoint_names(&domain, flags)?, flags));
            }
            Api::CheckpointCreate => {
                let checkpoint = ffi::create_checkpoint(&domain, xml, flags)?;
                return Ok(Value::Name(self.keep(call, checkpoint)));
            }
            Api::CheckpointLookupByName => {
                let name = c_text(call.checkpoint.as_ref())?;
                let checkpoint = ffi::find_checkpoint(&domain, name.as_deref(), flags)?;
                return Ok(Value::Name(self.keep(call, checkpoint)));
            }
            Api::CheckpointDelete
            | Api::CheckpointGetXmlDesc
            | Api::CheckpointGetParent
            | Api::CheckpointListAllChildren => return self.checkpoint_answer(&domain, call),
            // Answered above: it is the one call that needs no domain.
            Api::DomainDefine => {}
        }
        Ok(Value::Nothing)
    }

    /// The functions that take a checkpoint's handle.
    fn checkpoint_answer(&mut self, domain: &Domain, call: &Call) -> Result<Value, Stop> {
        let flags = call.flags;
        let name = call.checkpoint.clone().unwrap_or_default();
        let key = (call.domain.clone(), name.clone());
        if !self.checkpoints.contains_key(&key) {
            let found = ffi::find_checkpoint(domain, Some(&CString::new(name)?), 0)?;
            self.checkpoints.insert(key.clone(), found);
        }
        let Some(checkpoint) = self.checkpoints.get(&key) else {
            return Ok(Value::Nothing);
        };
        Ok(if call.api == Api::CheckpointGetXmlDesc {
            Value::Xml(checkpoint.xml(flags)?)
        } else if call.api == Api::CheckpointGetParent {
            Value::Name(checkpoint.parent(flags)?.name())
        } else if call.api == Api::CheckpointListAllChildren {
            names(checkpoint.children(flags)?, flags)
        } else {
            checkpoint.delete(flags)?;
            Value::Nothing
        })
    }

    /// The snapshot that a call is about; it is looked up for each.
    fn snapshot(domain: &Domain, call: &Call) -> Result<DomainSnapshot, LibvirtError> {
        let name = call.snapshot.as_deref().unwrap_or_default();
        told(Domain::lookup_snapshot_by_name(domain, name, 0))
    }

    /// Events that came before a backup has begun belong to an earlier one; a refused begin
    /// leaves them, since the job they belong to may still run.
    fn begin_backup(
        &mut self,
        domain: &Domain,
        call: &Call,
        xml: Option<&CStr>,
    ) -> Result<(), Stop> {
        let checkpoint_xml = c_text(call.checkpoint_xml.as_ref())?;
        let before = self.events.count(&call.domain);
        ffi::backup_begin(domain, xml, checkpoint_xml.as_deref(), call.flags)?;
        self.events.drop_first(&call.domain, before);
        let document = call.xml.clone().unwrap_or_default();
        self.backups.insert(call.domain.clone(), document);
        Ok(())
    }

    fn keep(&mut self, call: &Call, checkpoint: Checkpoint) -> String {
        let name = checkpoint.name();
        let key = (call.domain.clone(), name.clone());
        self.checkpoints.insert(key, checkpoint);
        name
    }
}

/// The message of a failure that libvirt explains.
pub(super) fn failed(what: &str, error: &LibvirtError) -> DriverError {
    DriverError::Failed(format!("{what}: {error}"))
}

/// The name of the domain that a document defines; `None` where libvirt might read another one.
/// It takes the first `name` below the root, of no name space, with the whole of its text
/// (`src/conf/domain_conf.c:virDomainDefParseIDs`).
fn defined_name(xml: &str) -> Option<String> {
    let document = Document::parse(xml).ok()?;
    let mut children = document.root_element().children();
    let name = children.find(|child| {
        let tag = child.tag_name();
        child.is_element() && tag.name() == "name" && tag.namespace().is_none()
    })?;
    name.text().map(str::to_owned)
}

/// Removes each of the domains, and tells the first failure in the end.
fn remove_all(
    domains: impl IntoIterator<Item = (String, Domain)>,
    removed: impl Fn(&str),
) -> Result<(), DriverError> {
    let results = domains.into_iter().map(|(name, domain)| {
        remove(&domain).map_err(|error| failed(&format!("cannot remove domain {name}"), &error))?;
        removed(&name);
        Ok(())
    });
    // All of them come to be, before the first failure is looked for.
    let results: Vec<Result<(), DriverError>> = results.collect();
    results.into_iter().collect()
}

/// Ends a domain and removes its definition and metadata; one that is gone is no error.
fn remove(domain: &Domain) -> Result<(), LibvirtError> {
    let is_active = || matches!(domain.is_active(), Ok(true));
    if is_active() {
        let destroyed = told(domain.destroy());
        // It may have ended by itself, which makes the refusal void.
        if is_active() {
            destroyed?;
        }
    }
    let metadata = flags::UNDEFINE_MANAGED_SAVE
        | flags::UNDEFINE_SNAPSHOTS_METADATA
        | flags::UNDEFINE_CHECKPOINTS_METADATA;
    match told(domain.undefine_flags(metadata)) {
        Err(error) if error.code != ErrorCode::NO_DOMAIN => Err(error),
        _ => Ok(()),
    }
}

fn c_text(text: Option<&String>) -> Result<Option<CString>, NulError> {
    text.map(|text| CString::new(text.as_str())).transpose()
}

/// Only `TOPOLOGICAL` promises an order; without it libvirt gives that of a hash table.
fn names(mut names: Vec<String>, flags: u32) -> Value {
    if flags & flags::CHECKPOINT_LIST_TOPOLOGICAL == 0 {
        names.sort();
    }
    Value::Names(names)
}

fn number(number: i32) -> Param {
    u64::try_from(number).map_or(Param::Signed(number.into()), Param::Unsigned)
}

fn described(info: sys::virDomainBlockJobInfo) -> BTreeMap<String, Param> {
    BTreeMap::from([
        ("type".to_owned(), number(info.type_)),
        ("bandwidth".to_owned(), Param::Unsigned(info.bandwidth)),
        ("cur".to_owned(), Param::Unsigned(info.cur)),
        ("end".to_owned(), Param::Unsigned(info.end)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_names_its_domain() {
        let name = |inner: &str| defined_name(&format!("<domain>{inner}</domain>"));
        assert_eq!(name("<uuid/><name>a</name>").as_deref(), Some("a"));
        assert_eq!(name("<name>a</name><name>b</name>").as_deref(), Some("a"));
        let other = "<x:name xmlns:x='urn:x'>a</x:name><name>b</name>";
        assert_eq!(name(other).as_deref(), Some("b"));
        // libvirt would read `ba` and nothing.
        assert_eq!(name("<name><i>b</i>a</name>"), None);
        assert_eq!(name("<devices><name>a</name></devices>"), None);
        assert_eq!(name("<name>"), None);
    }
}

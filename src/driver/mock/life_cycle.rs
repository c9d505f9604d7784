//! The calls about a domain that a backup shuts out, and those that change it around its
//! checkpoints: saves, dumps, migrations, its name, its disks.

use super::Mock;
use super::answer::{Ruled, Stop, check_flags, not_modelled, not_running, refuse, refuse_monitor};
use super::backup::{holds_the_domain, locked};
use super::domain::invalid;
use crate::model::{Call, ErrorCode, ErrorDomain, LibvirtError, Size, Value, flags};
use crate::world::{Disk, Domain, Errno};

/// `VIR_MIGRATE_LIVE`, `VIR_MIGRATE_PEER2PEER` and `VIR_MIGRATE_UNSAFE`.
const MIGRATION: u32 = 1 | 2 | 512;

impl Mock {
    /// Another job that runs shuts every job out that is not made for it; libvirt waits for 30 s
    /// (`src/conf/virdomainjob.c:virDomainObjBeginJobInternal`).
    pub(super) fn require_no_job(&self, call: &Call) -> Ruled<()> {
        let active = self.domain(call)?.active.as_ref();
        if active.is_some_and(holds_the_domain) {
            return locked(self.rules.lock_domain);
        }
        Ok(())
    }

    /// `src/qemu/qemu_driver.c:qemuDomainSaveInternal`.
    pub(super) fn require_savable(&self, call: &Call) -> Ruled<()> {
        if self.rules.save_waits_for_backup {
            self.require_no_job(call)?;
        }
        self.require_movable(call)
    }

    /// `src/qemu/qemu_migration.c:qemuMigrationSrcIsAllowed`: no job of a disk may run.
    fn require_movable(&self, call: &Call) -> Ruled<()> {
        let active = self.domain(call)?.active.as_ref();
        if active.is_some_and(|active| active.job.is_some() || !active.mirrors.is_empty()) {
            return invalid("domain has active block job");
        }
        Ok(())
    }

    /// `src/qemu/qemu_driver.c:qemuDomainShutdownFlags`. The button is pressed; whether the guest obeys
    /// is another thing.
    pub(super) fn domain_shutdown(&self, call: &Call) -> Ruled {
        if call.flags != 0 {
            return not_modelled("virDomainShutdownFlags with flags");
        }
        match self.domain(call)?.active {
            None => invalid("domain is not running"),
            Some(_) => Ok(Value::Nothing),
        }
    }

    /// `src/qemu/qemu_driver.c:qemuDomainSave`.
    pub(super) fn domain_save(&mut self, call: &Call) -> Ruled {
        let path = self.new_file(call)?;
        self.require_savable(call)?;
        if self.domain(call)?.active.is_none() {
            return not_running();
        }
        self.world.stop(&call.domain)?;
        self.world.make_file(&path)?;
        Ok(Value::Nothing)
    }

    /// `src/qemu/qemu_driver.c:qemuDomainCoreDumpWithFormat`.
    pub(super) fn domain_core_dump(&mut self, call: &Call) -> Ruled {
        const MEMORY_ONLY: u32 = 16;
        if call.flags != MEMORY_ONLY {
            return not_modelled("virDomainCoreDump with flags other than MEMORY_ONLY");
        }
        let path = self.new_file(call)?;
        self.require_no_job(call)?;
        if self.domain(call)?.active.is_none() {
            return not_running();
        }
        self.world.make_file(&path)?;
        Ok(Value::Nothing)
    }

    /// The file of the domain's memory.
    fn new_file(&self, call: &Call) -> Ruled<String> {
        let path = call.to.clone().unwrap_or_default();
        if !self.is_in_directory(&path) || self.world.files.contains_key(&path) {
            return not_modelled("a memory file that is there already, or elsewhere");
        }
        Ok(path)
    }

    /// `src/qemu/qemu_driver.c:qemuDomainRename`. Of the checkpoints the files get lost: they are written
    /// where the snapshots of the new name have theirs (seen on 7.0 to 12.8).
    pub(super) fn domain_rename(&mut self, call: &Call) -> Ruled {
        check_flags(call.flags, 0, "qemuDomainRename")?;
        let domain = self.domain(call)?;
        let Some(name) = call.to.clone().filter(|name| !name.is_empty()) else {
            return not_modelled("a domain without a name");
        };
        if !domain.persistent || domain.saved.is_some() || !domain.snapshots.is_empty() {
            return not_modelled("renaming a domain that is more than defined");
        }
        if domain.active.is_some() {
            return invalid("cannot rename active domain");
        }
        if self.world.domains.contains_key(&name) {
            return not_modelled("renaming a domain to a name that is taken");
        }
        let Some(mut domain) = self.world.domains.remove(&call.domain) else {
            return not_modelled("a domain that vanishes during a call");
        };
        domain.stored_checkpoints.clear();
        self.domain_handles
            .insert(name.clone(), domain.uuid.clone());
        self.world.domains.insert(name, domain);
        Ok(Value::Nothing)
    }

    /// `src/qemu/qemu_driver.c:qemuDomainMigrateSetMaxSpeed`.
    pub(super) fn migrate_set_max_speed(&self, call: &Call) -> Ruled {
        if call.flags != 0 {
            return not_modelled("virDomainMigrateSetMaxSpeed with flags");
        }
        if self.domain(call)?.active.is_none() {
            return not_modelled("the speed of a domain that is off");
        }
        self.require_no_job(call)?;
        Ok(Value::Nothing)
    }

    /// `src/qemu/qemu_migration.c:qemuMigrationSrcPerform`, to a libvirt that does not answer.
    pub(super) fn migrate(&self, call: &Call) -> Ruled {
        if call.flags != MIGRATION {
            return not_modelled("virDomainMigrateToURI3 with other flags than 0x203");
        }
        let uri = call.to.as_deref().unwrap_or_default();
        let Some((_, socket)) = uri.split_once("?socket=") else {
            return not_modelled("a migration to anything but a socket");
        };
        self.require_no_job(call)?;
        if self.domain(call)?.active.is_none() {
            return not_running();
        }
        if self.world.files.contains_key(socket) {
            return not_modelled("a migration to somebody who may answer");
        }
        let text = format!("Failed to connect socket to '{socket}'");
        if self.rules.wraps_migration_error {
            let text = format!(
                "Failed to connect to remote libvirt URI {uri}: {text}: {}",
                Errno::NoEntry.text()
            );
            return refuse(ErrorCode::OPERATION_FAILED, ErrorDomain::QEMU, &text);
        }
        let text = format!("{text}: {}", Errno::NoEntry.text());
        let error = LibvirtError {
            int1: Errno::NoEntry.number(),
            ..LibvirtError::reported(ErrorCode::SYSTEM_ERROR, ErrorDomain::RPC, &text)
        };
        Err(Stop::Refused(Box::new(error)))
    }

    /// `src/qemu/qemu_driver.c:qemuDomainBlockResize`: libvirt looks for no job of the disk, and QEMU
    /// does.
    pub(super) fn block_resize(&mut self, call: &Call) -> Ruled {
        if call.flags != flags::BLOCK_RESIZE_BYTES {
            return not_modelled("virDomainBlockResize with other flags than BYTES");
        }
        let (domain, active, index) = self.disk_of(call)?;
        let size = Size(call.size.unwrap_or_default());
        let image = self.world.image(&domain.disks[index].source);
        let is_smaller = image.is_none_or(|image| size.bytes() < image.content.size().bytes());
        if is_smaller || active.inactive_images || active.mirrors.contains_key(&index) {
            return not_modelled("making a disk smaller, or one that something else goes on with");
        }
        let mut parts = active.job.iter().flat_map(|job| &job.disks);
        if let Some(part) = parts.find(|part| part.index == index) {
            if active.job.as_ref().is_some_and(|job| job.server.is_none()) {
                return not_modelled("another size for a disk in a push backup");
            }
            let (own, scratch) = (active.nodes[index], part.node);
            let reason = if self.rules.tells_who_is_busy {
                format!(
                    "Node 'libvirt-{own}-format' is busy: node is used as backing hd of \
                     'libvirt-{scratch}-format'"
                )
            } else {
                "Device '(null)' is in use".to_owned()
            };
            return refuse_monitor("block_resize", &reason);
        }
        self.world.resize_disk(&call.domain, index, size)?;
        Ok(Value::Nothing)
    }

    /// `src/qemu/qemu_driver.c:qemuDomainBlockJobSetSpeed`.
    pub(super) fn block_job_set_speed(&self, call: &Call) -> Ruled {
        if call.flags != 0 {
            return not_modelled("virDomainBlockJobSetSpeed with flags");
        }
        if self.rules.speed_waits_for_backup {
            self.require_no_job(call)?;
        }
        let (domain, active, index) = self.disk_of(call)?;
        let mut parts = active.job.iter().flat_map(|job| &job.disks);
        if parts.any(|part| part.index == index) || active.mirrors.contains_key(&index) {
            return Ok(Value::Nothing);
        }
        let text = format!(
            "disk {} does not have an active block job",
            domain.disks[index].target
        );
        refuse(ErrorCode::INVALID_ARG, ErrorDomain::QEMU, &text)
    }

    /// `src/qemu/qemu_hotplug.c:qemuDomainAttachDiskGeneric`, for the next start too.
    pub(super) fn attach_live(&mut self, call: &Call, disk: Disk) -> Ruled {
        let domain = self.domain(call)?;
        if call.flags != flags::DOMAIN_AFFECT_LIVE | flags::DOMAIN_AFFECT_CONFIG
            || !domain.persistent
            || domain.disk_index(&disk.target).is_some()
        {
            return not_modelled("attaching a disk in another way than for now and later");
        }
        if domain.active.is_none() {
            return not_running();
        }
        let text = call.xml.clone().unwrap_or_default();
        self.world.attach_disk(&call.domain, disk)?;
        let domain = self.domain_mut(call)?;
        domain.definition = with_disk(&domain.definition, &text);
        Ok(Value::Nothing)
    }

    /// `src/qemu/qemu_hotplug.c:qemuDomainDetachDeviceLive`. A disk of a SCSI bus leaves at once.
    pub(super) fn detach_live(&mut self, call: &Call, target: &str) -> Ruled {
        let domain = self.domain(call)?;
        if call.flags != flags::DOMAIN_AFFECT_LIVE | flags::DOMAIN_AFFECT_CONFIG {
            return not_modelled("detaching a disk in another way than for now and later");
        }
        let Some(active) = &domain.active else {
            return not_running();
        };
        let Some(index) = domain.disk_index(target) else {
            return not_modelled("detaching a disk that the domain does not have");
        };
        let mut parts = active.job.iter().flat_map(|job| &job.disks);
        if parts.any(|part| part.index == index) || active.mirrors.contains_key(&index) {
            let text = format!("disk '{target}' already in active block job");
            return refuse(ErrorCode::OPERATION_UNSUPPORTED, ErrorDomain::QEMU, &text);
        }
        if !target.starts_with("sd") {
            return not_modelled("a disk that leaves when the guest lets it");
        }
        self.world.detach_disk(&call.domain, index)?;
        let domain = self.domain_mut(call)?;
        domain.definition = without_disk(domain, target);
        Ok(Value::Nothing)
    }
}

/// A definition with one more disk, behind the others.
fn with_disk(definition: &str, disk: &str) -> String {
    let place = definition.rfind("</disk>").map(|at| at + "</disk>".len());
    let place = place.or_else(|| definition.find("</devices>"));
    let (before, after) = definition.split_at(place.unwrap_or(definition.len()));
    format!("{before}\n{}{after}", disk.trim_end())
}

/// The domain's definition without one disk.
fn without_disk(domain: &Domain, target: &str) -> String {
    let definition = &domain.definition;
    let Ok(document) = roxmltree::Document::parse(definition) else {
        return definition.clone();
    };
    let is_it = |node: &roxmltree::Node<'_, '_>| {
        let of_target = |child: roxmltree::Node<'_, '_>| child.attribute("dev") == Some(target);
        node.has_tag_name("disk") && node.children().any(of_target)
    };
    match document.descendants().find(is_it) {
        Some(disk) => {
            let range = disk.range();
            format!("{}{}", &definition[..range.start], &definition[range.end..])
        }
        None => definition.clone(),
    }
}

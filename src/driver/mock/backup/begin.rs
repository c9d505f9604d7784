//! `virDomainBackupBegin`, in the order of `src/qemu/qemu_backup.c:qemuBackupBegin`.

use super::align::{Aligned, Selected, align};
use super::end::holds_the_domain;
use super::server::{bad_export, listening, no_certificates};
use crate::driver::mock::Mock;
use crate::driver::mock::answer::{Ruled, not_modelled, refuse, refuse_monitor};
use crate::driver::mock::checkpoint::{
    Prepared, active_of, bitmap_exists, prepare, require_block_jobs, require_free,
};
use crate::driver::mock::intake::{self, BackupDocument, CheckpointDocument, ServerElement};
use crate::model::{Call, ErrorCode, ErrorDomain, Value, flags};
use crate::world::{
    Active, BackupJob, Cancelling, Domain, JobDisk, MadeUp, Standing, chain_is_valid,
};

/// The longest name of a bitmap (QEMU `include/block/dirty-bitmap.h:BDRV_BITMAP_MAX_NAME_SIZE`).
const LONGEST_BITMAP: usize = 1023;

impl Mock {
    pub(in crate::driver::mock) fn backup_begin(&mut self, call: &Call) -> Ruled {
        let rules = self.rules;
        if call.xml.is_none() {
            intake::backup(None, rules)?;
        }
        let functions = ["qemuDomainBackupBegin", "qemuBackupBegin"];
        let domain = self.domain_and_flags(call, rules.begin_flags, functions)?;
        let document = intake::backup(call.xml.as_deref(), rules)?;
        let checkpoint = match &call.checkpoint_xml {
            None => None,
            Some(xml) => Some(intake::checkpoint(Some(xml), call.api.as_str(), rules)?),
        };
        let Some(active) = &domain.active else {
            let text = "cannot perform disk backup for inactive domain";
            return refuse(ErrorCode::OPERATION_UNSUPPORTED, ErrorDomain::QEMU, text);
        };
        if holds_the_domain(active) {
            return locked(rules.lock_domain);
        }
        match self.prepare_backup(call, document, checkpoint) {
            Ok((job, prepared)) => self.start_backup(call, job, prepared),
            Err(refused) => {
                // The registration that goes need not be that of this call.
                self.world.forget_orphan(&call.domain)?;
                Err(refused)
            }
        }
    }

    /// Everything that can fail before the jobs run.
    fn prepare_backup(
        &mut self,
        call: &Call,
        mut document: BackupDocument,
        checkpoint: Option<CheckpointDocument>,
    ) -> Ruled<(BackupJob, Option<Prepared>)> {
        let domain = self.domain(call)?;
        let rules = self.rules;
        let server = document.server.take();
        let incremental = document.incremental.clone();
        let created = checkpoint.as_ref().and_then(|made| made.name.clone());
        let encrypted = server.as_ref().is_some_and(|server| server.tls);
        let prepared_server = |server: Option<ServerElement>| {
            if standing(domain) == Some(Standing::Orphan) {
                let text = "another backup job is already running";
                return refuse(ErrorCode::OPERATION_INVALID, ErrorDomain::QEMU, text);
            }
            server
                .map(|server| listening(server, rules, &self.world))
                .transpose()
        };
        let aligned = |document| align(domain, document, created.as_deref(), rules);
        let (server, aligned) = if rules.server_before_disks {
            let server = prepared_server(server)?;
            (server, aligned(document)?)
        } else {
            let aligned = aligned(document)?;
            (prepared_server(server)?, aligned)
        };
        let Aligned { order, selected } = aligned;
        let prepared = checkpoint
            .map(|document| prepare(domain, document))
            .transpose()?;
        let mut nodes = Vec::new();
        for disk in &selected {
            nodes.push(self.prepare_disk(call, disk, created.as_deref())?);
        }
        if selected.is_empty() {
            let text = "no disks selected for backup";
            return refuse(ErrorCode::CONFIG_UNSUPPORTED, ErrorDomain::QEMU, text);
        }
        let stores = self.stores(call, &selected)?;
        let parts = selected.into_iter().zip(nodes).zip(stores);
        let disks = parts
            .map(|((disk, node), store)| self.part(call, disk, node, store, server.is_some()))
            .collect::<Ruled<Vec<_>>>()?;
        if server.is_some() {
            let active = active_of(self.domain(call)?)?;
            require_active_image(active, &disks, |own, scratch| {
                let reason =
                    format!("Inactive '{own}' can't be a backing child of active '{scratch}'");
                ("blockdev-add", reason)
            })?;
        }
        if encrypted {
            return no_certificates();
        }
        if let Some(server) = &server
            && let Err(reason) = self.world.start_nbd(&call.domain, &server.place)?
        {
            return refuse_monitor("nbd-server-start", &reason);
        }
        if let Err(refused) = self.transact(call, prepared.as_ref(), &disks, server.is_some()) {
            if server.is_some() {
                let _stopped = self.world.stop_nbd(&call.domain)?;
            }
            return Err(refused);
        }
        if standing(self.domain(call)?).is_some() {
            return not_modelled("a backup beside one that libvirt has forgotten");
        }
        let job = BackupJob {
            incremental,
            server,
            order,
            disks,
            standing: Standing::Job,
            names: MadeUp::InMemory,
        };
        Ok((job, prepared))
    }

    /// The jobs run; what fails from here on leaves something behind.
    fn start_backup(&mut self, call: &Call, job: BackupJob, prepared: Option<Prepared>) -> Ruled {
        let bad_name = job.server.as_ref().and_then(|_| bad_export(&job.disks));
        self.world.begin_backup(&call.domain, job)?;
        if let Some(prepared) = prepared
            && let Err(refused) = self.add_checkpoint(call, prepared)
        {
            self.world.orphan_backup(&call.domain)?;
            return Err(refused);
        }
        if let Some(reason) = bad_name {
            // The jobs run and the checkpoint is made by now: the one ends, the other stays.
            self.world
                .cancel_backup(&call.domain, Cancelling::Orphaned)?;
            return refuse_monitor("block-export-add", &reason);
        }
        Ok(Value::Nothing)
    }

    /// `qemu_backup.c:qemuBackupDiskPrepareDataOne`: the node's number is taken, whatever comes
    /// of it; then the secret, the base's metadata, its bitmaps, and other jobs of the disk. The
    /// checkpoint of the same call, `created`, is defined by now, but its bitmap is not there yet.
    fn prepare_disk(&mut self, call: &Call, disk: &Selected, created: Option<&str>) -> Ruled<u32> {
        require_block_jobs(&self.domain(call)?.disks[disk.index])?;
        let Some(active) = &mut self.domain_mut(call)?.active else {
            return not_modelled("a backup of an inactive domain");
        };
        let node = active.take_node();
        let rules = self.rules;
        let domain = self.domain(call)?;
        let active = active_of(domain)?;
        if let Some(usage) = &disk.secret_usage {
            return no_secret(usage);
        }
        let target = &disk.target;
        if let Some(base) = &disk.base {
            let defined = domain.checkpoints.get(base).is_some() || created == Some(base.as_str());
            if rules.looks_for_base && !defined {
                let text = format!(
                    "Checkpoint '{base}' for incremental backup of disk '{target}' not found"
                );
                return refuse(ErrorCode::NO_DOMAIN_CHECKPOINT, ErrorDomain::QEMU, &text);
            }
            if !chain_is_valid(&active.bitmaps[disk.index], base) {
                let text = format!("missing or broken bitmap '{base}' for disk '{target}'");
                return refuse(rules.broken_base, ErrorDomain::QEMU, &text);
            }
        }
        let mut forgotten = active.job.iter().flat_map(|job| &job.disks);
        let is_busy = forgotten.any(|part| part.index == disk.index);
        if active.mirrors.contains_key(&disk.index) || is_busy {
            let text = format!("disk '{target}' has a blockjob assigned");
            return refuse(ErrorCode::INTERNAL_ERROR, ErrorDomain::QEMU, &text);
        }
        Ok(node)
    }

    /// One disk's part of the job, with the disk as it is now.
    fn part(
        &self,
        call: &Call,
        disk: Selected,
        node: u32,
        store: String,
        is_pull: bool,
    ) -> Ruled<JobDisk> {
        let source = &self.domain(call)?.disks[disk.index].source;
        let dirty = self
            .world
            .to_copy(&call.domain, disk.index, disk.base.as_deref());
        let Some((content, dirty)) = self.world.content(source).zip(dirty) else {
            return not_modelled(format!("a backup of the removed image of {}", disk.target));
        };
        let made_up = || format!("backup-{}", disk.target);
        let given_bitmap = match (disk.export_bitmap, &disk.base) {
            (None, Some(_)) if is_pull => Some(made_up()),
            (given, _) => given,
        };
        Ok(JobDisk {
            index: disk.index,
            store,
            is_given: call.flags & flags::BACKUP_BEGIN_REUSE_EXTERNAL != 0,
            format: disk.format,
            node,
            base: disk.base,
            given_export: disk.export_name,
            given_bitmap,
            dirty,
            content,
            is_idle: true,
            disk: disk.target,
        })
    }

    /// What QEMU says to the one transaction: the checkpoint's bitmaps first, then each disk's
    /// own, which a pull adds to its scratch file and a push to the disk itself.
    fn transact(
        &self,
        call: &Call,
        prepared: Option<&Prepared>,
        disks: &[JobDisk],
        is_pull: bool,
    ) -> Ruled<()> {
        let active = active_of(self.domain(call)?)?;
        if let Some(prepared) = prepared {
            self.require_storable(call, prepared)?;
        }
        for disk in disks {
            require_bitmap(active, prepared, disk, is_pull)?;
            if self.size_of(disk) != Some(disk.content.size()) {
                let reason = "Source and target image have different sizes";
                return refuse_monitor("transaction", reason);
            }
        }
        require_active_image(active, disks, |own, _| {
            // The filter node of the job has a name that QEMU makes up.
            let child = format!("Inactive '{own}' can't be a file child of active '#block100'");
            ("transaction", format!("Could not create node: {child}"))
        })
    }
}

/// What QEMU says to the bitmap of an incremental disk.
fn require_bitmap(
    active: &Active,
    prepared: Option<&Prepared>,
    disk: &JobDisk,
    is_pull: bool,
) -> Ruled<()> {
    if disk.base.is_none() {
        return Ok(());
    }
    if is_pull {
        let name = disk.exported_bitmap().unwrap_or_default();
        if name.is_empty() {
            return refuse_monitor("transaction", "Bitmap name cannot be empty");
        }
        if name.len() > LONGEST_BITMAP {
            let reason = format!("Bitmap name too long: {name}");
            return refuse_monitor("transaction", &reason);
        }
        return Ok(());
    }
    let temporary = disk.temporary_bitmap();
    require_free(active, &[disk.index], &temporary)?;
    let adds_it = |prepared: &Prepared| {
        prepared.name == temporary && prepared.bitmap_disks.contains(&disk.index)
    };
    if prepared.is_some_and(adds_it) {
        return bitmap_exists(&temporary);
    }
    Ok(())
}

/// A node that QEMU has not activated since the memory was restored is no part of a new graph
/// (QEMU `block.c:bdrv_attach_child_common`).
fn require_active_image(
    active: &Active,
    disks: &[JobDisk],
    reason: impl Fn(&str, &str) -> (&'static str, String),
) -> Ruled<()> {
    let Some(first) = disks.first().filter(|_| active.inactive_images) else {
        return Ok(());
    };
    let own = format!("libvirt-{}-format", active.nodes[first.index]);
    let store = format!("libvirt-{}-format", first.node);
    let (command, reason) = reason(&own, &store);
    refuse_monitor(command, &reason)
}

/// A running backup holds the domain's lock; libvirt waits for it for 30 s, which the mock does
/// not (`src/conf/virdomainjob.c:virDomainObjBeginJobInternal`; a driver without a daemon names no
/// owner of the lock).
pub(in crate::driver::mock) fn locked<T>(domain: ErrorDomain) -> Ruled<T> {
    let text = "cannot acquire state change lock";
    refuse(ErrorCode::OPERATION_TIMEOUT, domain, text)
}

/// What libvirt knows of the backup that runs.
fn standing(domain: &Domain) -> Option<Standing> {
    let job = domain.active.as_ref()?.job.as_ref()?;
    Some(job.standing)
}

/// The simulated host has no secrets; a daemon's answer is `src/secret/secret_driver.c`'s
/// (measured on 11.3.0). Without any secret driver, as on `embed`, the connection to one fails.
fn no_secret<T>(usage: &str) -> Ruled<T> {
    let text = format!("no secret with matching usage '{usage}'");
    refuse(ErrorCode::NO_SECRET, ErrorDomain::SECRET, &text)
}

//! The calls about backups, in the order of `src/qemu/qemu_backup.c:qemuBackupBegin`.

use super::Mock;
use super::answer::{Ruled, check_flags, not_modelled, refuse};
use super::checkpoint::{Prepared, active_of, bitmap_exists, inconsistent, prepare, require_free};
use super::intake::{self, BackupDiskElement, BackupDocument};
use crate::model::{Call, DiskFormat, ErrorCode, ErrorDomain, Value, flags};
use crate::world::{BackupJob, Domain, Extents, JobDisk, World, chain_is_valid};

impl Mock {
    pub(super) fn backup_begin(&mut self, call: &Call) -> Ruled {
        if call.xml.is_none() {
            intake::backup(None)?;
        }
        let domain = self.domain(call)?;
        check_flags(
            call.flags,
            flags::BACKUP_BEGIN_REUSE_EXTERNAL,
            "qemuBackupBegin",
        )?;
        if call.flags != 0 {
            return not_modelled("a backup into existing files");
        }
        let document = intake::backup(call.xml.as_deref())?;
        let checkpoint = match &call.checkpoint_xml {
            None => None,
            Some(xml) => Some(intake::checkpoint(Some(xml), call.api.as_str())?),
        };
        let Some(active) = &domain.active else {
            let text = "cannot perform disk backup for inactive domain";
            return refuse(ErrorCode::OPERATION_UNSUPPORTED, ErrorDomain::QEMU, text);
        };
        if active.job.is_some() {
            return not_modelled("a backup while another one runs");
        }
        let incremental = document.incremental.clone();
        let selected = align(domain, document)?;
        let prepared = checkpoint
            .map(|document| prepare(domain, document))
            .transpose()?;
        for disk in &selected {
            if let Some(usage) = &disk.secret_usage {
                return no_secret(usage);
            }
            if let Some(base) = &incremental {
                let created = prepared.as_ref().map(|prepared| prepared.name.as_str());
                check_base(domain, disk, base, created)?;
            }
        }
        if selected.is_empty() {
            let text = "no disks selected for backup";
            return refuse(ErrorCode::CONFIG_UNSUPPORTED, ErrorDomain::QEMU, text);
        }
        let mut created: Vec<&str> = Vec::new();
        for disk in &selected {
            let path = disk.target.as_str();
            if !self.is_in_directory(path) {
                return not_modelled("a target outside the scenario's directory");
            }
            if self.world.images.contains_key(path) || created.contains(&path) {
                let target = &domain.disks[disk.index].target;
                let text = format!("store '{path}' for backup of '{target}' exists");
                return refuse(ErrorCode::INVALID_ARG, ErrorDomain::QEMU, &text);
            }
            created.push(path);
        }
        // One transaction: the checkpoint's bitmaps first, then each disk's own.
        if let Some(prepared) = &prepared {
            require_free(active, &prepared.bitmap_disks, &prepared.name)?;
        }
        for disk in selected.iter().filter(|_| incremental.is_some()) {
            // The merged bitmap of a push lies on the disk itself while the job runs.
            let temporary = format!("backup-{}", domain.disks[disk.index].target);
            require_free(active, &[disk.index], &temporary)?;
            let adds_it = |prepared: &Prepared| {
                prepared.name == temporary && prepared.bitmap_disks.contains(&disk.index)
            };
            if prepared.as_ref().is_some_and(adds_it) {
                return bitmap_exists(&temporary);
            }
        }
        let job = job(&self.world, domain, &selected, incremental.as_deref())?;
        self.world.begin_backup(&call.domain, job)?;
        if let Some(prepared) = prepared {
            self.add_checkpoint(call, prepared)?;
        }
        Ok(Value::Nothing)
    }

    /// `qemu_backup.c:qemuBackupGetXMLDesc`.
    pub(super) fn backup_get_xml_desc(&self, call: &Call) -> Ruled {
        let domain = self.domain(call)?;
        check_flags(call.flags, 0, "qemuBackupGetXMLDesc")?;
        if domain
            .active
            .as_ref()
            .is_some_and(|active| active.job.is_some())
        {
            return not_modelled("the dump of a running backup");
        }
        let text = "no domain backup job present";
        refuse(ErrorCode::NO_DOMAIN_BACKUP, ErrorDomain::QEMU, text)
    }
}

/// A disk that takes part in a backup.
struct Selected {
    index: usize,
    target: String,
    format: DiskFormat,
    secret_usage: Option<String>,
}

/// `src/conf/backup_conf.c:virDomainBackupAlignDisks`.
fn align(domain: &Domain, document: BackupDocument) -> Ruled<Vec<Selected>> {
    let Some(elements) = document.disks else {
        return not_modelled("a backup without <disks>");
    };
    let mut seen = Vec::new();
    let mut selected = Vec::new();
    for element in elements {
        let BackupDiskElement {
            name,
            backup,
            target,
            format,
            secret_usage,
        } = element;
        let Some(index) = domain.disk_index(&name) else {
            let text = format!("no disk named '{name}'");
            return refuse(ErrorCode::CONFIG_UNSUPPORTED, ErrorDomain::DOMAIN, &text);
        };
        if seen.contains(&index) {
            let text = format!("disk '{name}' specified twice");
            return refuse(ErrorCode::CONFIG_UNSUPPORTED, ErrorDomain::DOMAIN, &text);
        }
        seen.push(index);
        if !backup {
            continue;
        }
        let Some(target) = target else {
            return not_modelled("a backup target whose name libvirt makes up");
        };
        selected.push(Selected {
            index,
            target,
            format: format.unwrap_or(DiskFormat::Qcow2),
            secret_usage,
        });
    }
    Ok(selected)
}

/// The simulated host has no secrets; a daemon's answer is `src/secret/secret_driver.c`'s
/// (measured on 11.3.0). Without any secret driver, as on `embed`, the connection to one fails.
fn no_secret<T>(usage: &str) -> Ruled<T> {
    let text = format!("no secret with matching usage '{usage}'");
    refuse(ErrorCode::NO_SECRET, ErrorDomain::SECRET, &text)
}

/// `qemu_backup.c:qemuBackupDiskPrepareOneBitmaps`: first the metadata, then the bitmaps. The
/// checkpoint of the same call is defined by now, but its bitmap is not there yet.
fn check_base(domain: &Domain, disk: &Selected, base: &str, created: Option<&str>) -> Ruled<()> {
    let target = &domain.disks[disk.index].target;
    if domain.checkpoints.get(base).is_none() && created != Some(base) {
        let text =
            format!("Checkpoint '{base}' for incremental backup of disk '{target}' not found");
        return refuse(ErrorCode::NO_DOMAIN_CHECKPOINT, ErrorDomain::QEMU, &text);
    }
    if !chain_is_valid(&active_of(domain)?.bitmaps[disk.index], base) {
        return inconsistent(base, target);
    }
    Ok(())
}

/// What the job will write: everything, or what the base's bitmaps mark in any layer
/// (`qemu_block.c:qemuBlockGetBitmapMergeActions`), as the disk is now.
fn job(
    world: &World,
    domain: &Domain,
    selected: &[Selected],
    base: Option<&str>,
) -> Ruled<BackupJob> {
    let active = active_of(domain)?;
    let job_disk = |disk: &Selected| {
        let source = &domain.disks[disk.index];
        let Some(image) = world.images.get(&source.source) else {
            return not_modelled(format!(
                "a backup of the removed image of {}",
                source.target
            ));
        };
        let size = image.content.size();
        let extents = match base {
            None => Extents::all(size),
            Some(base) => {
                let mut merged = Extents::none(size);
                for bitmap in active.bitmaps[disk.index]
                    .iter()
                    .filter_map(|layer| layer.get(base))
                {
                    merged.merge(&bitmap.dirty);
                }
                merged
            }
        };
        Ok(JobDisk {
            disk: source.target.clone(),
            target: disk.target.clone(),
            format: disk.format,
            extents,
            content: image.content.clone(),
        })
    };
    let disks = selected.iter().map(job_disk).collect::<Ruled<_>>()?;
    Ok(BackupJob { disks })
}

//! The calls about the block jobs of single disks: copies, and the parts of a backup.

use std::collections::BTreeMap;

use super::Mock;
use super::answer::{Ruled, check_flags, not_modelled, not_running, refuse};
use super::intake;
use crate::model::{Call, DiskFormat, ErrorCode, ErrorDomain, Param, Size, Value, flags};
use crate::world::{Active, Cancelling, Domain, Mirror, Standing, Work};

/// `VIR_DOMAIN_BLOCK_JOB_TYPE_COPY`.
const COPY: u64 = 2;

/// `VIR_DOMAIN_BLOCK_JOB_TYPE_ACTIVE_COMMIT`.
const ACTIVE_COMMIT: u64 = 4;

/// `VIR_DOMAIN_BLOCK_JOB_TYPE_BACKUP`.
const BACKUP: u64 = 5;

/// `VIR_DOMAIN_BLOCK_JOB_ABORT_ASYNC`.
const ASYNC: u32 = 1;

impl Mock {
    /// `src/qemu/qemu_driver.c:qemuDomainBlockCopy`, `qemuDomainBlockCopyCommon`.
    pub(super) fn block_copy(&mut self, call: &Call) -> Ruled {
        const SHALLOW: u32 = flags::BLOCK_COPY_SHALLOW;
        if call.flags & !(flags::BLOCK_COPY_TRANSIENT_JOB | SHALLOW) != 0 {
            return not_modelled(
                "virDomainBlockCopy with flags other than TRANSIENT_JOB and SHALLOW",
            );
        }
        let copy = intake::block_copy(call.xml.as_deref())?;
        let (domain, active, index) = self.disk_of(call)?;
        if active.inactive_images {
            return not_modelled("a copy of an image that is not active yet");
        }
        require_idle(domain, active, index)?;
        let target = &domain.disks[index].target;
        if call.flags & flags::BLOCK_COPY_TRANSIENT_JOB == 0 {
            let text = "domain is not transient";
            return refuse(ErrorCode::OPERATION_INVALID, ErrorDomain::QEMU, text);
        }
        if self.world.files.contains_key(&copy.path) {
            let text = format!(
                "external destination file for disk {target} already exists and is not a block device: {}",
                copy.path
            );
            return refuse(ErrorCode::CONFIG_UNSUPPORTED, ErrorDomain::QEMU, &text);
        }
        if !self.is_in_directory(&copy.path) {
            return not_modelled("a copy outside the scenario's directory");
        }
        let shallow = call.flags & SHALLOW != 0;
        let node = match &mut self.domain_mut(call)?.active {
            Some(active) => active.take_node(),
            None => return not_running(),
        };
        let work = Work::Copy {
            copy,
            node,
            shallow,
        };
        self.world.begin_block_job(&call.domain, index, work)?;
        Ok(Value::Nothing)
    }

    /// `src/qemu/qemu_driver.c:qemuDomainBlockJobAbort`. On a disk of a backup it ends the whole
    /// backup.
    pub(super) fn block_job_abort(&mut self, call: &Call) -> Ruled {
        const PIVOT: u32 = flags::BLOCK_JOB_ABORT_PIVOT;
        check_flags(call.flags, ASYNC | PIVOT, "qemuDomainBlockJobAbort")?;
        let (domain, active, index) = self.disk_of(call)?;
        let target = &domain.disks[index].target;
        let pivot = call.flags & PIVOT != 0;
        let not_ready = |kind: &str| {
            // A raw image has no node for its format (`src/qemu/qemu_domain.c:
            // qemuDomainPrepareStorageSourceBlockdevNodename`; seen on 11.3.0).
            let node = match domain.disks[index].format {
                DiskFormat::Qcow2 => "format",
                DiskFormat::Raw => "storage",
            };
            let job = format!("{kind}-{target}-libvirt-{}-{node}", active.nodes[index]);
            let text = format!("block job '{job}' not ready for pivot yet");
            refuse(ErrorCode::BLOCK_COPY_ACTIVE, ErrorDomain::QEMU, &text)
        };
        match active.mirrors.get(&index) {
            None if in_backup(active, index) => {
                if pivot {
                    return not_ready("backup");
                }
                // Nobody is told of the end of a job that libvirt does not see.
                let cancelling = match active.job.as_ref().map(|job| job.standing) {
                    Some(Standing::Orphan | Standing::Forgotten) => Cancelling::Orphaned,
                    Some(Standing::Job) | None => Cancelling::Aborted,
                };
                self.world.cancel_backup(&call.domain, cancelling)?;
            }
            None => {
                let text = format!("disk {target} does not have an active block job");
                return refuse(ErrorCode::INVALID_ARG, ErrorDomain::QEMU, &text);
            }
            Some(Mirror {
                ready: false, work, ..
            }) if pivot => match work {
                Work::Copy { .. } => return not_ready("copy"),
                Work::Commit { .. } => return not_ready("commit"),
                Work::Pull { .. } => return not_modelled("changing over to a layer that is read"),
            },
            Some(_) if pivot => self.world.pivot(&call.domain, index)?,
            Some(_) => self.world.abort_block_job(&call.domain, index)?,
        }
        Ok(Value::Nothing)
    }

    /// `src/qemu/qemu_driver.c:qemuDomainGetBlockJobInfo`. How far a job is can be told while
    /// nothing is written: a pull copies only what is overwritten, and a copy is whole once it
    /// is ready, before which libvirt keeps the last byte back.
    pub(super) fn get_block_job_info(&self, call: &Call) -> Ruled {
        const BANDWIDTH_BYTES: u32 = 1;
        check_flags(call.flags, BANDWIDTH_BYTES, "qemuDomainGetBlockJobInfo")?;
        let (domain, active, index) = self.disk_of(call)?;
        let size = |domain: &Domain| {
            let image = self.world.image(&domain.disks[index].source);
            image.map(|image| image.content.size())
        };
        let Some(Size(end)) = size(domain) else {
            return not_modelled("a block job of a removed image");
        };
        if let Some(mirror) = active.mirrors.get(&index) {
            if !mirror.is_idle {
                return not_modelled("how far a copy is that the guest writes behind");
            }
            if let Work::Commit { top: 0, base } = mirror.work
                && mirror.ready
            {
                // It has read what the layers hold themselves (seen on 11.3.0).
                let held = self.world.held_by(&domain.disks[index].source, base);
                return Ok(Value::Params(info(
                    ACTIVE_COMMIT,
                    held.bytes(),
                    held.bytes(),
                )));
            }
            if !matches!(mirror.work, Work::Copy { .. }) {
                return not_modelled("how far a job between the layers of a disk is");
            }
            let missing = u64::from(!mirror.ready);
            return Ok(Value::Params(info(COPY, end - missing, end)));
        }
        let job = active.job.iter();
        let mut parts = job.flat_map(|job| job.disks.iter().map(move |part| (job, part)));
        match parts.find(|(_, part)| part.index == index) {
            None => Ok(Value::Params(BTreeMap::new())),
            Some((job, part)) if job.server.is_some() && part.is_idle => {
                Ok(Value::Params(info(BACKUP, 0, end)))
            }
            Some(_) => not_modelled("how far a backup is"),
        }
    }

    /// The disk of a call, and the QEMU that serves it
    /// (`src/qemu/qemu_domain.c:qemuDomainDiskByName`).
    pub(super) fn disk_of(&self, call: &Call) -> Ruled<(&Domain, &Active, usize)> {
        let domain = self.domain(call)?;
        let Some(active) = &domain.active else {
            return not_running();
        };
        let Some(disk) = &call.disk else {
            return not_modelled("a block job of no disk");
        };
        let Some(index) = domain.disk_index(disk) else {
            let text = format!("disk '{disk}' not found in domain");
            return refuse(ErrorCode::INVALID_ARG, ErrorDomain::QEMU, &text);
        };
        Ok((domain, active, index))
    }
}

/// A disk has one block job at a time
/// (`src/qemu/qemu_domain.c:qemuDomainDiskBlockJobIsActive`): the code tells what holds a disk with a
/// mirror from anything else.
pub(super) fn require_idle(domain: &Domain, active: &Active, index: usize) -> Ruled<()> {
    let target = &domain.disks[index].target;
    let busy = format!("disk '{target}' already in active block job");
    if active.mirrors.contains_key(&index) {
        return refuse(ErrorCode::BLOCK_COPY_ACTIVE, ErrorDomain::QEMU, &busy);
    }
    if in_backup(active, index) {
        return refuse(ErrorCode::OPERATION_UNSUPPORTED, ErrorDomain::QEMU, &busy);
    }
    Ok(())
}

fn in_backup(active: &Active, index: usize) -> bool {
    let mut disks = active.job.iter().flat_map(|job| &job.disks);
    disks.any(|disk| disk.index == index)
}

fn info(kind: u64, cur: u64, end: u64) -> BTreeMap<String, Param> {
    let numbers = [("type", kind), ("bandwidth", 0), ("cur", cur), ("end", end)];
    let param = |(name, number): (&str, u64)| (name.to_owned(), Param::Unsigned(number));
    numbers.into_iter().map(param).collect()
}

//! The calls about snapshots.

use super::Mock;
use super::answer::{Ruled, not_modelled, refuse, refuse_monitor, refuse_without_reason};
use super::backup::{holds_the_domain, locked};
use super::intake::{self, SnapshotPart};
use super::version::RefusedRevert;
use crate::model::{Call, Compat, DiskFormat, ErrorCode, ErrorDomain, Value, flags};
use crate::world::{Active, Disk, Domain, Snapshot, SnapshotDisk};

/// `VIR_ERR_NO_DOMAIN_SNAPSHOT`.
const NO_DOMAIN_SNAPSHOT: ErrorCode = ErrorCode(72);

impl Mock {
    /// `src/qemu/qemu_snapshot.c:qemuSnapshotCreateXML`.
    pub(super) fn domain_snapshot_create(&mut self, call: &Call) -> Ruled {
        const DISK_ONLY: u32 = flags::SNAPSHOT_CREATE_DISK_ONLY;
        const REUSE_EXT: u32 = flags::SNAPSHOT_CREATE_REUSE_EXT;
        if call.flags & !(DISK_ONLY | REUSE_EXT) != 0 {
            return not_modelled("a snapshot with flags other than DISK_ONLY and REUSE_EXT");
        }
        let document = intake::snapshot(call.xml.as_deref())?;
        let domain = self.domain(call)?;
        if domain.active.as_ref().is_some_and(holds_the_domain) {
            return locked(self.rules.lock_domain);
        }
        if domain.snapshots.contains_key(&document.name) {
            return not_modelled("a snapshot of a name that is taken");
        }
        let parts = parts(domain, document.disks, call.flags & DISK_ONLY != 0)?;
        let is_external = parts.iter().any(|part| part.overlay.is_some());
        self.require_snapshots(domain, is_external)?;
        let reuses = call.flags & REUSE_EXT != 0;
        let mut overlays = Vec::new();
        for part in &parts {
            let Some(path) = &part.overlay else {
                continue;
            };
            let Some(index) = domain.disk_index(&part.disk) else {
                return not_modelled("a snapshot of a disk that the domain does not have");
            };
            self.require_overlay(domain, index, path, reuses)?;
            overlays.push((index, path.clone()));
        }
        self.world.put_overlays(&call.domain, &overlays)?;
        self.world
            .note_snapshot(&call.domain, &document.name, parts)?;
        Ok(Value::Name(document.name))
    }

    /// `qemu_snapshot.c:qemuSnapshotPrepare`: a domain that is off and has checkpoints.
    fn require_snapshots(&self, domain: &Domain, is_external: bool) -> Ruled<()> {
        if domain.checkpoints.is_empty() || domain.active.is_some() {
            return Ok(());
        }
        let text = match (self.rules.offline_snapshots, is_external) {
            (true, false) => return Ok(()),
            (true, true) => {
                "support for offline external snapshots while checkpoint exists was not yet \
                 implemented"
            }
            (false, _) => "cannot perform block operations while checkpoint exists",
        };
        refuse(ErrorCode::OPERATION_UNSUPPORTED, ErrorDomain::QEMU, text)
    }

    /// A new layer for a disk, which libvirt makes or, with `REUSE_EXT`, finds. QEMU stores no bitmap in
    /// one of version 2 (`block/qcow2-bitmap.c:qcow2_co_can_store_new_dirty_bitmap`).
    fn require_overlay(
        &self,
        domain: &Domain,
        index: usize,
        path: &str,
        reuses: bool,
    ) -> Ruled<()> {
        if !self.is_in_directory(path) || self.world.is_open(path) {
            return not_modelled(format!("a snapshot into {path}"));
        }
        match (reuses, self.world.image(path)) {
            (false, None) if !self.world.files.contains_key(path) => return Ok(()),
            (true, Some(image)) if image.compat == Compat::V2 => {}
            (_, _) => return not_modelled(format!("a snapshot into {path}, which is there")),
        }
        let Some(active) = &domain.active else {
            return not_modelled("a snapshot of a domain that is off into a given file");
        };
        let top = active.bitmaps[index].iter().take(1).flatten();
        let mut usable = top.filter(|(_, bitmap)| bitmap.is_usable());
        let Some((name, _)) = usable.next() else {
            return not_modelled("a snapshot into a given file");
        };
        let reason = format!(
            "Can't make bitmap '{name}' persistent in 'libvirt-{}-format': Cannot store dirty \
             bitmaps in qcow2 v2 files",
            active.last_node + 1
        );
        refuse_monitor("transaction", &reason)
    }

    /// `qemu_snapshot.c:qemuSnapshotDelete`.
    pub(super) fn domain_snapshot_delete(&mut self, call: &Call) -> Ruled {
        if call.flags != 0 {
            return not_modelled("virDomainSnapshotDelete with flags");
        }
        let (domain, name, snapshot) = self.snapshot_of(call)?;
        if snapshot.is_external() && !self.rules.external_snapshots.deletes() {
            let count = snapshot.disks.len();
            let text = format!("deletion of {count} external disk snapshots not supported yet");
            return refuse(ErrorCode::CONFIG_UNSUPPORTED, ErrorDomain::QEMU, &text);
        }
        if domain.active.as_ref().is_some_and(holds_the_domain) {
            return locked(self.rules.lock_domain);
        }
        if snapshot.is_external() && domain.active.as_ref().is_some_and(has_block_job) {
            let text = "cannot delete external snapshots when there is another active block job";
            return refuse(ErrorCode::OPERATION_UNSUPPORTED, ErrorDomain::QEMU, text);
        }
        let name = name.to_owned();
        self.world.delete_snapshot(&call.domain, &name)?;
        Ok(Value::Nothing)
    }

    /// `qemu_snapshot.c:qemuSnapshotRevert`. QEMU goes back to no snapshot inside an image that has
    /// bitmaps (`block/qcow2-snapshot.c:qcow2_snapshot_goto`).
    pub(super) fn domain_revert_to_snapshot(&mut self, call: &Call) -> Ruled {
        if call.flags != 0 {
            return not_modelled("virDomainRevertToSnapshot with flags");
        }
        let (domain, name, snapshot) = self.snapshot_of(call)?;
        if domain.active.as_ref().is_some_and(has_block_job) {
            let text = "domain has active block job";
            return refuse(ErrorCode::OPERATION_INVALID, ErrorDomain::QEMU, text);
        }
        if snapshot.is_external() {
            if self.rules.external_snapshots.reverts() {
                let name = name.to_owned();
                self.world.revert_to_layers(&call.domain, &name)?;
                return Ok(Value::Nothing);
            }
            let text = "revert to external snapshot not supported yet";
            return refuse(ErrorCode::CONFIG_UNSUPPORTED, ErrorDomain::QEMU, text);
        }
        let has_bitmaps = |disk: &Disk| {
            let image = self.world.image(&disk.source);
            image.is_some_and(|image| !image.stored.is_empty())
        };
        let Some(active) = &domain.active else {
            if domain.disks.iter().any(has_bitmaps) {
                // The tool's own words are lost on the way.
                return refuse_without_reason();
            }
            let name = name.to_owned();
            self.world.revert_inside(&call.domain, &name)?;
            return Ok(Value::Nothing);
        };
        let refusing = active
            .bitmaps
            .iter()
            .position(|layers| layers.first().is_some_and(|top| !top.is_empty()));
        let Some(index) = refusing else {
            let name = name.to_owned();
            self.world.revert_inside(&call.domain, &name)?;
            return Ok(Value::Nothing);
        };
        let node = active.nodes[index];
        let reason = format!(
            "Could not load snapshot '{name}' on 'libvirt-{node}-format': Device has active dirty \
             bitmaps"
        );
        let (code, text) = match self.rules.refused_revert {
            RefusedRevert::Paused => {
                let text = format!("Failed to load snapshot: Error: {reason}\r\n");
                (ErrorCode::OPERATION_FAILED, text)
            }
            RefusedRevert::Crashed => return self.crash_on_the_way_back(call),
            RefusedRevert::Stopped => {
                let text = format!("load of internal snapshot '{name}' job failed: {reason}");
                (ErrorCode::OPERATION_FAILED, text)
            }
        };
        if self.rules.refused_revert == RefusedRevert::Paused {
            if let Some(active) = &mut self.domain_mut(call)?.active {
                active.paused = true;
            }
        } else {
            self.world.stop(&call.domain)?;
        }
        refuse(code, ErrorDomain::QEMU, &text)
    }

    /// The QEMU of the domain is stopped, and another one opens its images and dies.
    fn crash_on_the_way_back(&mut self, call: &Call) -> Ruled {
        self.world.stop(&call.domain)?;
        if let Err(reason) = self.world.start(&call.domain, false, false)? {
            return not_modelled(format!("going back where QEMU does not start: {reason}"));
        }
        self.world.kill(&call.domain)?;
        let text = "process exited while connecting to monitor: 1970-01-01T00:00:00.000000Z \
                    qemu-system-x86_64: Device has active dirty bitmaps";
        refuse(ErrorCode::INTERNAL_ERROR, ErrorDomain::QEMU, text)
    }

    /// The snapshot that a call is about; the client looks it up first.
    fn snapshot_of<'a>(&'a self, call: &'a Call) -> Ruled<(&'a Domain, &'a str, &'a Snapshot)> {
        let domain = self.domain(call)?;
        let name = call.snapshot.as_deref().unwrap_or_default();
        let Some(snapshot) = domain.snapshots.get(name) else {
            let text = format!("no domain snapshot with matching name '{name}'");
            return refuse(NO_DOMAIN_SNAPSHOT, ErrorDomain::QEMU, &text);
        };
        Ok((domain, name, snapshot))
    }
}

/// The part that each disk takes; without a list it is taken inside every image.
fn parts(
    domain: &Domain,
    disks: Option<Vec<intake::SnapshotElement>>,
    disk_only: bool,
) -> Ruled<Vec<SnapshotDisk>> {
    let Some(disks) = disks else {
        let is_plain = |disk: &Disk| disk.format == DiskFormat::Qcow2 && !disk.read_only;
        if disk_only || !domain.disks.iter().all(is_plain) {
            return not_modelled("a snapshot of disks that libvirt chooses");
        }
        let inside = |disk: &Disk| SnapshotDisk {
            disk: disk.target.clone(),
            overlay: None,
            content: None,
        };
        return Ok(domain.disks.iter().map(inside).collect());
    };
    let mut parts = Vec::new();
    for element in disks {
        let overlay = match element.kind {
            SnapshotPart::No => continue,
            SnapshotPart::Internal => None,
            SnapshotPart::External(path) => Some(path),
        };
        let disk = element.disk;
        parts.push(SnapshotDisk {
            disk,
            overlay,
            content: None,
        });
    }
    let is_of_kind = |part: &SnapshotDisk| part.overlay.is_some() == disk_only;
    if !parts.iter().all(is_of_kind) {
        return not_modelled("a snapshot of disks of two kinds");
    }
    Ok(parts)
}

/// `src/qemu/qemu_domain.c:qemuDomainHasBlockjob`.
fn has_block_job(active: &Active) -> bool {
    active.job.is_some() || !active.mirrors.is_empty()
}

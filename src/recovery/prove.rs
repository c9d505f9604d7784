//! Proof by data: restored bytes against the ledger, and nothing stale left behind.

use std::collections::{BTreeMap, BTreeSet};

use super::refused::Refused;
use super::work::Work;
use crate::driver::DriverError;
use crate::model::{
    Api, BitmapRow, BitmapTable, Call, Decision, JobEnd, JobEvent, Observation, Request, on_layer,
};
use crate::plan::{Operation, Step};
use crate::session::TakenBackup;
use crate::transcript::{Exchange, HostState, Record};

impl Work<'_, '_> {
    /// Brings the last backup to its end, which must be a good one; every byte of it must be what
    /// the guest had at its instant. A pull backup is read after the guest has written once more.
    pub(super) fn prove_last_backup(&mut self) -> Result<(), DriverError> {
        let is_pull = |backup: &TakenBackup| backup.server.is_some();
        let end = if self.session.ledger().last_backup().is_some_and(is_pull) {
            self.guest_writes()?;
            Step::of("backup-end", Operation::EndBackup)
        } else {
            Step::of("await-backup", Operation::AwaitBackup)
        };
        if !self.perform(&end)? {
            self.claim(end.label, "refused", false);
        }
        self.prove_end();
        self.prove_restored()
    }

    /// The job that has ended just now has ended well.
    pub(super) fn prove_end(&mut self) {
        let ended_well = self.last_step().is_some_and(ended_well);
        if !ended_well {
            self.claim("backup job", "did not complete", false);
        }
    }

    /// Every byte of the last backup is what the guest had at its instant.
    pub(super) fn prove_restored(&mut self) -> Result<(), DriverError> {
        let restored = self.session.restore_last_backup()?;
        if restored.is_empty() {
            self.claim("restore", "no disk of the backup is in the books", false);
        }
        for disk in restored {
            let kind = if disk.incremental {
                "incremental"
            } else {
                "full"
            };
            self.claim(
                format!("restore {} {kind}", disk.disk),
                disk.found,
                disk.equal,
            );
        }
        Ok(())
    }

    /// Every backup but the last one that was good once is still good: while the new chain is not
    /// known to work, the old one is what a client has.
    pub(super) fn prove_old_chain(&mut self) -> Result<(), DriverError> {
        let backups = self.session.ledger().backups();
        let older = &backups[..backups.len().saturating_sub(1)];
        let good: Vec<TakenBackup> = older.iter().filter(|old| old.verified).cloned().collect();
        if good.is_empty() {
            return Ok(());
        }
        let mut found = None;
        for backup in &good {
            let restored = self.session.restore(backup)?;
            let broken = restored.into_iter().find(|disk| !disk.equal);
            found = found.or(broken.map(|disk| format!("{}: {}", disk.disk, disk.found)));
        }
        let holds = found.is_none();
        let noun = if good.len() == 1 { "backup" } else { "backups" };
        let found = found.unwrap_or_else(|| format!("{} {noun} restored", good.len()));
        self.claim("old chain", found, holds);
        Ok(())
    }

    /// No checkpoint with a verified backup has a usable bitmap on every disk that was asked for: a
    /// full backup that is not needed costs a whole transfer.
    pub(super) fn prove_full_is_needed(&mut self, refused: &HostState) {
        let request = self.facts().map(|facts| &facts.request);
        let wanted: Vec<&str> = request.into_iter().flat_map(Request::disk_names).collect();
        let replaced = self.session.ledger().replaced_disks();
        let serves_on = |disk: &str, name: &str| {
            let is_own = replaced.get(name).is_none_or(|disks| !disks.contains(disk));
            is_own && refused.bitmaps.has_usable(disk, name)
        };
        let serves = |name: &&str| wanted.iter().all(|disk| serves_on(disk, name));
        let base = self.session.ledger().verified_checkpoints().find(serves);
        let found = base.map_or_else(|| "none".to_owned(), |name| format!("{name} serves"));
        let is_needed = base.is_none() || wanted.is_empty();
        self.claim("base that is left", found, is_needed);
    }

    /// Every bitmap that could serve when the call was refused still can, but for one whose deletion
    /// was asked for. Only a new chain may give a checkpoint up, and only on its own disks.
    pub(super) fn prove_bases_kept(
        &mut self,
        refused: Refused<'_>,
        decision: Decision,
    ) -> Result<(), DriverError> {
        let request = self.session.request_of(refused.call);
        let is_deletion = refused.call.api == Api::CheckpointDelete;
        let unwanted = refused.call.checkpoint.as_deref().filter(|_| is_deletion);
        let ledger = self.session.ledger();
        let verified: Vec<&str> = ledger.verified_checkpoints().collect();
        let (disks, replaced) = (ledger.verified_disks(), ledger.replaced_disks());
        let is_among = |all: &BTreeMap<String, BTreeSet<String>>, row: &BitmapRow| {
            let disks = all.get(&row.name);
            disks.is_some_and(|disks| disks.contains(&row.disk))
        };
        let is_retired = |row: &BitmapRow| {
            let mut requested = request.disk_names();
            decision == Decision::FullBackupNewChain && requested.any(|disk| disk == row.disk)
        };
        let known = self.session.disks().iter();
        let known: Vec<String> = known.map(|disk| disk.target.clone()).collect();
        let is_detached = |row: &BitmapRow| !known.contains(&row.disk);
        let could_serve = |row: &&BitmapRow| {
            verified.contains(&row.name.as_str())
                && refused.state.bitmaps.has_usable(&row.disk, &row.name)
                && is_among(&disks, row)
                && !is_among(&replaced, row)
                && unwanted != Some(row.name.as_str())
                && !is_retired(row)
                && !is_detached(row)
        };
        let rows = refused.state.bitmaps.0.iter().filter(could_serve);
        let rows: Vec<&BitmapRow> = rows.collect();
        if rows.is_empty() {
            return Ok(());
        }
        let now = self.session.bitmaps()?;
        let serves = |row: &BitmapRow| now.has_usable(&row.disk, &row.name);
        if let Some(row) = rows.into_iter().find(|row| !serves(row)) {
            let found = format!("{} on {} is gone, or broken", row.name, row.disk);
            self.claim("bitmaps that could serve", found, false);
        }
        Ok(())
    }

    /// Nothing is left of the refused call.
    pub(super) fn prove_as_before(&mut self, before: &HostState) -> Result<(), DriverError> {
        let holds = *before == self.session.host_state()?;
        let found = if holds { "as before" } else { "changed" };
        self.claim("state after the clean-up", found, holds);
        Ok(())
    }

    /// Whoever has to investigate finds everything that was there when the call was refused.
    pub(super) fn prove_nothing_changed(&mut self, refused: &HostState) -> Result<(), DriverError> {
        let holds = *refused == self.session.host_state()?;
        let found = if holds {
            "everything kept"
        } else {
            "the host has changed"
        };
        self.claim("nothing deleted", found, holds);
        Ok(())
    }

    /// Every checkpoint has a usable bitmap on each of its disks, and every bitmap its checkpoint. In an
    /// image whose bytes were changed, what bears a name of nobody here is left alone.
    pub(super) fn prove_checkpoints_and_bitmaps(&mut self) -> Result<(), DriverError> {
        let checkpoints = self.session.checkpoints()?;
        let bitmaps = self.session.bitmaps()?;
        let mut owned = Vec::new();
        for name in &checkpoints {
            let disks = self.disks_of(name)?;
            owned.extend(disks.into_iter().map(|disk| (disk, name.clone())));
        }
        let has_bitmap = |(disk, name): &&(String, String)| bitmaps.has_usable(disk, name);
        let without = owned.iter().find(|pair| !has_bitmap(pair));
        let found = match without {
            None => checkpoints.join(" "),
            Some((disk, name)) => format!("{name} has no usable bitmap on {disk}"),
        };
        self.claim("checkpoints with bitmaps", found, without.is_none());
        let is_owned = |row: &BitmapRow| {
            let mut pairs = owned.iter();
            pairs.any(|(disk, name)| *disk == row.disk && *name == row.name)
        };
        let ledger = self.session.ledger();
        let disks = self.session.disks().iter();
        let damaged: Vec<&str> = disks
            .filter(|disk| ledger.is_damaged(&disk.image))
            .map(|disk| disk.target.as_str())
            .collect();
        let is_foreign =
            |row: &BitmapRow| damaged.contains(&&*row.disk) && ledger.is_foreign(&row.name);
        let (foreign, own): (Vec<&BitmapRow>, Vec<&BitmapRow>) = bitmaps
            .0
            .iter()
            .filter(|row| !is_of_libvirt(row))
            .partition(|row| !is_owned(row) && is_foreign(row));
        let stale = own.iter().find(|row| !is_owned(row));
        let unusable = own.iter().find(|row| !row.is_usable());
        let found = match (stale, unusable) {
            (Some(row), _) => format!("{} on {} is stale", row.name, row.disk),
            (None, Some(row)) => format!("{} on {} is not usable", row.name, row.disk),
            (None, None) if foreign.is_empty() => format!("{} usable, none stale", own.len()),
            (None, None) => format!(
                "{} usable, none stale, {} of nobody here",
                own.len(),
                foreign.len()
            ),
        };
        self.claim("bitmaps", found, stale.is_none() && unusable.is_none());
        Ok(())
    }

    /// After a clean close the images store the same bitmaps, none in use, and are sound.
    pub(super) fn prove_closed_images(&mut self) -> Result<(), DriverError> {
        let names = |table: &BitmapTable| -> Vec<(String, String)> {
            table
                .0
                .iter()
                .filter(|row| !is_of_libvirt(row))
                .map(|row| (row.disk.clone(), row.name.clone()))
                .collect()
        };
        let live = self.session.bitmaps()?;
        let destroy = Call::new(Api::DomainDestroy, &self.session.place().domain);
        if !self.call("destroy", &destroy)? {
            self.claim("clean close", "refused", false);
            return Ok(());
        }
        let state = self.session.domain_state()?;
        if state.is_active() {
            // What is seen of it would be its memory again.
            self.claim("clean close", state.to_string(), false);
            return Ok(());
        }
        let stored = self.session.bitmaps()?;
        let all_stored = names(&stored) == names(&live);
        let in_use = stored.0.iter().find(|row| row.inconsistent);
        let found = match in_use {
            Some(row) => format!("{} on {} is in use", row.name, row.disk),
            None if all_stored => {
                format!("{} stored, none in use", stored.0.len())
            }
            None => format!("{} stored of {}", stored.0.len(), names(&live).len()),
        };
        let holds = in_use.is_none() && all_stored;
        self.claim("bitmaps after a clean close", found, holds);
        self.check_images()
    }

    /// `qemu-img check` finds nothing wrong with the domain's images.
    pub(super) fn check_images(&mut self) -> Result<(), DriverError> {
        for disk in self.session.disks().to_vec() {
            if !disk.can_have_bitmaps() {
                continue;
            }
            for (layer, image) in (0..).zip(disk.layers()) {
                let report = self.session.check_image(image)?;
                let found = report.clone().unwrap_or_else(|| "clean".to_owned());
                // Clusters that nobody names any more lose space, and no data.
                let only_leaks = found.starts_with("0 corruptions");
                let holds =
                    report.is_none() || (only_leaks && self.session.ledger().is_damaged(image));
                let layer = on_layer(&disk.target, layer);
                self.claim(format!("qemu-img check {layer}"), found, holds);
            }
        }
        Ok(())
    }
}

/// A bitmap that libvirt made for itself, and that goes with the QEMU process: after a pivot to a raw copy
/// one is left (`src/qemu/qemu_driver.c:qemuDomainBlockPivot`).
fn is_of_libvirt(row: &BitmapRow) -> bool {
    !row.persistent && row.name.starts_with("libvirt-tmp-")
}

/// Every disk of a backup has completed, and so has the job. A pull backup, which only its client
/// can end, has its disks cancelled and counts as a success
/// (`src/qemu/qemu_backup.c:qemuBackupNotifyBlockjobEnd`).
fn ended_well(record: &Record) -> bool {
    let Exchange::Action {
        observation: Observation::Events(events),
        ..
    } = &record.exchange
    else {
        return false;
    };
    let by_client = |event: &JobEvent| {
        matches!(event, JobEvent::JobCompleted { message: Some(message), .. }
            if message == "Operation canceled")
    };
    let by_client = events.iter().any(by_client);
    let well = |event: &JobEvent| match event {
        JobEvent::JobCompleted { success, .. } => *success,
        JobEvent::BlockJob { end, .. } => {
            *end == JobEnd::Completed || (by_client && *end == JobEnd::Cancelled)
        }
    };
    !events.is_empty() && events.iter().all(well)
}

//! Proof by data: restored bytes against the ledger, and nothing stale left behind.

use super::work::Work;
use crate::driver::DriverError;
use crate::model::{Api, BitmapTable, Call, JobEnd, JobEvent, Observation};
use crate::transcript::{Exchange, HostState, Record};

impl Work<'_, '_> {
    /// Waits for the last backup; it must end well, and every byte of it must be what the guest
    /// had at its instant.
    pub(super) fn prove_last_backup(&mut self) -> Result<(), DriverError> {
        let record = self.session.await_backup()?;
        let ended_well = ended_well(&record);
        self.keep(record);
        if !ended_well {
            self.claim("backup job", "did not complete", false);
        }
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

    /// Every checkpoint has its bitmap on some disk, and every bitmap its checkpoint; all are
    /// usable.
    pub(super) fn prove_checkpoints_and_bitmaps(&mut self) -> Result<(), DriverError> {
        let checkpoints = self.session.checkpoints()?;
        let bitmaps = self.session.bitmaps()?;
        let without_bitmap = checkpoints
            .iter()
            .find(|name| !bitmaps.0.iter().any(|row| row.name == **name));
        let found = match without_bitmap {
            None => checkpoints.join(" "),
            Some(name) => format!("{name} has no bitmap"),
        };
        self.claim("checkpoints with bitmaps", found, without_bitmap.is_none());
        let stale = bitmaps
            .0
            .iter()
            .find(|row| !checkpoints.contains(&row.name));
        let unusable = bitmaps
            .0
            .iter()
            .find(|row| row.inconsistent || !row.recording || !row.persistent);
        let found = match (stale, unusable) {
            (Some(row), _) => format!("{} on {} is stale", row.name, row.disk),
            (None, Some(row)) => format!("{} on {} is not usable", row.name, row.disk),
            (None, None) => format!("{} usable, none stale", bitmaps.0.len()),
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
                .map(|row| (row.disk.clone(), row.name.clone()))
                .collect()
        };
        let live = self.session.bitmaps()?;
        let destroy = Call::new(Api::DomainDestroy, &self.session.place().domain);
        if !self.call("destroy", &destroy)? {
            self.claim("clean close", "refused", false);
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
            None => format!("{} stored of {}", stored.0.len(), live.0.len()),
        };
        let holds = in_use.is_none() && all_stored;
        self.claim("bitmaps after a clean close", found, holds);
        for disk in self.session.disks().to_vec() {
            if !disk.can_have_bitmaps() {
                continue;
            }
            let report = self.session.check_image(&disk.image)?;
            let found = report.clone().unwrap_or_else(|| "clean".to_owned());
            self.claim(
                format!("qemu-img check {}", disk.target),
                found,
                report.is_none(),
            );
        }
        Ok(())
    }
}

/// Every disk of a backup has completed, and so has the job.
fn ended_well(record: &Record) -> bool {
    let Exchange::Action {
        observation: Observation::Events(events),
        ..
    } = &record.exchange
    else {
        return false;
    };
    let well = |event: &JobEvent| match event {
        JobEvent::JobCompleted { success, .. } => *success,
        JobEvent::BlockJob { end, .. } => *end == JobEnd::Completed,
    };
    !events.is_empty() && events.iter().all(well)
}

//! Proof by data: restored bytes against the ledger, and nothing stale left behind.

use super::work::Work;
use crate::driver::DriverError;
use crate::model::{Api, BitmapTable, Call};

impl Work<'_, '_> {
    /// Restores every disk of the last backup from its chain of images and compares it, byte for
    /// byte, with what the guest had at the backup's instant.
    pub(super) fn prove_last_backup(&mut self) -> Result<(), DriverError> {
        let Some(backup) = self.session.ledger().last_backup().cloned() else {
            self.claim("restored backup", "no backup was taken", false);
            return Ok(());
        };
        let mut all_equal = !backup.disks.is_empty();
        for taken in &backup.disks {
            let kind = if backup.base.is_some() {
                "incremental"
            } else {
                "full"
            };
            let claim = format!("restore {} {kind}", taken.disk);
            let Some(chain) = self.session.ledger().restore_chain(&backup, &taken.disk) else {
                self.claim(claim, "its base is not in the books", false);
                all_equal = false;
                continue;
            };
            let layers = chain.len();
            let restored = self.session.read_chain(chain)?;
            let size = taken.content.size();
            match taken.content.difference(&restored) {
                None => {
                    let images = if layers == 1 {
                        "1 image".to_owned()
                    } else {
                        format!("{layers} images")
                    };
                    self.claim(
                        claim,
                        format!("{size} of {size} equal, from {images}"),
                        true,
                    );
                }
                Some(difference) => {
                    self.claim(claim, difference.to_string(), false);
                    all_equal = false;
                }
            }
        }
        if all_equal {
            self.session.ledger_mut().mark_verified();
        }
        Ok(())
    }

    /// Whoever has to investigate finds everything: two looks at the host see the same.
    pub(super) fn prove_nothing_changes(&mut self) -> Result<(), DriverError> {
        let before = self.session.host_state()?;
        let holds = before == self.session.host_state()?;
        let found = if holds {
            "everything kept"
        } else {
            "the host changes by itself"
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
        let in_use = stored.0.iter().find(|row| row.inconsistent);
        let found = match in_use {
            Some(row) => format!("{} on {} is in use", row.name, row.disk),
            None if names(&stored) == names(&live) => {
                format!("{} stored, none in use", stored.0.len())
            }
            None => format!("{} stored of {}", stored.0.len(), live.0.len()),
        };
        let holds = in_use.is_none() && names(&stored) == names(&live);
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

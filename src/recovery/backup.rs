//! The backups that a recovery takes, and the chain that must hold behind them.

use super::work::{Parts, Work};
use crate::driver::DriverError;
use crate::model::{CleanUpTime, DiskFormat, DiskPart, ImageRef, Size};
use crate::plan::{BackupDisk, BackupXml, PlannedDisk, SavedCheckpoint, Step, checkpoint_xml};
use crate::session::Session;

impl Work<'_, '_> {
    /// A name that neither a checkpoint nor a bitmap bears.
    pub(super) fn fresh_name(&mut self) -> Result<String, DriverError> {
        fresh_name(self.session, "recovery")
    }

    /// A push backup of every disk with a new checkpoint, after a guest write to each, so that an
    /// empty backup cannot pass. It is restored and compared; `true` only where all of that holds:
    /// nothing may be given up for a backup that is not known to be good.
    pub(super) fn back_up(
        &mut self,
        checkpoint: &str,
        base: Option<&str>,
        parts: &Parts,
    ) -> Result<bool, DriverError> {
        self.guest_writes()?;
        let step = backup_step(self.session, (checkpoint, checkpoint), base, parts);
        if !self.perform(&step)? {
            self.claim(step.label, "refused", false);
            return Ok(false);
        }
        self.prove_last_backup()?;
        Ok(self.all_holds())
    }

    /// A guest write to each disk, of another pattern at another place each time.
    pub(super) fn guest_writes(&mut self) -> Result<(), DriverError> {
        self.writes += 1;
        for step in guest_writes(self.session, self.writes) {
            self.perform(&step)?;
        }
        Ok(())
    }

    /// The disks of the domain that a checkpoint is about, by its own document.
    pub(super) fn disks_of(&mut self, checkpoint: &str) -> Result<Vec<String>, DriverError> {
        let document = self.session.checkpoint_document(checkpoint)?;
        let document = document.and_then(|xml| SavedCheckpoint::of(&xml));
        let disks = document.map(|document| document.disks).unwrap_or_default();
        let known = self.session.disks();
        let is_known = |disk: &String| known.iter().any(|known| known.target == *disk);
        Ok(disks
            .into_iter()
            .map(|(disk, _)| disk)
            .filter(is_known)
            .collect())
    }

    /// What must hold behind a backup with this checkpoint: the old chain still restores; then what
    /// is stale is cleaned up; the next incremental backup restores; checkpoints, bitmaps and images
    /// are whole.
    pub(super) fn prove_chain(&mut self, checkpoint: &str) -> Result<(), DriverError> {
        self.prove_old_chain()?;
        if !self.all_holds() || !self.clean_up(CleanUpTime::AfterVerifiedBackup)? {
            return Ok(());
        }
        // Each of its disks is asked for as incremental: libvirt must not refuse.
        let disks = self.disks_of(checkpoint)?;
        if disks.is_empty() {
            // The backup would be full, and prove nothing of this checkpoint.
            self.claim(
                "next incremental",
                format!("{checkpoint} is on no disk"),
                false,
            );
            return Ok(());
        }
        let parts = disks
            .into_iter()
            .map(|disk| (disk, DiskPart::Incremental))
            .collect();
        let name = self.fresh_name()?;
        if !self.back_up(&name, Some(checkpoint), &parts)? {
            return Ok(());
        }
        self.prove_clean_up()?;
        self.prove_checkpoints_and_bitmaps()?;
        self.prove_closed_images()
    }
}

/// A name with this beginning that neither a checkpoint nor a bitmap bears.
///
/// # Errors
/// The driver could not find something out.
pub fn fresh_name(session: &mut Session<'_>, beginning: &str) -> Result<String, DriverError> {
    let mut taken = session.checkpoints()?;
    taken.extend(session.bitmaps()?.0.into_iter().map(|row| row.name));
    let mut number = 1_u64;
    loop {
        let name = format!("{beginning}{number}");
        if !taken.contains(&name) {
            return Ok(name);
        }
        number += 1;
    }
}

/// A push backup of every disk with a new checkpoint, into files that begin with `stem`; full for the
/// disks that are not incremental in `parts`.
#[must_use]
pub fn backup_step(
    session: &Session<'_>,
    (checkpoint, stem): (&str, &str),
    base: Option<&str>,
    parts: &Parts,
) -> Step {
    let (disks, place) = (session.disks(), session.place());
    let images: Vec<ImageRef> = disks
        .iter()
        .map(|disk| ImageRef {
            path: format!("{}/{stem}-{}.qcow2", place.directory, disk.target),
            format: DiskFormat::Qcow2,
        })
        .collect();
    let is_full = |disk: &PlannedDisk| parts.get(&disk.target) != Some(&DiskPart::Incremental);
    let part = |(disk, image)| BackupDisk {
        mode: (base.is_some() && is_full(disk)).then_some("full"),
        ..BackupDisk::plain(&disk.target, image)
    };
    let backup = BackupXml {
        incremental: base,
        disks: disks.iter().zip(&images).map(part).collect(),
        ..BackupXml::default()
    };
    let document = checkpoint_xml(checkpoint, None, Some(&bitmap_disks(disks)), disks);
    Step::backup(&place.domain, &backup, Some((checkpoint, document)), disks)
}

/// A guest write to each disk, by its number of another pattern at another place.
#[must_use]
pub fn guest_writes(session: &Session<'_>, number: u8) -> Vec<Step> {
    let write = |disk: &PlannedDisk| {
        let size = disk.size.bytes();
        let offset = (u64::from(number) << 20) % size.max(1);
        let length = (u64::from(number) * 2 - 1) << 16;
        let range = (Size(offset), Size(length.min(size - offset)));
        let domain = &session.place().domain;
        Step::guest_write(domain, &disk.target, range, 0xC0 | number)
    };
    session.disks().iter().map(write).collect()
}

/// The disks that a checkpoint of the whole domain has bitmaps on.
pub(super) fn bitmap_disks(disks: &[PlannedDisk]) -> Vec<&str> {
    let able = disks.iter().filter(|disk| disk.can_have_bitmaps());
    able.map(|disk| disk.target.as_str()).collect()
}

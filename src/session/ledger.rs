//! The truth about the disks, from the runner's own records.

use std::collections::BTreeMap;

use crate::model::{Action, Content, ImageRef, Request};
use crate::plan::PlannedDisk;

/// What each disk holds, and what each backup must hold.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    disks: BTreeMap<String, Content>,
    backups: Vec<TakenBackup>,
}

/// A backup that was begun.
#[derive(Clone, Debug)]
pub struct TakenBackup {
    /// The checkpoint created with it.
    pub checkpoint: Option<String>,
    /// The checkpoint it is based on; `None` for a full one.
    pub base: Option<String>,
    /// Its disks.
    pub disks: Vec<TakenDisk>,
    /// Set when its data was restored and found equal.
    pub verified: bool,
}

/// One disk of a backup.
#[derive(Clone, Debug)]
pub struct TakenDisk {
    /// Target device.
    pub disk: String,
    /// The image that the backup wrote.
    pub image: ImageRef,
    /// What the guest had at the backup's instant.
    pub content: Content,
}

impl Ledger {
    /// Takes note of something that was done to the host.
    pub(super) fn note_action(&mut self, action: &Action, disks: &[PlannedDisk]) {
        match action {
            Action::CreateImage { image, size } => {
                let disk = disks.iter().find(|disk| disk.image.path == image.path);
                if let Some(disk) = disk {
                    self.disks
                        .insert(disk.target.clone(), Content::zeros(*size));
                }
            }
            Action::GuestWrite {
                disk,
                offset,
                length,
                pattern,
                ..
            } => {
                if let Some(content) = self.disks.get_mut(disk) {
                    content.write(offset.bytes(), length.bytes(), *pattern);
                }
            }
            Action::LiveBitmaps { .. }
            | Action::StoredBitmaps { .. }
            | Action::AwaitBackup { .. }
            | Action::ReadChain { .. }
            | Action::CheckImage { .. }
            | Action::ListFiles { .. } => {}
        }
    }

    /// Takes note of a backup that libvirt has begun.
    pub(super) fn note_backup(&mut self, request: &Request) {
        let taken = |disk: &crate::model::RequestedDisk| {
            Some(TakenDisk {
                disk: disk.disk.clone(),
                image: disk.target.clone()?,
                content: self.disks.get(&disk.disk)?.clone(),
            })
        };
        let backup = TakenBackup {
            checkpoint: request.checkpoint.clone(),
            base: request.base.clone(),
            disks: request.disks.iter().filter_map(taken).collect(),
            verified: false,
        };
        self.backups.push(backup);
    }

    /// Marks the last backup as verified.
    pub fn mark_verified(&mut self) {
        if let Some(backup) = self.backups.last_mut() {
            backup.verified = true;
        }
    }

    /// The last backup that was begun.
    #[must_use]
    pub fn last_backup(&self) -> Option<&TakenBackup> {
        self.backups.last()
    }

    /// The checkpoints that have a verified backup behind them.
    pub fn verified_checkpoints(&self) -> impl Iterator<Item = &str> {
        let verified = self.backups.iter().filter(|backup| backup.verified);
        verified.filter_map(|backup| backup.checkpoint.as_deref())
    }

    /// The images that restore one disk of a backup, newest first: its own, then those of the
    /// backups it builds on. `None` when a base is not in the books.
    #[must_use]
    pub fn restore_chain(&self, backup: &TakenBackup, disk: &str) -> Option<Vec<ImageRef>> {
        let mut layers = Vec::new();
        let mut next = Some(backup);
        while let Some(backup) = next {
            let taken = backup.disks.iter().find(|taken| taken.disk == disk)?;
            layers.push(taken.image.clone());
            // A chain cannot be longer than the books: a base that names its own backup ends it.
            if layers.len() > self.backups.len() {
                return None;
            }
            next = match &backup.base {
                None => None,
                Some(base) => Some(
                    self.backups
                        .iter()
                        .rev()
                        .find(|found| found.checkpoint.as_ref() == Some(base))?,
                ),
            };
        }
        Some(layers)
    }
}

//! The truth about the disks, from the runner's own records.

use std::collections::BTreeMap;

use crate::model::{Action, Api, Call, Content, ImageRef, Request, RequestedDisk};
use crate::plan::PlannedDisk;

/// What each disk holds, and what each backup must hold.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    disks: BTreeMap<String, Content>,
    backups: Vec<TakenBackup>,
    /// The domain's memory is saved, and the next start restores it.
    saved: bool,
    restored_and_not_resumed: bool,
}

/// A backup that was begun.
#[derive(Clone, Debug)]
pub struct TakenBackup {
    /// The checkpoint created with it.
    pub checkpoint: Option<String>,
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
    /// The checkpoint it is based on; `None` for a full one.
    pub base: Option<String>,
    /// The image that the backup wrote; `None` where libvirt made its name up.
    pub image: Option<ImageRef>,
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
                    self.forget_history_of(&disk.target);
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

    /// An image that was made anew is not the one that earlier backups belong to.
    fn forget_history_of(&mut self, disk: &str) {
        for backup in &mut self.backups {
            backup.verified &= !backup.disks.iter().any(|taken| taken.disk == disk);
        }
    }

    /// Takes note of a call that succeeded.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "most calls change nothing in these books"
    )]
    pub(super) fn note_call(&mut self, call: &Call) {
        match call.api {
            Api::DomainBackupBegin => self.note_backup(&Request::of(call)),
            Api::DomainManagedSave => self.saved = true,
            Api::DomainManagedSaveRemove => self.saved = false,
            Api::DomainCreate => {
                self.restored_and_not_resumed = std::mem::take(&mut self.saved);
            }
            Api::DomainResume | Api::DomainDestroy => self.restored_and_not_resumed = false,
            _ => {}
        }
    }

    fn note_backup(&mut self, request: &Request) {
        let content = |disk: &str| self.disks.get(disk).cloned().unwrap_or_default();
        let taken = |disk: &RequestedDisk| TakenDisk {
            disk: disk.disk.clone(),
            base: disk.base.clone(),
            image: disk.target.clone(),
            content: content(&disk.disk),
        };
        let backup = TakenBackup {
            checkpoint: request.checkpoint.clone(),
            disks: request.disks.iter().map(taken).collect(),
            verified: false,
        };
        self.backups.push(backup);
    }

    /// Whether the domain was restored from a saved state and has not run since.
    #[must_use]
    pub const fn is_restored_and_not_resumed(&self) -> bool {
        self.restored_and_not_resumed
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
    /// backups it builds on. `None` when one of them is not in the books.
    #[must_use]
    pub fn restore_chain(&self, backup: &TakenBackup, disk: &str) -> Option<Vec<ImageRef>> {
        let mut layers = Vec::new();
        let mut backup = backup;
        loop {
            let taken = backup.disks.iter().find(|taken| taken.disk == disk)?;
            layers.push(taken.image.clone()?);
            let Some(base) = &taken.base else {
                return Some(layers);
            };
            // A chain cannot be longer than the books: a base that names its own backup ends it.
            if layers.len() > self.backups.len() {
                return None;
            }
            let mut newest_first = self.backups.iter().rev();
            backup = newest_first.find(|found| found.checkpoint.as_ref() == Some(base))?;
        }
    }
}

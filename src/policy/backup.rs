//! The backups that a client takes, and what of them it can restore.

use super::client::{Client, Flow};
use super::profile::Base;
use crate::driver::DriverError;
use crate::model::DiskPart;
use crate::plan::SavedCheckpoint;
use crate::recovery::{Parts, backup_step, fresh_name, guest_writes, prove_backup};

impl Client<'_, '_> {
    pub(super) fn fresh_name(&mut self) -> Result<String, DriverError> {
        fresh_name(self.session, "next")
    }

    /// An incremental backup from the client's base; a full one where it has none.
    pub(super) fn back_up_from_base(&mut self) -> Result<Flow, DriverError> {
        let base = match self.profile.base {
            Base::Records => self.base.clone(),
            Base::Newest => self.session.checkpoints_from_the_root()?.pop(),
        };
        self.back_up_from(base)
    }

    /// An incremental backup of the disks that this checkpoint is on; a full one without it.
    pub(super) fn back_up_from(&mut self, base: Option<String>) -> Result<Flow, DriverError> {
        let name = self.fresh_name()?;
        let Some(base) = base else {
            return self.back_up(&name, None, &Parts::new());
        };
        let document = self.session.checkpoint_document(&base)?;
        let document = document.and_then(|xml| SavedCheckpoint::of(&xml));
        let of_backup = self.session.ledger().verified_disks();
        let disks = match (document, of_backup.get(&base)) {
            (Some(document), _) => document.disks.into_iter().map(|(disk, _)| disk).collect(),
            (None, Some(disks)) => disks.iter().cloned().collect(),
            (None, None) => Vec::new(),
        };
        let mut parts: Parts = disks
            .into_iter()
            .map(|disk| (disk, DiskPart::Incremental))
            .collect();
        if parts.is_empty() {
            let all = self.session.disks().iter();
            parts = all
                .map(|disk| (disk.target.clone(), DiskPart::Incremental))
                .collect();
        }
        self.back_up(&name, Some(&base), &parts)
    }

    /// A push backup of every disk with a new checkpoint, after a guest write to each.
    pub(super) fn back_up(
        &mut self,
        checkpoint: &str,
        base: Option<&str>,
        parts: &Parts,
    ) -> Result<Flow, DriverError> {
        let ledger = self.session.ledger();
        let can_write = !ledger.is_restored_and_not_resumed();
        if can_write && self.session.domain_state()?.is_active() {
            self.writes += 1;
            for step in guest_writes(self.session, self.writes) {
                self.session.perform(&step)?;
            }
        }
        self.backups += 1;
        let beginning = format!("own{}", self.backups);
        let step = backup_step(self.session, (checkpoint, &beginning), base, parts);
        let Some(record) = self.session.perform(&step)?.pop() else {
            return Ok(Flow::Next);
        };
        let flow = self.answered(record)?;
        if matches!(flow, Flow::Next) {
            self.full |= base.is_none() && self.first_base.is_some();
        } else {
            self.session.settle_backup()?;
        }
        Ok(flow)
    }

    /// Brings the backup that has begun to its end, and restores it.
    pub(super) fn finish_backup(&mut self) -> Result<(), DriverError> {
        let proof = prove_backup(self.session)?.proof;
        let broken = proof.into_iter().find(|line| !line.holds);
        if let Some(line) = broken {
            let text = format!("{}: {}", line.claim, line.found);
            self.steps.push(text.clone());
            self.lost.get_or_insert(text);
        }
        self.backed_up = true;
        let last = self.session.ledger().last_backup();
        if let Some(checkpoint) = last.and_then(|backup| backup.checkpoint.clone()) {
            self.base = Some(checkpoint);
        }
        Ok(())
    }
}

//! Facts that may still have to be asked for: each is there, or names its probe.

use std::collections::{BTreeMap, BTreeSet};

use super::chain::{carriers, is_busy};
use super::facts::{CompletedJob, ErrorFacts, Facts, Place, RunningJob};
use super::probe::Probe;
use crate::model::{BitmapTable, Compat, DiskFormat, DomainState, ErrorDomain, flags};

/// `VIR_DOMAIN_BLOCK_JOB_TYPE_BACKUP`.
pub const BLOCK_JOB_TYPE_BACKUP: u64 = 5;

fn asked<T>(answer: Option<&T>, probe: Probe) -> Result<&T, Probe> {
    answer.ok_or(probe)
}

impl Facts {
    pub(super) fn domain_state(&self) -> Result<DomainState, Probe> {
        asked(self.observed.domain_state.as_ref(), Probe::DomainState).copied()
    }

    pub(super) fn disk_formats(&self) -> Result<&BTreeMap<String, DiskFormat>, Probe> {
        asked(self.observed.disk_formats.as_ref(), Probe::DiskFormats)
    }

    pub(super) fn checkpoints(&self) -> Result<&BTreeMap<String, Vec<String>>, Probe> {
        asked(self.observed.checkpoints.as_ref(), Probe::Checkpoints)
    }

    pub(super) fn job(&self) -> Result<RunningJob, Probe> {
        asked(self.observed.job.as_ref(), Probe::Job).copied()
    }

    pub(super) fn completed_job(&self) -> Result<CompletedJob, Probe> {
        asked(self.observed.completed_job.as_ref(), Probe::CompletedJob).copied()
    }

    pub(super) fn backup(&self) -> Result<bool, Probe> {
        asked(self.observed.backup.as_ref(), Probe::Backup).copied()
    }

    pub(super) fn files(&self) -> Result<&BTreeSet<String>, Probe> {
        asked(self.observed.files.as_ref(), Probe::Files)
    }

    pub(super) fn image_versions(&self) -> Result<&BTreeMap<String, Compat>, Probe> {
        asked(self.observed.image_versions.as_ref(), Probe::ImageVersions)
    }

    pub(super) fn bitmaps(&self) -> Result<&BitmapTable, Probe> {
        asked(self.observed.bitmaps.as_ref(), Probe::Bitmaps)
    }

    pub(super) fn stored_bitmaps(&self) -> Result<&BitmapTable, Probe> {
        asked(self.observed.stored_bitmaps.as_ref(), Probe::StoredBitmaps)
    }

    pub(super) fn server_is_usable(&self) -> Result<bool, Probe> {
        let place = asked(self.observed.server.as_ref(), Probe::Server)?;
        Ok(*place == Place::Usable)
    }

    pub(super) fn metadata_store_is_usable(&self) -> Result<bool, Probe> {
        let place = asked(self.observed.metadata_store.as_ref(), Probe::MetadataStore)?;
        Ok(*place == Place::Usable)
    }

    /// The disks with a block job that is part of a backup.
    pub(super) fn backed_up_disks(&self) -> Result<Vec<String>, Probe> {
        self.disks_with_a_job(|_, job| job == BLOCK_JOB_TYPE_BACKUP)
    }

    /// The disks with a block job of any kind.
    pub(super) fn busy_disks(&self) -> Result<Vec<String>, Probe> {
        self.disks_with_a_job(|_, _| true)
    }

    /// Which disks the request is about, where its document leaves that to libvirt.
    pub(super) fn disks_are_known(&self) -> Result<(), Probe> {
        match self.request.each_disk {
            Some(_) => Err(Probe::DiskFormats),
            None => Ok(()),
        }
    }

    /// The disks of the request with any other block job.
    pub(super) fn otherwise_busy_disks(&self) -> Result<Vec<String>, Probe> {
        self.disks_are_known()?;
        let is_requested = |disk: &str| self.request.disk_names().any(|other| other == disk);
        self.disks_with_a_job(|disk, job| job != BLOCK_JOB_TYPE_BACKUP && is_requested(disk))
    }

    fn disks_with_a_job(&self, is_so: impl Fn(&str, u64) -> bool) -> Result<Vec<String>, Probe> {
        let jobs = asked(self.observed.block_jobs.as_ref(), Probe::BlockJobs)?;
        let busy = jobs.iter().filter(|(disk, job)| is_so(disk, **job));
        Ok(busy.map(|(disk, _)| disk.clone()).collect())
    }

    /// Own attempts whose bitmaps are there without a checkpoint, and the disks that carry them.
    /// Without a way to QEMU's monitor nothing is known of them.
    pub(super) fn orphaned_bitmaps(&self) -> Result<Vec<(String, BTreeSet<String>)>, Probe> {
        if !self.records.can_use_monitor && self.observed.bitmaps.is_none() {
            return Ok(Vec::new());
        }
        let (defined, bitmaps) = (self.checkpoints()?, self.bitmaps()?);
        let own = self.records.uncommitted_checkpoints.iter();
        let lost = own.filter(|name| !defined.contains_key(*name) && !self.is_verified(name));
        let idle = lost.filter(|name| !is_busy(bitmaps, name));
        let carried = idle.map(|name| (name.clone(), carriers(bitmaps, name)));
        Ok(carried.filter(|(_, disks)| !disks.is_empty()).collect())
    }

    /// The checkpoint of the request that libvirt has now, where it alone is to be deleted, and its
    /// bitmaps with it.
    pub(super) fn unwanted_checkpoint(&self) -> Result<Option<&str>, Probe> {
        let is_of_metadata = self.request.flags & flags::CHECKPOINT_DELETE_METADATA_ONLY != 0;
        if is_of_metadata || self.is_about_children() {
            return Ok(None);
        }
        self.defined_checkpoint()
    }

    /// The deletion is one of a checkpoint's children, too.
    pub(super) fn is_about_children(&self) -> bool {
        const CHILDREN: u32 =
            flags::CHECKPOINT_DELETE_CHILDREN | flags::CHECKPOINT_DELETE_CHILDREN_ONLY;

        self.request.flags & CHILDREN != 0
    }

    /// The checkpoint of the request that libvirt has now.
    pub(super) fn defined_checkpoint(&self) -> Result<Option<&str>, Probe> {
        let Some(name) = self.request.checkpoint.as_deref() else {
            return Ok(None);
        };
        Ok(self.checkpoints()?.contains_key(name).then_some(name))
    }

    /// Own attempts that have left their checkpoints: each may be one whose job still runs.
    pub(super) fn left_attempts(&self) -> Result<bool, Probe> {
        let own = self.records.uncommitted_checkpoints.iter();
        let own: Vec<&String> = own.filter(|name| !self.is_verified(name)).collect();
        if own.is_empty() {
            return Ok(false);
        }
        let defined = self.checkpoints()?;
        Ok(own.into_iter().any(|name| defined.contains_key(name)))
    }

    /// The domain was restored from a saved state and is still paused: its bitmaps are not loaded.
    pub(super) fn is_restored_and_paused(&self) -> Result<bool, Probe> {
        let restored = self.records.restored_and_not_resumed == Some(true);
        Ok(restored && self.domain_state()? == DomainState::Paused)
    }

    /// The client does not know whether the domain was restored, and it may have been: it is paused
    /// and has checkpoints.
    pub(super) fn is_perhaps_restored(&self) -> Result<bool, Probe> {
        let is_known = self.records.restored_and_not_resumed.is_some();
        Ok(!is_known
            && self.domain_state()? == DomainState::Paused
            && !self.checkpoints()?.is_empty())
    }

    /// QEMU has a persistent bitmap in memory.
    pub(super) fn has_bitmaps(&self) -> Result<bool, Probe> {
        Ok(self.bitmaps()?.0.iter().any(|row| row.persistent))
    }

    /// A verified backup stands behind the checkpoint: without one, what is built on it restores
    /// with a hole.
    pub(super) fn is_verified(&self, name: &str) -> bool {
        let mut verified = self.records.verified_checkpoints.iter();
        verified.any(|verified| verified == name)
    }

    pub(super) fn is_of(&self, domain: ErrorDomain) -> bool {
        self.error
            .as_ref()
            .is_some_and(|error| error.domain == domain)
    }

    pub(super) fn int1(&self) -> Option<i32> {
        self.error.as_ref().map(|error| error.int1)
    }

    pub(super) fn message(&self) -> &str {
        self.error
            .as_ref()
            .map_or("", |ErrorFacts { message, .. }| message)
    }
}

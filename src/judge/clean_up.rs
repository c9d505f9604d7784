//! What must go, and what stays: the clean-up that belongs to a decision about a chain.

use std::collections::BTreeSet;

use super::chain::{Chain, carriers, is_busy};
use super::decided::Detail;
use super::facts::Facts;
use super::probe::Probe;
use super::rule::Step;
use crate::model::{BitmapTable, CleanUp, CleanUpKind, CleanUpTime};

impl Chain<'_> {
    /// What must go, among the checkpoints that are in the client's books: whatever of them is not whole, and what is left of own attempts. `redefined` is one that the
    /// recovery defines again on the disks where it is good. What can still serve is kept, and so is
    /// a checkpoint that only libvirt has forgotten; where the old chain is retired, that holds for
    /// the disks which the request is not about.
    pub(super) fn clean_up(
        &self,
        redefined: Option<&str>,
        retire: bool,
    ) -> Result<Vec<CleanUp>, Probe> {
        let mut steps = Vec::new();
        for name in self.names()? {
            let discarded = self.discarded(name)?;
            if discarded.is_none() && !self.is_attempt(name) {
                steps.extend(match self.nodes {
                    Some(nodes) => self.seen(name, nodes, redefined == Some(name), retire),
                    None => self.unseen(name, retire),
                });
            }
            steps.extend(discarded);
        }
        steps.sort_by_key(|step| step.time);
        Ok(steps)
    }

    /// The checkpoints that are this client's to clean up. One on a disk that the domain does not
    /// have any more waits until the disk is back: its bitmap there could not go.
    fn names(&self) -> Result<BTreeSet<&str>, Probe> {
        let facts = self.facts;
        let formats = facts.disk_formats()?;
        let saved = facts.records.saved_checkpoints.iter();
        let known = saved.chain(self.defined.keys()).map(String::as_str);
        let known = known.chain(self.needed.iter().map(|(_, name)| *name));
        let own = known.filter(|name| facts.records.are_about(name) || self.is_attempt(name));
        let has_its_disks = |name: &&str| {
            let mut disks = self.defined.get(*name).into_iter().flatten();
            disks.all(|disk| formats.contains_key(disk))
        };
        Ok(own.filter(has_its_disks).collect())
    }

    /// A checkpoint of an own attempt that came to no backup: one in the books, or that of the job
    /// which has ended.
    fn is_attempt(&self, name: &str) -> bool {
        let facts = self.facts;
        let of_ended_job =
            facts.error.is_none() && facts.request.checkpoint.as_deref() == Some(name);
        let is_uncommitted = facts.records.uncommitted_checkpoints.contains(name);
        (is_uncommitted || of_ended_job) && !facts.is_verified(name)
    }

    /// The clean-up of an own attempt that has left its checkpoint. One whose backup runs is needed.
    fn discarded(&self, name: &str) -> Result<Option<CleanUp>, Probe> {
        let Some(disks) = self.defined.get(name).filter(|_| self.is_attempt(name)) else {
            return Ok(None);
        };
        if self.facts.backup()? {
            return Ok(None);
        }
        let Some(nodes) = self.nodes else {
            return Ok(Some(CleanUp::discarding(name, disks.clone())));
        };
        let carriers = carriers(nodes, name);
        if is_busy(nodes, name) {
            return Ok(None);
        }
        if disks.iter().all(|disk| carriers.contains(disk)) {
            return Ok(Some(CleanUp::discarding(name, disks.iter().cloned())));
        }
        let step = if carriers.is_empty() {
            CleanUp::dropping(name, disks.iter().cloned())
        } else {
            CleanUp::purging(name, carriers)
        };
        Ok(Some(step.first()))
    }

    fn seen(
        &self,
        name: &str,
        nodes: &BitmapTable,
        is_redefined: bool,
        retire: bool,
    ) -> Option<CleanUp> {
        if is_busy(nodes, name) {
            return None;
        }
        let is_defined = self.defined.contains_key(name) || is_redefined;
        let carriers = carriers(nodes, name);
        let is_good = |disk: &String| self.is_good(disk, name).unwrap_or_default();
        let (good, broken): (Vec<String>, Vec<String>) =
            carriers.iter().cloned().partition(is_good);
        let lacks_it = |(disk, of): &&(&str, &str)| *of == name && !carriers.contains(*disk);
        let missing = self.needed.iter().filter(lacks_it);
        let missing: Vec<String> = missing.map(|(disk, _)| (*disk).to_owned()).collect();
        let (kept, retired): (Vec<String>, Vec<String>) = good
            .into_iter()
            .partition(|disk| self.is_kept(disk, name, retire));
        if broken.is_empty() && missing.is_empty() {
            let is_whole = is_defined && !carriers.is_empty();
            // One without a disk at all may have been made so.
            let never_had_any = carriers.is_empty() && !self.facts.is_verified(name);
            let is_forgotten = !is_defined && (!retire || self.facts.is_verified(name));
            if is_whole || never_had_any || is_forgotten {
                return None;
            }
        }
        if !is_defined && carriers.is_empty() {
            return None;
        }
        let purged = [retired, broken].concat();
        let step = if purged.is_empty() {
            CleanUp::dropping(name, missing)
        } else {
            CleanUp::purging(name, purged)
        };
        Some(CleanUp { kept, ..step })
    }

    /// Without a way to QEMU's monitor only what libvirt has called bad is known to have to go; a
    /// disk that nobody has asked about is kept as if it were good.
    fn unseen(&self, name: &str, retire: bool) -> Option<CleanUp> {
        let defined = self.defined.get(name)?;
        let health = self.facts.observed.bitmap_health.get(name)?;
        let is_bad = |disk: &&String| !self.is_good(disk, name).unwrap_or_default();
        let bad: BTreeSet<&String> = health.keys().filter(is_bad).collect();
        if bad.is_empty() {
            return None;
        }
        let is_kept = |disk: &String| !bad.contains(disk) && self.is_kept(disk, name, retire);
        let (kept, purged): (Vec<String>, Vec<String>) = defined.iter().cloned().partition(is_kept);
        let purged: BTreeSet<String> = purged.into_iter().chain(bad.into_iter().cloned()).collect();
        Some(CleanUp {
            kept,
            unseen: true,
            ..CleanUp::purging(name, purged)
        })
    }

    /// Whether a bitmap that is good stays: a backup stands behind it, and no new chain takes its
    /// disk's place.
    fn is_kept(&self, disk: &str, name: &str, retire: bool) -> bool {
        let (facts, mut requested) = (self.facts, self.facts.request.disk_names());
        let is_retired = retire && requested.any(|other| other == disk);
        facts.is_verified(name) && !facts.records.rule_out(disk, name) && !is_retired
    }
}

impl Facts {
    /// An own attempt has left the checkpoint of the request, which goes. One whose backup runs is
    /// needed, and what is in nobody's books is somebody else's.
    pub(super) fn left_by_own_attempt(&self) -> Step {
        let Some(name) = self.defined_checkpoint()? else {
            return Ok(None);
        };
        let is_own = self.records.uncommitted_checkpoints.contains(name);
        if !is_own || self.is_verified(name) || self.backup()? {
            return Ok(None);
        }
        let disks = self.checkpoints()?[name].clone();
        Ok(Some(Detail::cleaning([CleanUp::discarding(name, disks)])))
    }
}

impl CleanUp {
    /// The metadata of a checkpoint goes, which no disk has a bitmap of.
    pub(super) fn dropping(name: &str, disks: impl IntoIterator<Item = String>) -> Self {
        Self::of(CleanUpKind::DropCheckpointMetadata, name, disks)
    }

    /// The bitmaps of a checkpoint go from these disks of a domain that runs.
    pub(super) fn purging(name: &str, disks: impl IntoIterator<Item = String>) -> Self {
        Self::of(CleanUpKind::PurgeStaleBitmapLive, name, disks)
    }

    /// The same from closed images, at once.
    pub(super) fn purging_offline(name: &str, disks: impl IntoIterator<Item = String>) -> Self {
        Self::of(CleanUpKind::PurgeStaleBitmapOffline, name, disks).first()
    }

    /// The checkpoint of an attempt that came to no backup goes, before anything else.
    pub(super) fn discarding(name: &str, disks: impl IntoIterator<Item = String>) -> Self {
        Self::of(CleanUpKind::DiscardUncommittedCheckpoint, name, disks).first()
    }

    /// A backup job that no job API sees is ended, before anything else.
    pub(super) fn unsticking(name: &str, disks: impl IntoIterator<Item = String>) -> Self {
        Self::of(CleanUpKind::ClearStuckBackupJob, name, disks).first()
    }

    /// The same before anything else.
    pub(super) fn first(self) -> Self {
        Self {
            time: CleanUpTime::First,
            ..self
        }
    }

    fn of(kind: CleanUpKind, name: &str, disks: impl IntoIterator<Item = String>) -> Self {
        Self {
            kind,
            checkpoint: name.to_owned(),
            disks: disks.into_iter().collect(),
            kept: Vec::new(),
            time: CleanUpTime::AfterVerifiedBackup,
            unseen: false,
        }
    }
}

//! The checkpoints and bitmaps that a request is about: which of them can serve, and what must go.

use std::collections::{BTreeMap, BTreeSet};

use super::decided::Detail;
use super::facts::{BitmapHealth, Facts};
use super::probe::Probe;
use crate::model::{BitmapRow, BitmapTable, CleanUp, CleanUpKind, CleanUpTime, DiskPart};

/// The checkpoints and bitmaps that a request is about.
pub(super) struct Chain<'a> {
    facts: &'a Facts,
    /// The checkpoint whose bitmap each disk needs.
    pub(super) needed: Vec<(&'a str, &'a str)>,
    defined: &'a BTreeMap<String, Vec<String>>,
    /// What QEMU has in memory; without a way to its monitor, libvirt is asked bitmap by bitmap.
    nodes: Option<&'a BitmapTable>,
}

impl Facts {
    /// The chain, once the checkpoints are known, and the bitmaps where they can be.
    pub(super) fn chain(&self) -> Result<Chain<'_>, Probe> {
        let defined = self.checkpoints()?;
        let nodes = if self.records.can_use_monitor {
            Some(self.bitmaps()?)
        } else {
            self.observed.bitmaps.as_ref()
        };
        Ok(Chain {
            facts: self,
            needed: self.request.needed().collect(),
            defined,
            nodes,
        })
    }
}

impl<'a> Chain<'a> {
    /// The bases that libvirt does not know.
    pub(super) fn lost_bases(&self) -> Vec<&'a str> {
        let bases = self.needed.iter().map(|(_, name)| *name);
        bases
            .filter(|name| !self.defined.contains_key(*name))
            .collect()
    }

    /// The rows of the bitmaps that are needed, as far as they have been seen.
    pub(super) fn needed_rows(&self) -> impl Iterator<Item = &'a BitmapRow> {
        let rows = |nodes: &'a BitmapTable| {
            let needed = self.needed.clone().into_iter();
            needed.flat_map(move |(disk, name)| nodes.on(disk, name))
        };
        self.nodes.into_iter().flat_map(rows)
    }

    /// Whether a bitmap can be a base: libvirt's rule, and an image of which the client knows that
    /// it is still the one which the bitmap tells about.
    fn is_good(&self, disk: &str, name: &str) -> Result<bool, Probe> {
        if self.facts.records.is_replaced(disk, name) {
            return Ok(false);
        }
        if let Some(nodes) = self.nodes {
            return Ok(is_good(nodes, disk, name));
        }
        let known = self.facts.observed.bitmap_health.get(name);
        match known.and_then(|disks| disks.get(disk)) {
            Some(health) => Ok(*health == BitmapHealth::Good),
            None => Err(Probe::BitmapHealth {
                checkpoint: name.to_owned(),
                disks: self
                    .needed
                    .iter()
                    .map(|(disk, _)| (*disk).to_owned())
                    .collect(),
            }),
        }
    }

    /// The disks of the request whose bitmap is bad.
    pub(super) fn bad(&self) -> Result<Vec<(&'a str, &'a str)>, Probe> {
        let mut bad = Vec::new();
        for needed @ (disk, name) in &self.needed {
            if !self.is_good(disk, name)? {
                bad.push(*needed);
            }
        }
        Ok(bad)
    }

    /// A disk is bad, and no backup can be parted between the others and this one. No bad disk is a
    /// contradiction, which no rule covers.
    pub(super) fn nothing_serves(&self) -> Result<bool, Probe> {
        let bad = self.bad()?;
        let serves = |needed: &(&str, &str)| {
            let can_mix = self.facts.records.can_mix;
            can_mix && !bad.contains(needed) && self.facts.is_verified(needed.1)
        };
        Ok(!bad.is_empty() && !self.needed.iter().any(serves))
    }

    /// One backup, full for the disks that are bad and incremental for those that serve. They must
    /// have one base: a recovery that branches for each disk is nobody's decision yet.
    pub(super) fn parted(&self) -> Result<Option<Detail>, Probe> {
        let bad = self.bad()?;
        let mut good = self.needed.iter().filter(|needed| !bad.contains(needed));
        let Some((_, base)) = good.clone().next() else {
            return Ok(None);
        };
        let is_one = good.all(|(_, name)| name == base);
        let can_mix = self.facts.records.can_mix;
        if bad.is_empty() || !is_one || !can_mix || !self.facts.is_verified(base) {
            return Ok(None);
        }
        let part = |needed: &(&str, &str)| {
            let part = if bad.contains(needed) {
                DiskPart::Full
            } else {
                DiskPart::Incremental
            };
            (needed.0.to_owned(), part)
        };
        Ok(Some(Detail {
            base: Some((*base).to_owned()),
            disks: self.needed.iter().map(part).collect(),
            clean_up: self.clean_up(Some(base), false),
        }))
    }

    /// An incremental backup from the newest other checkpoint that can serve: defined, good on every
    /// disk of the request, and with a verified backup behind it.
    pub(super) fn branched(&self) -> Result<Option<Detail>, Probe> {
        for base in self.facts.records.verified_checkpoints.iter().rev() {
            let is_needed = self.needed.iter().any(|(_, name)| name == base);
            if is_needed || !self.defined.contains_key(base) {
                continue;
            }
            let mut all_good = true;
            for (disk, _) in &self.needed {
                all_good &= self.is_good(disk, base)?;
            }
            if all_good {
                let part = |(disk, _): &(&str, &str)| ((*disk).to_owned(), DiskPart::Incremental);
                return Ok(Some(Detail {
                    base: Some(base.clone()),
                    disks: self.needed.iter().map(part).collect(),
                    clean_up: self.clean_up(None, false),
                }));
            }
        }
        Ok(None)
    }

    /// A full backup; what is broken of the old chain goes once it is verified.
    pub(super) fn retired(&self) -> Detail {
        Detail::cleaning(self.clean_up(None, true))
    }

    /// What must go, among the checkpoints that the client knows: whatever of them is not whole,
    /// and what is left of own attempts. `redefined` is one that the recovery defines again on the
    /// disks where it is good. Where the old chain is not retired, what can still serve is kept, and
    /// so is a checkpoint that only libvirt has forgotten.
    fn clean_up(&self, redefined: Option<&str>, retire: bool) -> Vec<CleanUp> {
        let Some(nodes) = self.nodes else {
            return self.unseen_clean_up();
        };
        let saved = self.facts.records.saved_checkpoints.iter();
        let known = saved.chain(self.defined.keys()).map(String::as_str);
        let names: BTreeSet<&str> = known
            .chain(self.needed.iter().map(|(_, name)| *name))
            .collect();
        let mut steps = Vec::new();
        for name in names {
            steps.extend(self.discarded(name, nodes));
            if !self.facts.records.uncommitted_checkpoints.contains(name) {
                steps.extend(self.clean_up_of(name, nodes, redefined == Some(name), retire));
            }
        }
        steps.sort_by_key(|step| step.time);
        steps
    }

    /// Without a way to QEMU's monitor only what libvirt has called bad is known to have to go.
    fn unseen_clean_up(&self) -> Vec<CleanUp> {
        let facts = self.facts;
        let own = |name: &&String| {
            facts.records.uncommitted_checkpoints.contains(*name) && !facts.is_verified(name)
        };
        let discard = |name: &String| CleanUp::discarding(name, self.defined[name].clone());
        let mut steps: Vec<CleanUp> = self.defined.keys().filter(own).map(discard).collect();
        for name in self.defined.keys().filter(|name| !own(name)) {
            let Some(health) = facts.observed.bitmap_health.get(name) else {
                continue;
            };
            let is_good = |disk: &String, health: BitmapHealth| {
                health == BitmapHealth::Good && !facts.records.is_replaced(disk, name)
            };
            let (good, bad): (Vec<_>, Vec<_>) = health
                .iter()
                .partition(|(disk, health)| is_good(disk, **health));
            if bad.is_empty() {
                continue;
            }
            let keeps = facts.is_verified(name) && facts.records.can_mix;
            let owned = |disks: Vec<(&String, _)>| -> Vec<String> {
                disks.into_iter().map(|(disk, _)| disk.clone()).collect()
            };
            steps.push(CleanUp {
                kept: if keeps { owned(good) } else { Vec::new() },
                unseen: true,
                ..CleanUp::purging(name, owned(bad))
            });
        }
        steps
    }

    /// The clean-up of an own attempt that has left its checkpoint.
    fn discarded(&self, name: &str, nodes: &BitmapTable) -> Option<CleanUp> {
        if !self.facts.records.uncommitted_checkpoints.contains(name)
            || self.facts.is_verified(name)
        {
            return None;
        }
        let disks = self.defined.get(name)?;
        let carriers: BTreeSet<String> = carriers(nodes, name);
        if disks.iter().all(|disk| carriers.contains(disk)) {
            return Some(CleanUp::discarding(name, disks.iter().cloned()));
        }
        let step = if carriers.is_empty() {
            CleanUp::dropping(name, disks.iter().cloned())
        } else {
            CleanUp::purging(name, carriers)
        };
        Some(step.first())
    }

    fn clean_up_of(
        &self,
        name: &str,
        nodes: &BitmapTable,
        is_redefined: bool,
        retire: bool,
    ) -> Option<CleanUp> {
        let is_defined = self.defined.contains_key(name) || is_redefined;
        let carriers = carriers(nodes, name);
        let (good, broken): (Vec<String>, Vec<String>) = carriers
            .iter()
            .cloned()
            .partition(|disk| self.is_good(disk, name).unwrap_or_default());
        let lacks_it = |(disk, of): &&(&str, &str)| *of == name && !carriers.contains(*disk);
        let missing = self.needed.iter().filter(lacks_it);
        let missing: Vec<String> = missing.map(|(disk, _)| (*disk).to_owned()).collect();
        if broken.is_empty() && missing.is_empty() {
            let is_whole = is_defined && !good.is_empty();
            // One without a disk at all may have been made so.
            let never_had_any = good.is_empty() && !self.facts.is_verified(name);
            if is_whole || never_had_any || (!is_defined && !retire) {
                return None;
            }
        }
        if carriers.is_empty() && !is_defined {
            return None;
        }
        let keeps = !retire && is_defined && self.facts.is_verified(name);
        let (kept, purged) = if keeps {
            (good, broken)
        } else {
            (Vec::new(), [good, broken].concat())
        };
        let step = if purged.is_empty() {
            CleanUp::dropping(name, missing)
        } else {
            CleanUp::purging(name, purged)
        };
        Some(CleanUp { kept, ..step })
    }
}

/// The disks of whose layers one carries the bitmap. A job's own goes with the job.
pub(super) fn carriers(bitmaps: &BitmapTable, name: &str) -> BTreeSet<String> {
    let rows = bitmaps.0.iter();
    let rows = rows.filter(|row| row.name == name && row.persistent && !row.busy);
    rows.map(|row| row.disk.clone()).collect()
}

/// The validity rule of libvirt, over what QEMU shows: in the top layer and in consecutive ones
/// from there, each persistent, recording and consistent
/// (`src/qemu/qemu_block.c:qemuBlockBitmapChainIsValid`).
pub(super) fn is_good(bitmaps: &BitmapTable, disk: &str, name: &str) -> bool {
    let rows: Vec<_> = bitmaps.on(disk, name).collect();
    let consecutive = (0..).zip(&rows).all(|(layer, row)| row.layer == layer);
    let usable = rows
        .iter()
        .all(|row| row.persistent && row.recording && !row.inconsistent);
    !rows.is_empty() && consecutive && usable
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

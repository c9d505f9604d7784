//! The checkpoints and bitmaps that a request is about: which of them can serve, and what must go.

use std::collections::{BTreeMap, BTreeSet};

use super::decided::Detail;
use super::facts::{BitmapHealth, Facts};
use super::probe::Probe;
use crate::model::{BitmapRow, BitmapTable, DiskPart};

/// The checkpoints and bitmaps that a request is about.
pub(super) struct Chain<'a> {
    pub(super) facts: &'a Facts,
    /// The checkpoint whose bitmap each disk needs.
    pub(super) needed: Vec<(&'a str, &'a str)>,
    pub(super) defined: &'a BTreeMap<String, Vec<String>>,
    /// What QEMU has in memory; without a way to its monitor, libvirt is asked bitmap by bitmap.
    pub(super) nodes: Option<&'a BitmapTable>,
}

impl Facts {
    /// The chain, once the checkpoints are known, and the bitmaps where they can be.
    pub(super) fn chain(&self) -> Result<Chain<'_>, Probe> {
        self.disks_are_known()?;
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

    /// Whether a bitmap can be a base: libvirt's rule, and nothing in the client's books against it.
    pub(super) fn is_good(&self, disk: &str, name: &str) -> Result<bool, Probe> {
        if self.facts.records.rule_out(disk, name) {
            return Ok(false);
        }
        if let Some(nodes) = self.nodes {
            return Ok(nodes.has_usable(disk, name));
        }
        match self.facts.observed.bitmap_health.get(name) {
            // A disk that the answer leaves out was asked for, and was not found good.
            Some(disks) => Ok(disks.get(disk) == Some(&BitmapHealth::Good)),
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
            clean_up: self.clean_up(Some(base), false)?,
        }))
    }

    /// An incremental backup from the newest other checkpoint that can serve: good on every disk of
    /// the request, and with a verified backup behind it. libvirt need not know it any more.
    pub(super) fn branched(&self) -> Result<Option<Detail>, Probe> {
        for base in self.facts.records.verified_checkpoints.iter().rev() {
            if self.needed.iter().any(|(_, name)| name == base) {
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
                    clean_up: self.clean_up(Some(base), false)?,
                }));
            }
        }
        Ok(None)
    }

    /// A full backup; what is broken of the old chain goes once it is verified.
    pub(super) fn retired(&self) -> Result<Detail, Probe> {
        self.clean_up(None, true).map(Detail::cleaning)
    }
}

/// The disks of whose layers one carries the bitmap. One that is not persistent goes with its job.
pub(super) fn carriers(bitmaps: &BitmapTable, name: &str) -> BTreeSet<String> {
    let rows = bitmaps.0.iter();
    let rows = rows.filter(|row| row.name == name && row.persistent);
    rows.map(|row| row.disk.clone()).collect()
}

/// Whether something in QEMU uses a persistent bitmap of the name, which then can neither be a base
/// nor go (`block/dirty-bitmap.c:bdrv_dirty_bitmap_check`).
pub(super) fn is_busy(bitmaps: &BitmapTable, name: &str) -> bool {
    let mut rows = bitmaps.0.iter();
    rows.any(|row| row.name == name && row.persistent && row.busy)
}

//! The situations of the rules: what must be known, and what of it must be the case.

use std::collections::BTreeSet;

use super::decided::Detail;
use super::facts::{Facts, Probe, Records, ServerPlace};
use crate::model::{
    BitmapRow, BitmapTable, CleanUp, CleanUpKind, DiskFormat, DiskPart, DomainState,
};

/// What a rule makes of the facts.
pub(super) enum Step {
    /// Another rule must say.
    Pass,
    /// A question must be answered first.
    Need(Probe),
    /// This is the situation, and this goes with the decision.
    Decide(Detail),
}

impl Step {
    fn when(holds: bool) -> Self {
        if holds {
            Self::Decide(Detail::default())
        } else {
            Self::Pass
        }
    }
}

/// The code alone tells.
pub(super) fn always(_: &Facts) -> Step {
    Step::when(true)
}

pub(super) fn flags_are_refused(facts: &Facts) -> Step {
    Step::when(facts.error.int1 == 0)
}

pub(super) fn domain_is_off(facts: &Facts) -> Step {
    match facts.observed.domain_state {
        None => Step::Need(Probe::DomainState),
        Some(state) => Step::when(!state.is_active()),
    }
}

pub(super) fn restored_and_paused(facts: &Facts) -> Step {
    match facts.observed.domain_state {
        None => Step::Need(Probe::DomainState),
        Some(state) => {
            Step::when(state == DomainState::Paused && facts.records.restored_and_not_resumed)
        }
    }
}

pub(super) fn raw_disk(facts: &Facts) -> Step {
    let Some(formats) = &facts.observed.disk_formats else {
        return Step::Need(Probe::DiskFormats);
    };
    let is_raw = |(disk, _): (&str, &str)| formats.get(disk) == Some(&DiskFormat::Raw);
    Step::when(facts.request.needed().any(is_raw))
}

pub(super) fn only_metadata_is_lost(facts: &Facts) -> Step {
    with_chain(facts, |chain| {
        let lost: Vec<&str> = chain.lost_bases().collect();
        let is_kept = |name: &&str| facts.records.saved_checkpoints.contains(*name);
        let holds = !lost.is_empty()
            && chain.bad().is_empty()
            && lost.iter().all(is_kept)
            && lost.iter().all(|name| chain.is_verified(name));
        holds.then(Detail::default)
    })
}

pub(super) fn base_is_unknown_and_bad_on_some_disks(facts: &Facts) -> Step {
    with_chain(facts, |chain| {
        chain.lost_bases().next()?;
        chain.parted()
    })
}

pub(super) fn base_is_unknown_and_another_good(facts: &Facts) -> Step {
    with_chain(facts, |chain| {
        chain.lost_bases().next()?;
        chain.branched()
    })
}

pub(super) fn base_is_unknown(facts: &Facts) -> Step {
    with_chain(facts, |chain| {
        chain.lost_bases().next()?;
        Some(chain.retired())
    })
}

#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method itself is not general enough in its lifetime"
)]
pub(super) fn some_disks_are_bad(facts: &Facts) -> Step {
    with_chain(facts, |chain| chain.parted())
}

pub(super) fn no_disk_is_good_and_another_base_is(facts: &Facts) -> Step {
    with_chain(facts, |chain| {
        chain.nothing_serves().then(|| chain.branched()).flatten()
    })
}

pub(super) fn no_disk_is_good_and_some_inconsistent(facts: &Facts) -> Step {
    no_disk_is_good_and(facts, |row| row.inconsistent)
}

pub(super) fn no_disk_is_good_and_some_disabled(facts: &Facts) -> Step {
    no_disk_is_good_and(facts, |row| !row.recording)
}

fn no_disk_is_good_and(facts: &Facts, is_so: fn(&BitmapRow) -> bool) -> Step {
    with_chain(facts, |chain| {
        let some = |(disk, name): &(&str, &str)| chain.bitmaps.on(disk, name).any(is_so);
        let holds = chain.nothing_serves() && chain.needed.iter().any(some);
        holds.then(|| chain.retired())
    })
}

pub(super) fn no_disk_is_good(facts: &Facts) -> Step {
    with_chain(facts, |chain| {
        chain.nothing_serves().then(|| chain.retired())
    })
}

/// A backup job on a disk, of a call that failed, is libvirt's own orphan: nobody ends it.
pub(super) fn disk_has_a_block_job(facts: &Facts) -> Step {
    unless_something_was_left(facts, || {
        let Some(jobs) = &facts.observed.block_jobs else {
            return Step::Need(Probe::BlockJobs);
        };
        let is_backup = |job: &u64| *job == BLOCK_JOB_TYPE_BACKUP;
        let mut disks = facts.request.disk_names();
        let foreign = disks.any(|disk| jobs.get(disk).is_some_and(|job| !is_backup(job)));
        Step::when(foreign && !jobs.values().any(is_backup))
    })
}

/// `VIR_DOMAIN_BLOCK_JOB_TYPE_BACKUP`.
const BLOCK_JOB_TYPE_BACKUP: u64 = 5;

pub(super) fn server_runs_already(facts: &Facts) -> Step {
    unless_something_was_left(facts, || {
        Step::when(facts.request.server.is_some() && says_that_a_server_runs(facts))
    })
}

pub(super) fn server_cannot_listen(facts: &Facts) -> Step {
    unless_something_was_left(facts, || {
        match (&facts.request.server, &facts.observed.server) {
            (None, _) => Step::Pass,
            (Some(_), None) => Step::Need(Probe::Server),
            (Some(_), Some(place)) => Step::when(matches!(place, ServerPlace::Unusable(_))),
        }
    })
}

fn says_that_a_server_runs(facts: &Facts) -> bool {
    facts.error.message.contains("NBD server already running")
}

/// A backup that failed and still has left its checkpoint got further than any of these
/// situations (`src/qemu/qemu_backup.c:qemuBackupBegin`): its jobs may run.
fn unless_something_was_left(facts: &Facts, situation: impl FnOnce() -> Step) -> Step {
    let Some(defined) = &facts.observed.checkpoints else {
        return Step::Need(Probe::Checkpoints);
    };
    match &facts.request.checkpoint {
        Some(name) if defined.contains(name) => Step::Pass,
        Some(_) | None => situation(),
    }
}

/// The checkpoints and bitmaps that a request is about, once both are known.
struct Chain<'a> {
    /// The checkpoint whose bitmap each disk needs.
    needed: Vec<(&'a str, &'a str)>,
    defined: &'a BTreeSet<String>,
    bitmaps: &'a BitmapTable,
    records: &'a Records,
}

fn with_chain(facts: &Facts, situation: impl FnOnce(&Chain<'_>) -> Option<Detail>) -> Step {
    let Some(defined) = &facts.observed.checkpoints else {
        return Step::Need(Probe::Checkpoints);
    };
    let Some(bitmaps) = &facts.observed.bitmaps else {
        return Step::Need(Probe::Bitmaps);
    };
    let chain = Chain {
        needed: facts.request.needed().collect(),
        defined,
        bitmaps,
        records: &facts.records,
    };
    situation(&chain).map_or(Step::Pass, Step::Decide)
}

impl<'a> Chain<'a> {
    /// The bases that libvirt does not know.
    fn lost_bases(&self) -> impl Iterator<Item = &'a str> {
        let lost = |(_, name): &&(&str, &str)| !self.defined.contains(*name);
        self.needed.iter().filter(lost).map(|(_, name)| *name)
    }

    /// A backup that was verified stands behind the checkpoint: without one, what is built on it
    /// restores with a hole.
    fn is_verified(&self, name: &str) -> bool {
        self.records
            .verified_checkpoints
            .iter()
            .any(|verified| verified == name)
    }

    /// The disks of the request whose bitmap is bad.
    fn bad(&self) -> Vec<(&'a str, &'a str)> {
        let is_bad = |(disk, name): &(&str, &str)| !is_good(self.bitmaps, disk, name);
        self.needed.iter().copied().filter(is_bad).collect()
    }

    /// Some disk is bad, and of the others none can serve. No bad disk is a contradiction, which no
    /// rule covers.
    fn nothing_serves(&self) -> bool {
        let bad = self.bad();
        let serves = |needed: &&(&str, &str)| !bad.contains(needed) && self.is_verified(needed.1);
        !bad.is_empty() && !self.needed.iter().any(|needed| serves(&needed))
    }

    /// One backup, full for the disks that are bad and incremental for those that serve. They must
    /// have one base: a recovery that branches for each disk is nobody's decision yet.
    fn parted(&self) -> Option<Detail> {
        let bad = self.bad();
        let mut good = self.needed.iter().filter(|needed| !bad.contains(needed));
        let (_, base) = *good.clone().next()?;
        if bad.is_empty() || !good.all(|(_, name)| *name == base) || !self.is_verified(base) {
            return None;
        }
        let part = |needed: &(&str, &str)| {
            let part = if bad.contains(needed) {
                DiskPart::Full
            } else {
                DiskPart::Incremental
            };
            (needed.0.to_owned(), part)
        };
        Some(Detail {
            base: Some(base.to_owned()),
            disks: self.needed.iter().map(part).collect(),
            clean_up: self.clean_up(Some(base), false),
        })
    }

    /// An incremental backup from the newest other checkpoint that can serve: defined, good on every
    /// disk of the request, and with a verified backup behind it.
    fn branched(&self) -> Option<Detail> {
        let can_serve = |other: &&String| {
            let is_other = !self.needed.iter().any(|(_, name)| *name == other.as_str());
            let is_good = |(disk, _): &(&str, &str)| is_good(self.bitmaps, disk, other);
            is_other && self.defined.contains(*other) && self.needed.iter().all(is_good)
        };
        let mut newest_first = self.records.verified_checkpoints.iter().rev();
        let base = newest_first.find(can_serve)?;
        let part = |(disk, _): &(&str, &str)| ((*disk).to_owned(), DiskPart::Incremental);
        Some(Detail {
            base: Some(base.clone()),
            disks: self.needed.iter().map(part).collect(),
            clean_up: self.clean_up(None, false),
        })
    }

    /// A full backup, and the old chain goes once it is verified.
    fn retired(&self) -> Detail {
        Detail {
            clean_up: self.clean_up(None, true),
            ..Detail::default()
        }
    }

    /// What must go once the next backup is verified, among the checkpoints that the client knows:
    /// whatever of them is not whole. `redefined` is one that the recovery defines again on the
    /// disks where it is good. Where the old chain is not retired, what can still serve is kept, and
    /// so is a checkpoint that only libvirt has forgotten.
    fn clean_up(&self, redefined: Option<&str>, retire: bool) -> Vec<CleanUp> {
        let saved = self.records.saved_checkpoints.iter();
        let known = saved.chain(self.defined).map(String::as_str);
        let names: BTreeSet<&str> = known
            .chain(self.needed.iter().map(|(_, name)| *name))
            .collect();
        let step = |name: &str| self.clean_up_of(name, redefined == Some(name), retire);
        names.into_iter().filter_map(step).collect()
    }

    fn clean_up_of(&self, name: &str, is_redefined: bool, retire: bool) -> Option<CleanUp> {
        let is_defined = self.defined.contains(name) || is_redefined;
        // A job's own bitmap goes with the job.
        let rows = self.bitmaps.0.iter();
        let rows = rows.filter(|row| row.name == name && row.persistent && !row.busy);
        let carriers: BTreeSet<&str> = rows.map(|row| row.disk.as_str()).collect();
        let (good, broken): (Vec<&str>, Vec<&str>) = carriers
            .iter()
            .partition(|disk| is_good(self.bitmaps, disk, name));
        let lacks_it = |(disk, of): &&(&str, &str)| *of == name && !carriers.contains(disk);
        let missing: Vec<&str> = self
            .needed
            .iter()
            .filter(lacks_it)
            .map(|(disk, _)| *disk)
            .collect();
        if broken.is_empty() && missing.is_empty() {
            let is_whole = is_defined && !good.is_empty();
            // One without a disk at all may have been made so.
            let never_had_any = good.is_empty() && !self.is_verified(name);
            if is_whole || never_had_any || (!is_defined && !retire) {
                return None;
            }
        }
        if carriers.is_empty() && !is_defined {
            return None;
        }
        let keeps = !retire && is_defined && self.is_verified(name);
        let (kept, purged) = if keeps {
            (good, broken)
        } else {
            (Vec::new(), [good, broken].concat())
        };
        let (kind, disks) = if purged.is_empty() {
            (CleanUpKind::DropCheckpointMetadata, missing)
        } else {
            (CleanUpKind::PurgeStaleBitmapLive, purged)
        };
        let owned = |disks: Vec<&str>| disks.into_iter().map(str::to_owned).collect();
        Some(CleanUp {
            kind,
            checkpoint: name.to_owned(),
            disks: owned(disks),
            kept: owned(kept),
        })
    }
}

/// The validity rule of libvirt, over what QEMU shows: in the top layer and in consecutive ones
/// from there, each persistent, recording and consistent.
fn is_good(bitmaps: &BitmapTable, disk: &str, name: &str) -> bool {
    let rows: Vec<_> = bitmaps.on(disk, name).collect();
    let consecutive = (0..).zip(&rows).all(|(layer, row)| row.layer == layer);
    let usable = rows
        .iter()
        .all(|row| row.persistent && row.recording && !row.inconsistent);
    !rows.is_empty() && consecutive && usable
}

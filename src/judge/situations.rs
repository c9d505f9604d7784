//! The situations of the rules: what must be known, and what of it must be the case.

use std::collections::{BTreeMap, BTreeSet};

use super::decided::Detail;
use super::facts::{Facts, Probe, ServerPlace};
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
        let is_kept = |(_, name): &(&str, &str)| facts.records.saved_checkpoints.contains(*name);
        let is_lost = |(_, name): &(&str, &str)| !chain.defined.contains(*name);
        let holds = !chain.needed.is_empty()
            && chain.bad().is_empty()
            && chain.needed.iter().all(is_kept)
            && chain.needed.iter().any(is_lost);
        holds.then(Detail::default)
    })
}

pub(super) fn base_is_unknown_and_another_good(facts: &Facts) -> Step {
    with_chain(facts, |chain| {
        let base = chain.other_base()?;
        Some(chain.detail(Some(base), BTreeMap::new()))
    })
}

pub(super) fn base_is_unknown(facts: &Facts) -> Step {
    with_chain(facts, |chain| Some(chain.detail(None, BTreeMap::new())))
}

pub(super) fn some_disks_are_bad(facts: &Facts) -> Step {
    with_chain(facts, |chain| {
        let bad = chain.bad();
        if bad.is_empty() || bad.len() == chain.needed.len() {
            return None;
        }
        let part = |(disk, name): &(&str, &str)| {
            let part = if bad.contains(&(disk, name)) {
                DiskPart::Full
            } else {
                DiskPart::Incremental
            };
            ((*disk).to_owned(), part)
        };
        let good = chain.needed.iter().find(|needed| !bad.contains(*needed));
        let base = good.map(|(_, name)| (*name).to_owned());
        Some(chain.detail(base, chain.needed.iter().map(part).collect()))
    })
}

pub(super) fn all_disks_are_bad_and_another_base_good(facts: &Facts) -> Step {
    with_chain(facts, |chain| {
        let base = chain.other_base()?;
        let detail = || chain.detail(Some(base), BTreeMap::new());
        chain.all_are_bad().then(detail)
    })
}

pub(super) fn all_disks_are_bad_and_some_inconsistent(facts: &Facts) -> Step {
    all_are_bad_and(facts, |row| row.inconsistent)
}

pub(super) fn all_disks_are_bad_and_some_disabled(facts: &Facts) -> Step {
    all_are_bad_and(facts, |row| !row.recording)
}

fn all_are_bad_and(facts: &Facts, is_so: fn(&BitmapRow) -> bool) -> Step {
    with_chain(facts, |chain| {
        let some = |(disk, name): &(&str, &str)| chain.bitmaps.on(disk, name).any(is_so);
        let holds = chain.all_are_bad() && chain.needed.iter().any(some);
        holds.then(|| chain.detail(None, BTreeMap::new()))
    })
}

/// No bad disk is a contradiction, which no rule covers.
pub(super) fn all_disks_are_bad(facts: &Facts) -> Step {
    with_chain(facts, |chain| {
        let detail = || chain.detail(None, BTreeMap::new());
        chain.all_are_bad().then(detail)
    })
}

pub(super) fn disk_has_a_block_job(facts: &Facts) -> Step {
    let Some(busy) = &facts.observed.block_jobs else {
        return Step::Need(Probe::BlockJobs);
    };
    Step::when(facts.request.disk_names().any(|disk| busy.contains(disk)))
}

pub(super) fn server_cannot_listen(facts: &Facts) -> Step {
    match (&facts.request.server, &facts.observed.server) {
        (None, _) => Step::Pass,
        (Some(_), None) => Step::Need(Probe::Server),
        (Some(_), Some(place)) => Step::when(matches!(place, ServerPlace::Unusable(_))),
    }
}

pub(super) fn server_runs_already(facts: &Facts) -> Step {
    let says_so = facts.error.message.contains("NBD server already running");
    Step::when(facts.request.server.is_some() && says_so)
}

/// The checkpoints and bitmaps that a request is about, once both are known.
struct Chain<'a> {
    /// The checkpoint whose bitmap each disk needs.
    needed: Vec<(&'a str, &'a str)>,
    defined: &'a BTreeSet<String>,
    bitmaps: &'a BitmapTable,
    verified: &'a [String],
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
        verified: &facts.records.verified_checkpoints,
    };
    situation(&chain).map_or(Step::Pass, Step::Decide)
}

impl<'a> Chain<'a> {
    /// The disks of the request whose bitmap is bad.
    fn bad(&self) -> Vec<(&'a str, &'a str)> {
        let is_bad = |(disk, name): &(&str, &str)| !is_good(self.bitmaps, disk, name);
        self.needed.iter().copied().filter(is_bad).collect()
    }

    fn all_are_bad(&self) -> bool {
        !self.needed.is_empty() && self.bad().len() == self.needed.len()
    }

    /// The newest other checkpoint that can serve: defined, good on every disk of the request, and
    /// with a verified backup behind it.
    fn other_base(&self) -> Option<String> {
        let can_serve = |other: &&String| {
            let is_other = !self.needed.iter().any(|(_, name)| *name == other.as_str());
            let is_good = |(disk, _): &(&str, &str)| is_good(self.bitmaps, disk, other);
            is_other && self.defined.contains(*other) && self.needed.iter().all(is_good)
        };
        let mut newest_first = self.verified.iter().rev();
        newest_first.find(can_serve).cloned()
    }

    fn detail(&self, base: Option<String>, disks: BTreeMap<String, DiskPart>) -> Detail {
        Detail {
            base,
            disks,
            clean_up: self.clean_up(),
        }
    }

    /// What must go once the next backup is verified: every checkpoint that is not whole, and every
    /// bitmap without a checkpoint. A bitmap that is there goes through libvirt, which needs the
    /// disks that carry it; metadata that no bitmap stands behind goes alone.
    fn clean_up(&self) -> Vec<CleanUp> {
        let rows = self.bitmaps.0.iter();
        let names: BTreeSet<&str> = rows
            .map(|row| row.name.as_str())
            .chain(self.defined.iter().map(String::as_str))
            .collect();
        let step = |name: &str| {
            let rows = || self.bitmaps.0.iter().filter(|row| row.name == name);
            let disks: BTreeSet<String> = rows().map(|row| row.disk.clone()).collect();
            let missing = |(disk, of): &(&str, &str)| *of == name && !disks.contains(*disk);
            let is_whole = !disks.is_empty()
                && disks.iter().all(|disk| is_good(self.bitmaps, disk, name))
                && !self.needed.iter().any(missing);
            if is_whole && self.defined.contains(name) {
                return None;
            }
            let kind = if disks.is_empty() {
                CleanUpKind::DropCheckpointMetadata
            } else {
                CleanUpKind::PurgeStaleBitmapLive
            };
            Some(CleanUp {
                kind,
                checkpoint: name.to_owned(),
                disks: disks.into_iter().collect(),
            })
        };
        names.into_iter().filter_map(step).collect()
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

//! The rules, as data: one row per situation, in the order they are tried.

use std::collections::BTreeSet;

use super::facts::{Facts, Probe};
use crate::model::{
    BitmapTable, CleanUp, CleanUpKind, Decision, DiskFormat, DomainState, ErrorCode,
};

/// One situation and what it calls for.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Stable identifier.
    pub id: &'static str,
    /// The error code it is about.
    pub code: ErrorCode,
    /// Whether the facts are this situation.
    pub(super) applies: fn(&Facts) -> Step,
    /// What a client does then.
    pub decision: Decision,
    /// The situation in words.
    pub because: &'static str,
    /// Who says so: libvirt's documents, source or history.
    pub sources: &'static [&'static str],
}

/// What a rule makes of the facts.
pub(super) enum Step {
    /// Another rule must say.
    Pass,
    /// A question must be answered first.
    Need(Probe),
    /// This is the situation; these clean-up steps go with the decision.
    Decide(Vec<CleanUp>),
}

/// Every rule, in the order they are tried.
#[must_use]
pub const fn rules() -> &'static [Rule] {
    RULES
}

const ERROR_HEADER: &str =
    "include/libvirt/virterror.h: VIR_ERR_CHECKPOINT_INCONSISTENT \"checkpoint can't be used\"";
const COMMIT_FACFA8262E: &str =
    "libvirt commit facfa8262e: do a full backup instead of an incremental one";
const CHAIN_IS_VALID: &str = "src/qemu/qemu_block.c:qemuBlockBitmapChainIsValid";

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "B27",
        code: ErrorCode::CONFIG_UNSUPPORTED,
        applies: |_| Step::Decide(Vec::new()),
        decision: Decision::FixRequest,
        because: "the parameters of the call ask for what this domain cannot do",
        sources: &["Red Hat bug 1874846, comment 9: a hard error caused by wrong parameters"],
    },
    Rule {
        id: "B5a",
        code: ErrorCode::CHECKPOINT_INCONSISTENT,
        applies: restored_and_paused,
        decision: Decision::ChangeDomainStateThenRetry,
        because: "the domain was restored and is still paused: its bitmaps are not loaded yet",
        sources: &["measured on libvirt 11.3.0 with QEMU 10.0; not on 7.0, 9.0 and 12.8"],
    },
    Rule {
        id: "B6",
        code: ErrorCode::CHECKPOINT_INCONSISTENT,
        applies: raw_disk,
        decision: Decision::FixRequest,
        because: "a raw disk is in the request, and raw images have no bitmaps",
        sources: &["Red Hat bug 1874846, description: incremental backup of a raw file"],
    },
    Rule {
        id: "B3",
        code: ErrorCode::CHECKPOINT_INCONSISTENT,
        applies: |facts| bitmaps_bad(facts, |bad, all, _| bad < all),
        decision: Decision::FullForAffectedDisks,
        because: "the bitmap is missing or broken on some of the disks",
        sources: &[
            CHAIN_IS_VALID,
            "docs/formatbackup.rst: backupmode of each disk",
        ],
    },
    Rule {
        id: "B1-other-base",
        code: ErrorCode::CHECKPOINT_INCONSISTENT,
        applies: |facts| bitmaps_bad(facts, |bad, all, other| bad == all && other),
        decision: Decision::IncrementalFromOtherGoodCheckpoint,
        because: "the bitmap is missing or broken on all disks, another base is good",
        sources: &[CHAIN_IS_VALID],
    },
    Rule {
        id: "B1",
        code: ErrorCode::CHECKPOINT_INCONSISTENT,
        applies: |facts| bitmaps_bad(facts, |bad, all, other| bad == all && !other),
        decision: Decision::FullBackupNewChain,
        because: "the bitmap is missing or broken on all disks, and no other base is good",
        sources: &[COMMIT_FACFA8262E, ERROR_HEADER],
    },
];

fn restored_and_paused(facts: &Facts) -> Step {
    match facts.observed.domain_state {
        None => Step::Need(Probe::DomainState),
        Some(DomainState::Paused) if facts.records.restored_and_not_resumed => {
            Step::Decide(Vec::new())
        }
        Some(_) => Step::Pass,
    }
}

fn raw_disk(facts: &Facts) -> Step {
    let Some(formats) = &facts.observed.disk_formats else {
        return Step::Need(Probe::DiskFormats);
    };
    let is_raw = |(disk, _): (&str, &str)| formats.get(disk) == Some(&DiskFormat::Raw);
    if facts.request.needed().any(is_raw) {
        Step::Decide(Vec::new())
    } else {
        Step::Pass
    }
}

/// Counts the disks of the request whose bitmap is bad, and asks `wanted` whether that many of
/// that many, with or without another good base, is the rule's situation. No bad disk is a
/// contradiction, which no rule covers.
fn bitmaps_bad(facts: &Facts, wanted: fn(usize, usize, bool) -> bool) -> Step {
    let Some(checkpoints) = &facts.observed.checkpoints else {
        return Step::Need(Probe::Checkpoints);
    };
    let Some(bitmaps) = &facts.observed.bitmaps else {
        return Step::Need(Probe::Bitmaps);
    };
    let needed: Vec<(&str, &str)> = facts.request.needed().collect();
    let is_bad = |(disk, name): &(&str, &str)| !is_good(bitmaps, disk, name);
    let bad: Vec<(&str, &str)> = needed.iter().copied().filter(is_bad).collect();
    let other_base = checkpoints.iter().any(|other| {
        !needed.iter().any(|(_, name)| name == other)
            && facts.records.verified_checkpoints.contains(other)
            && needed.iter().all(|(disk, _)| is_good(bitmaps, disk, other))
    });
    if bad.is_empty() || !wanted(bad.len(), needed.len(), other_base) {
        return Step::Pass;
    }
    Step::Decide(clean_up(&bad, bitmaps, checkpoints))
}

/// What must go, for each checkpoint that is bad on some disk: a bitmap that is there but bad, or
/// metadata that no bitmap stands behind.
fn clean_up(
    bad: &[(&str, &str)],
    bitmaps: &BitmapTable,
    defined: &BTreeSet<String>,
) -> Vec<CleanUp> {
    let names: BTreeSet<&str> = bad.iter().map(|(_, name)| *name).collect();
    let step = |name: &str| {
        let is_carrier =
            |(disk, of): &&(&str, &str)| *of == name && bitmaps.on(disk, name).next().is_some();
        let disks: Vec<String> = bad
            .iter()
            .filter(is_carrier)
            .map(|(disk, _)| (*disk).to_owned())
            .collect();
        let anywhere = bitmaps.0.iter().any(|row| row.name == name);
        let kind = match (disks.is_empty(), anywhere, defined.contains(name)) {
            (false, _, _) => CleanUpKind::PurgeStaleBitmapLive,
            (true, false, true) => CleanUpKind::DropCheckpointMetadata,
            // Another disk still has a good bitmap of this name, or nothing is left at all.
            (true, true, _) | (true, false, false) => return None,
        };
        Some(CleanUp {
            kind,
            checkpoint: name.to_owned(),
            disks,
        })
    };
    names.into_iter().filter_map(step).collect()
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

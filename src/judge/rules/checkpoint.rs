//! The codes about checkpoints and backups that are not there, or cannot be used.

use super::state::{
    domain_is_gone, domain_is_off, domain_is_off_and_may_start, restored_and_left_paused,
    restored_and_paused,
};
use crate::judge::Rule;
use crate::judge::chain::{Chain, carriers, is_busy};
use crate::judge::decided::Detail;
use crate::judge::facts::Facts;
use crate::judge::rule::{Step, plain};
use crate::model::{Api, BitmapRow, CleanUp, Decision, DiskFormat, ErrorCode, flags};

/// The codes that say that a base cannot be used.
const UNUSABLE: &[ErrorCode] = &[
    ErrorCode::CHECKPOINT_INCONSISTENT,
    ErrorCode::NO_DOMAIN_CHECKPOINT,
];
const NO_CHECKPOINT: &[ErrorCode] = &[ErrorCode::NO_DOMAIN_CHECKPOINT];
const INCONSISTENT: &[ErrorCode] = &[ErrorCode::CHECKPOINT_INCONSISTENT];
const FIX: Decision = Decision::FixRequest;
const DONE: Decision = Decision::TreatAsDone;
const REDEFINE: Decision = Decision::RedefineMissingCheckpointsThenRetry;
const OTHER_BASE: Decision = Decision::IncrementalFromOtherGoodCheckpoint;
const SOME_DISKS: Decision = Decision::FullForAffectedDisks;
const NEW_CHAIN: Decision = Decision::FullBackupNewChain;
const BEGIN: &[Api] = &[Api::DomainBackupBegin];
const DELETE: &[Api] = &[Api::CheckpointDelete];
/// The functions that look at bitmaps.
const LOOKING: &[Api] = &[Api::DomainBackupBegin, Api::CheckpointCreate];

const ERROR_HEADER: &str = "include/libvirt/virterror.h: VIR_ERR_CHECKPOINT_INCONSISTENT \"checkpoint \
              can't be used\"";
const COMMIT_FACFA8262E: &str =
    "libvirt commit facfa8262e: do a full backup instead of an incremental one";
const CHAIN_IS_VALID: &str = "src/qemu/qemu_block.c:qemuBlockBitmapChainIsValid";
const RAW_DISK: &str = "Red Hat bug 1874846, description: incremental backup of a raw file";
const BACKUPMODE: &str = "docs/formatbackup.rst: backupmode of each disk";
const NO_BASE: &str = "src/qemu/qemu_backup.c:qemuBackupDiskPrepareDataOne";
const NOT_LOADED: &str = "measured on libvirt 11.3.0 with QEMU 10.0; not on 7.0, 9.0 and 12.8";
const REDEFINING: &str = "docs/formatcheckpoint.rst: redefining a checkpoint";

pub(super) const RULES: &[Rule] = &[
    Rule::on("A2", &[ErrorCode::NO_DOMAIN_BACKUP], DONE).because(
        "no backup is registered; how the last one ended is in the statistics of \
              the completed job",
        &["src/qemu/qemu_backup.c:qemuDomainGetBackup"],
    ),
    Rule::on("D5-bitmap", NO_CHECKPOINT, DONE)
        .of(DELETE)
        .when(metadata_is_lost_and_bitmap_is_left)
        .because(
            "libvirt has lost the checkpoint that was to be deleted, and its bitmap is \
              still there",
            &[
                "src/qemu/qemu_checkpoint.c:qemuCheckpointDelete",
                REDEFINING,
            ],
        ),
    Rule::on("D5", NO_CHECKPOINT, DONE)
        .of(DELETE)
        .when(unwanted_one_is_not_defined)
        .because(
            "the checkpoint that was to be deleted is not there",
            &["src/qemu/qemu_checkpoint.c:qemuCheckpointDelete"],
        ),
    Rule::on("D5-use", NO_CHECKPOINT, REDEFINE)
        .of(&[
            Api::CheckpointGetXmlDesc,
            Api::CheckpointLookupByName,
            Api::CheckpointGetParent,
            Api::CheckpointListAllChildren,
        ])
        .when(wanted_one_can_be_redefined)
        .because(
            "libvirt has lost the checkpoint, and its document is kept; validation tells \
              whether its bitmap is good",
            &[REDEFINING],
        ),
    Rule::on("D5-unknown", NO_CHECKPOINT, FIX)
        .of(&[
            Api::CheckpointGetXmlDesc,
            Api::CheckpointLookupByName,
            Api::CheckpointGetParent,
            Api::CheckpointListAllChildren,
        ])
        .when(is_not_defined)
        .because(
            "there is no such checkpoint, and nothing to make it from",
            &["src/qemu/qemu_checkpoint.c:qemuCheckpointObjFromName"],
        ),
    Rule::on("D5-root", NO_CHECKPOINT, FIX)
        .of(&[Api::CheckpointGetParent])
        .because(
            "the checkpoint has no parent",
            &["src/qemu/qemu_driver.c:qemuDomainCheckpointGetParent"],
        ),
    Rule::on("B32-off", UNUSABLE, Decision::ChangeDomainStateThenRetry)
        .of(LOOKING)
        .when(domain_is_off_and_may_start)
        .because(
            "the domain is off by now: start it; paused is enough, unless it has a saved \
              state",
            &["src/qemu/qemu_backup.c:qemuBackupBegin"],
        ),
    Rule::on("B32-offline", UNUSABLE, FIX)
        .of(LOOKING)
        .when(domain_is_off)
        .because(
            "the domain is off by now, and must stay off: read its closed images by \
              qemu-img or qemu-nbd",
            &["src/qemu/qemu_backup.c:qemuBackupBegin"],
        ),
    Rule::on("B32-vanished", UNUSABLE, FIX)
        .of(LOOKING)
        .when(domain_is_gone)
        .because(
            "the domain is gone by now",
            &["src/qemu/qemu_domain.c:qemuDomainObjFromDomain"],
        ),
    Rule::on("B8-no-base", UNUSABLE, FIX)
        .of(BEGIN)
        .when_known(base_can_never_be_one)
        .because(
            "the base is the checkpoint that the same call makes, or has no name: it can never \
              serve",
            &[
                "src/qemu/qemu_backup.c:qemuBackupBegin: the checkpoint is defined before the disks \
              are looked at, and has its bitmaps after that",
                NO_BASE,
            ],
        ),
    Rule::on("B5a", UNUSABLE, Decision::ChangeDomainStateThenRetry)
        .of(LOOKING)
        .when(restored_and_paused)
        .because(
            "the domain was restored and is still paused: its bitmaps are not loaded yet",
            &[NOT_LOADED],
        ),
    Rule::on("B5a-wait", UNUSABLE, Decision::InvestigateEscalate)
        .of(LOOKING)
        .when(restored_and_left_paused)
        .because(
            "the domain was restored, is still paused, and may not be resumed: its bitmaps \
              are not loaded, and nothing can be told of them",
            &[NOT_LOADED],
        ),
    Rule::on("B8-raw", NO_CHECKPOINT, FIX)
        .of(BEGIN)
        .when(raw_disk)
        .because(
            "a raw disk is in the request, and raw images have no bitmaps",
            &[RAW_DISK],
        ),
    Rule::on("B6", INCONSISTENT, FIX).when(raw_disk).because(
        "a raw disk is in the request, and raw images have no bitmaps",
        &[RAW_DISK],
    ),
    Rule::on("B5a-unknown", UNUSABLE, Decision::InvestigateEscalate)
        .of(LOOKING)
        .when(perhaps_restored)
        .because(
            "the domain is paused and has checkpoints, but not one bitmap: they may be \
              gone, or not loaded since the domain was restored",
            &[NOT_LOADED],
        ),
    Rule::on("B7", NO_CHECKPOINT, REDEFINE)
        .of(BEGIN)
        .when(only_metadata_is_lost)
        .because(
            "libvirt has lost the checkpoint, its bitmap is good, and a verified backup is \
              behind it",
            &[REDEFINING, "libvirt commit 5ab8cc78c4"],
        ),
    Rule::on("B8-some-disks", NO_CHECKPOINT, SOME_DISKS)
        .of(BEGIN)
        .when(base_is_unknown_and_bad_on_some_disks)
        .because(
            "libvirt has lost the checkpoint, and its bitmap is good on some of the disks",
            &[CHAIN_IS_VALID, BACKUPMODE],
        ),
    Rule::on("B8-other-base", NO_CHECKPOINT, OTHER_BASE)
        .of(BEGIN)
        .when(base_is_unknown_and_another_good)
        .because("the base does not exist, another one is good", &[NO_BASE]),
    Rule::on("B8", NO_CHECKPOINT, NEW_CHAIN)
        .of(BEGIN)
        .when(base_is_unknown)
        .because(
            "the base does not exist, and no other one is good",
            &[NO_BASE],
        ),
    Rule::on("B3", INCONSISTENT, SOME_DISKS)
        .when(some_disks_are_bad)
        .because(
            "the bitmap is missing or broken on some of the disks",
            &[CHAIN_IS_VALID, BACKUPMODE],
        ),
    Rule::on("B1-other-base", INCONSISTENT, OTHER_BASE)
        .when(no_disk_is_good_and_another_base_is)
        .because(
            "no disk can serve: the bitmap is missing or broken; another base is good",
            &[
                CHAIN_IS_VALID,
                "measured on libvirt 7.0 to 12.8: each checkpoint has a bitmap of its own",
            ],
        ),
    Rule::on("B2", INCONSISTENT, NEW_CHAIN)
        .when(no_disk_is_good_and_some_inconsistent)
        .because(
            "the bitmap is inconsistent, as after a crash, and no other base is good",
            &[
                COMMIT_FACFA8262E,
                "docs/interop/bitmaps.rst of QEMU: an inconsistent bitmap can only be removed",
            ],
        ),
    Rule::on("B5", INCONSISTENT, NEW_CHAIN)
        .when(no_disk_is_good_and_some_disabled)
        .because(
            "the bitmap has stopped recording, and no other base is good",
            &[COMMIT_FACFA8262E, CHAIN_IS_VALID],
        ),
    Rule::on("B1", INCONSISTENT, NEW_CHAIN)
        .when(no_disk_is_good)
        .because(
            "no disk can serve: the bitmap is missing, broken or of another image; and no \
              other base is good",
            &[COMMIT_FACFA8262E, ERROR_HEADER],
        ),
];

pub(super) fn base_can_never_be_one(facts: &Facts) -> bool {
    let made = facts.request.checkpoint.as_deref();
    let of_all = facts.request.each_disk.iter();
    let of_all = of_all.filter_map(|each| each.base.as_deref());
    let mut bases = facts.request.needed().map(|(_, base)| base).chain(of_all);
    bases.any(|base| base.is_empty() || Some(base) == made)
}

/// It is in the client's books: its bitmap is nobody else's.
fn metadata_is_lost_and_bitmap_is_left(facts: &Facts) -> Step {
    let Some(name) = &facts.request.checkpoint else {
        return Ok(None);
    };
    let is_own = facts.records.are_about(name);
    let is_of_metadata = facts.request.flags & flags::CHECKPOINT_DELETE_METADATA_ONLY != 0;
    let is_about_more = is_of_metadata || facts.is_about_children();
    if !is_own || is_about_more || !facts.records.can_use_monitor {
        return Ok(None);
    }
    if facts.checkpoints()?.contains_key(name) {
        return Ok(None);
    }
    if !facts.domain_state()?.is_active() {
        return Ok(None);
    }
    let bitmaps = facts.bitmaps()?;
    let disks = carriers(bitmaps, name);
    if is_busy(bitmaps, name) {
        return Ok(None);
    }
    let purge = || Detail::cleaning([CleanUp::purging(name, disks.clone()).first()]);
    Ok((!disks.is_empty()).then(purge))
}

fn unwanted_one_is_not_defined(facts: &Facts) -> Step {
    if facts.is_about_children() {
        return Ok(None);
    }
    is_not_defined(facts)
}

fn is_not_defined(facts: &Facts) -> Step {
    Ok(plain(facts.defined_checkpoint()?.is_none()))
}

fn wanted_one_can_be_redefined(facts: &Facts) -> Step {
    let Some(name) = &facts.request.checkpoint else {
        return Ok(None);
    };
    let is_kept = facts.records.saved_checkpoints.contains(name);
    Ok(plain(is_kept && !facts.checkpoints()?.contains_key(name)))
}

/// Without a way to QEMU's monitor only the needed bitmaps are looked at.
fn perhaps_restored(facts: &Facts) -> Step {
    if !facts.is_perhaps_restored()? {
        return Ok(None);
    }
    if facts.records.can_use_monitor {
        return Ok(plain(!facts.has_bitmaps()?));
    }
    let chain = facts.chain()?;
    Ok(plain(chain.bad()?.len() == chain.needed.len()))
}

fn raw_disk(facts: &Facts) -> Step {
    let formats = facts.disk_formats()?;
    let is_raw = |(disk, _): (&str, &str)| formats.get(disk) == Some(&DiskFormat::Raw);
    Ok(plain(facts.request.needed().any(is_raw)))
}

fn only_metadata_is_lost(facts: &Facts) -> Step {
    let chain = facts.chain()?;
    let lost = chain.lost_bases();
    let can_be_defined = !lost.is_empty() && lost.iter().all(|name| facts.is_verified(name));
    Ok(plain(can_be_defined && chain.bad()?.is_empty()))
}

fn base_is_unknown_and_bad_on_some_disks(facts: &Facts) -> Step {
    lost(facts)?.map_or(Ok(None), |chain| chain.parted())
}

fn base_is_unknown_and_another_good(facts: &Facts) -> Step {
    lost(facts)?.map_or(Ok(None), |chain| chain.branched())
}

fn base_is_unknown(facts: &Facts) -> Step {
    lost(facts)?.map(|chain| chain.retired()).transpose()
}

/// The chain, where libvirt does not know a base.
fn lost(facts: &Facts) -> Result<Option<Chain<'_>>, crate::judge::Probe> {
    let chain = facts.chain()?;
    Ok((!chain.lost_bases().is_empty()).then_some(chain))
}

fn some_disks_are_bad(facts: &Facts) -> Step {
    facts.chain()?.parted()
}

fn no_disk_is_good_and_another_base_is(facts: &Facts) -> Step {
    let chain = facts.chain()?;
    if !chain.nothing_serves()? {
        return Ok(None);
    }
    chain.branched()
}

fn no_disk_is_good_and_some_inconsistent(facts: &Facts) -> Step {
    no_disk_is_good_and(facts, |row| row.inconsistent)
}

fn no_disk_is_good_and_some_disabled(facts: &Facts) -> Step {
    no_disk_is_good_and(facts, |row| !row.recording)
}

fn no_disk_is_good_and(facts: &Facts, is_so: fn(&BitmapRow) -> bool) -> Step {
    let chain = facts.chain()?;
    if !chain.nothing_serves()? || !chain.needed_rows().any(is_so) {
        return Ok(None);
    }
    chain.retired().map(Some)
}

fn no_disk_is_good(facts: &Facts) -> Step {
    let chain = facts.chain()?;
    if !chain.nothing_serves()? {
        return Ok(None);
    }
    chain.retired().map(Some)
}

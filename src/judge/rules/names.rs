//! `VIR_ERR_INTERNAL_ERROR` about what a new checkpoint needs: an image that stores bitmaps, metadata
//! that can be stored, and a name that no bitmap bears.

use std::collections::{BTreeMap, BTreeSet};

use super::checkpoint::base_can_never_be_one;
use crate::judge::Rule;
use crate::judge::chain::{carriers, is_busy};
use crate::judge::decided::Detail;
use crate::judge::facts::{BitmapHealth, Facts};
use crate::judge::probe::Probe;
use crate::judge::records::Records;
use crate::judge::rule::{Step, plain};
use crate::model::{Api, CleanUp, CleanUpTime, Compat, Decision, ErrorCode, flags};

const INTERNAL: &[ErrorCode] = &[ErrorCode::INTERNAL_ERROR];
const FIX: Decision = Decision::FixRequest;
const REPAIR: Decision = Decision::RestoreEnvironmentThenRetry;
const MAKING: &[Api] = &[Api::DomainBackupBegin, Api::CheckpointCreate];
const BITMAP_EXISTS: &str = "block/qcow2-bitmap.c and block/dirty-bitmap.c of QEMU: Bitmap \
              already exists";

/// The longest checkpoint name whose metadata can be stored: `NAME.xml.new` is a file name.
const LONGEST_NAME: usize = 247;

pub(super) const METADATA: &str = "src/qemu/qemu_checkpoint.c:qemuCheckpointCreateFinalize: unable to save \
              metadata for checkpoint";

pub(super) const RULES: &[Rule] = &[
    Rule::on("B11-base", INTERNAL, FIX)
        .of(&[Api::DomainBackupBegin])
        .when_known(base_can_never_be_one)
        .because(
            "the base is the checkpoint that the same call makes, or has no name: the bitmap in its \
              way is the one that it wants to be based on",
            &[BITMAP_EXISTS],
        ),
    Rule::on("B17", INTERNAL, FIX)
        .of(MAKING)
        .when(image_is_of_version_2)
        .because(
            "an image is qcow2 of version 2 (compat 0.10), which stores no bitmaps",
            &["block/qcow2-bitmap.c:qcow2_co_can_store_new_dirty_bitmap of QEMU"],
        ),
    Rule::on("B18-name-left", INTERNAL, FIX)
        .of(MAKING)
        .when(name_is_too_long)
        .because(
            "the name of the checkpoint is too long to be stored, or to be a bitmap's",
            &[
                METADATA,
                "include/block/dirty-bitmap.h of QEMU: BDRV_BITMAP_MAX_NAME_SIZE",
            ],
        ),
    Rule::on("B18-store", INTERNAL, REPAIR)
        .of(MAKING)
        .when(metadata_cannot_be_stored)
        .because(
            "libvirt cannot store the checkpoint's metadata",
            &[METADATA],
        ),
    Rule::on(
        "B11-lost",
        INTERNAL,
        Decision::RedefineMissingCheckpointsThenRetry,
    )
    .of(MAKING)
    .when(name_is_of_a_lost_checkpoint)
    .because(
        "the name is that of a checkpoint whose metadata is lost and whose bitmap \
              is good; it needs another one",
        &[
            BITMAP_EXISTS,
            "docs/formatcheckpoint.rst: redefining a checkpoint",
        ],
    ),
    Rule::on("B11", INTERNAL, REPAIR)
        .of(MAKING)
        .when(name_is_of_a_stale_bitmap)
        .because(
            "a stale bitmap bears the name that the checkpoint or the job needs",
            &[BITMAP_EXISTS],
        ),
    Rule::on("B11-unseen", INTERNAL, REPAIR)
        .of(MAKING)
        .when(name_is_of_a_bitmap_that_validates)
        .because(
            "a bitmap bears the name that the checkpoint needs",
            &[BITMAP_EXISTS],
        ),
    Rule::on("B11-foreign", INTERNAL, FIX)
        .of(MAKING)
        .when(name_is_of_a_bitmap_of_others)
        .because(
            "a bitmap that is in none of the client's books bears the name: take another \
              name",
            &[BITMAP_EXISTS],
        ),
];

fn image_is_of_version_2(facts: &Facts) -> Step {
    if facts.request.checkpoint.is_none() {
        return Ok(None);
    }
    facts.disks_are_known()?;
    let versions = facts.image_versions()?;
    let mut disks = facts.request.disk_names();
    let is_old = |disk| versions.get(disk) == Some(&Compat::V2);
    Ok(plain(disks.any(is_old)))
}

pub(super) fn has_a_long_name(facts: &Facts) -> bool {
    let name = facts.request.checkpoint.as_ref();
    name.is_some_and(|name| name.len() > LONGEST_NAME)
}

fn name_is_too_long(facts: &Facts) -> Step {
    if !has_a_long_name(facts) {
        return Ok(None);
    }
    without_its_bitmaps(facts, CleanUpTime::First).map(Some)
}

fn metadata_cannot_be_stored(facts: &Facts) -> Step {
    if facts.request.checkpoint.is_none() || facts.metadata_store_is_usable()? {
        return Ok(None);
    }
    without_its_bitmaps(facts, CleanUpTime::BeforeRetry).map(Some)
}

/// The bitmaps that the attempt has made go, where they can be seen; they are made before the metadata
/// is stored.
fn without_its_bitmaps(facts: &Facts, time: CleanUpTime) -> Result<Detail, Probe> {
    let mut left: BTreeMap<_, _> = facts.orphaned_bitmaps()?.into_iter().collect();
    let is_redefined = facts.request.flags & flags::CHECKPOINT_CREATE_REDEFINE != 0;
    if facts.api == Api::CheckpointCreate.into() && !is_redefined {
        let bare = names_in_the_way(facts)?.into_iter();
        left.extend(bare.filter(|(name, _)| is_without_backup(facts, name)));
    }
    let purge = left.into_iter().map(|(name, disks)| CleanUp {
        time,
        ..CleanUp::purging(&name, disks)
    });
    Ok(Detail::cleaning(purge))
}

fn name_is_of_a_lost_checkpoint(facts: &Facts) -> Step {
    let Some(name) = &facts.request.checkpoint else {
        return Ok(None);
    };
    if !facts.is_verified(name) || !facts.records.can_use_monitor {
        return Ok(None);
    }
    if facts.checkpoints()?.contains_key(name) {
        return Ok(None);
    }
    let bitmaps = facts.bitmaps()?;
    let carriers = carriers(bitmaps, name);
    let lies = |disk: &String| facts.records.rule_out(disk, name);
    let all_good = carriers
        .iter()
        .all(|disk| bitmaps.has_usable(disk, name) && !lies(disk));
    Ok(plain(!carriers.is_empty() && all_good))
}

/// What the client has made without a backup, or what nobody can ever use again, is stale. One that is
/// disabled, or in a lower layer, may be somebody's.
fn name_is_of_a_stale_bitmap(facts: &Facts) -> Step {
    let rows = facts.observed.bitmaps.iter().flat_map(|seen| &seen.0);
    let is_stale = |(name, _): &(String, BTreeSet<String>)| {
        let mut rows = rows.clone().filter(|row| row.name == *name);
        is_without_backup(facts, name) || rows.all(|row| row.inconsistent)
    };
    let steps: Vec<CleanUp> = names_in_the_way(facts)?
        .into_iter()
        .filter(is_stale)
        .map(|(name, disks)| CleanUp::purging(&name, disks).first())
        .collect();
    Ok((!steps.is_empty()).then(|| Detail::cleaning(steps)))
}

/// The names that the checkpoint and the job need and that bitmaps bear, with the disks that carry
/// these: of no checkpoint that libvirt has, and of none with a verified backup behind it.
fn names_in_the_way(facts: &Facts) -> Result<Vec<(String, BTreeSet<String>)>, Probe> {
    if !facts.records.can_use_monitor || facts.request.checkpoint.is_none() {
        return Ok(Vec::new());
    }
    facts.disks_are_known()?;
    let (defined, bitmaps) = (facts.checkpoints()?, facts.bitmaps()?);
    let needed = facts.request.needed();
    let of_job = needed.map(|(disk, _)| format!("backup-{disk}"));
    let names = facts.request.checkpoint.iter().cloned().chain(of_job);
    let is_free = |name: &String| {
        !defined.contains_key(name) && !facts.is_verified(name) && !is_busy(bitmaps, name)
    };
    let carried = names.filter(is_free).map(|name| {
        let disks = carriers(bitmaps, &name);
        (name, disks)
    });
    Ok(carried.filter(|(_, disks)| !disks.is_empty()).collect())
}

/// Whatever the client has made under the name, no backup stands behind it.
fn is_without_backup(facts: &Facts, name: &str) -> bool {
    let Records {
        uncommitted_checkpoints,
        own_checkpoints,
        ..
    } = &facts.records;
    let is_own = uncommitted_checkpoints.contains(name) || own_checkpoints.contains(name);
    is_own && !facts.is_verified(name)
}

/// Without a way to QEMU's monitor: a bitmap that is good can at least be redefined.
fn name_is_of_a_bitmap_that_validates(facts: &Facts) -> Step {
    let Some((name, good)) = unseen_in_the_way(facts)? else {
        return Ok(None);
    };
    let purge = || Detail::cleaning([CleanUp::purging(name, good).first()]);
    Ok(is_without_backup(facts, name).then(purge))
}

/// The name that the checkpoint needs, and the disks on which libvirt finds a good bitmap of it.
fn unseen_in_the_way(facts: &Facts) -> Result<Option<(&str, Vec<String>)>, Probe> {
    let Some(name) = facts.request.checkpoint.as_deref() else {
        return Ok(None);
    };
    if facts.records.can_use_monitor || facts.is_verified(name) {
        return Ok(None);
    }
    facts.disks_are_known()?;
    if facts.checkpoints()?.contains_key(name) {
        return Ok(None);
    }
    let disks: Vec<String> = facts.request.disk_names().map(str::to_owned).collect();
    let Some(health) = facts.observed.bitmap_health.get(name) else {
        let checkpoint = name.to_owned();
        return Err(Probe::BitmapHealth { checkpoint, disks });
    };
    let good = health
        .iter()
        .filter(|(_, health)| **health == BitmapHealth::Good);
    let good: Vec<String> = good.map(|(disk, _)| disk.clone()).collect();
    Ok((!good.is_empty()).then_some((name, good)))
}

/// Another checkpoint name is no help against a bitmap that has the name of the job's own.
fn name_is_of_a_bitmap_of_others(facts: &Facts) -> Step {
    let requested = facts.request.checkpoint.as_ref();
    let names = names_in_the_way(facts)?;
    let is_seen = names.iter().any(|(name, _)| Some(name) == requested);
    Ok(plain(is_seen || unseen_in_the_way(facts)?.is_some()))
}

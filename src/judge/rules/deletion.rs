//! `VIR_ERR_INTERNAL_ERROR` from the deletion of a checkpoint: a disk lacks the bitmap, and libvirt
//! deletes all of a checkpoint or nothing.

use crate::judge::Rule;
use crate::judge::chain::{carriers, is_busy};
use crate::judge::decided::Detail;
use crate::judge::facts::Facts;
use crate::judge::probe::Probe;
use crate::judge::rule::{Step, plain};
use crate::model::{Api, CleanUp, Decision, ErrorCode};

const INTERNAL: &[ErrorCode] = &[ErrorCode::INTERNAL_ERROR];
const DELETE: &[Api] = &[Api::CheckpointDelete];
const DISCARD: &str = "src/qemu/qemu_checkpoint.c:qemuCheckpointDiscardDiskBitmaps: bitmap not \
              found in backing chain";

pub(super) const RULES: &[Rule] = &[
    Rule::on("D1-busy", INTERNAL, Decision::RetryAfterJobEnds)
        .of(DELETE)
        .when(the_bitmap_is_in_use)
        .because(
            "something in QEMU uses the bitmap: a job, or an NBD export",
            &["block/dirty-bitmap.c:bdrv_dirty_bitmap_check of QEMU"],
        ),
    Rule::on("D1-absent", INTERNAL, Decision::TreatAsDone)
        .of(DELETE)
        .when(no_disk_has_the_bitmap)
        .because(
            "no disk has the bitmap any more: only the metadata is left to delete",
            &[DISCARD],
        ),
    Rule::on("D1", INTERNAL, Decision::TreatAsDone)
        .of(DELETE)
        .when(some_disks_lack_the_bitmap)
        .because(
            "some disks lack the bitmap, and libvirt deletes all of a checkpoint or \
              nothing: define it on those that have it",
            &[DISCARD],
        ),
    Rule::on("D1-unseen", INTERNAL, Decision::TreatAsDone)
        .of(DELETE)
        .when(bitmaps_cannot_be_seen)
        .because(
            "a disk lacks the bitmap, as far as can be told without QEMU's monitor, and libvirt \
              deletes all of a checkpoint or nothing: delete it disk by disk",
            &[DISCARD],
        ),
];

/// A defined checkpoint, its disks, and those of them that carry its bitmap.
struct Halves {
    name: String,
    disks: Vec<String>,
    carried: Vec<String>,
    is_busy: bool,
}

/// `None` where the checkpoint is not defined, or its bitmaps cannot be seen.
fn halves(facts: &Facts) -> Result<Option<Halves>, Probe> {
    let Some(name) = facts.unwanted_checkpoint()? else {
        return Ok(None);
    };
    if !facts.records.can_use_monitor {
        return Ok(None);
    }
    let disks = facts.checkpoints()?[name].clone();
    let bitmaps = facts.bitmaps()?;
    let carriers = carriers(bitmaps, name);
    let carried = disks.iter().filter(|disk| carriers.contains(*disk));
    Ok(Some(Halves {
        name: name.to_owned(),
        carried: carried.cloned().collect(),
        disks,
        is_busy: is_busy(bitmaps, name),
    }))
}

fn the_bitmap_is_in_use(facts: &Facts) -> Step {
    let found = halves(facts)?;
    Ok(plain(found.is_some_and(|found| found.is_busy)))
}

fn no_disk_has_the_bitmap(facts: &Facts) -> Step {
    Ok(halves(facts)?.and_then(|found| {
        let drop = || Detail::cleaning([CleanUp::dropping(&found.name, found.disks).first()]);
        found.carried.is_empty().then(drop)
    }))
}

fn some_disks_lack_the_bitmap(facts: &Facts) -> Step {
    Ok(halves(facts)?.and_then(|found| {
        let is_part = !found.carried.is_empty() && found.carried.len() < found.disks.len();
        let purge = || CleanUp::purging(&found.name, found.carried).first();
        is_part.then(|| Detail::cleaning([purge()]))
    }))
}

fn bitmaps_cannot_be_seen(facts: &Facts) -> Step {
    let Some(name) = facts.unwanted_checkpoint()? else {
        return Ok(None);
    };
    if facts.records.can_use_monitor {
        return Ok(None);
    }
    let disks = facts.checkpoints()?[name].clone();
    let purge = CleanUp {
        unseen: true,
        ..CleanUp::purging(name, disks).first()
    };
    Ok(Some(Detail::cleaning([purge])))
}

//! The refusals of snapshots, of domains that have checkpoints.

use super::state::{domain_is_off, domain_is_off_and_may_start};
use crate::judge::Rule;
use crate::judge::facts::Facts;
use crate::judge::rule::{Step, plain};
use crate::model::{Api, Decision, DomainState, ErrorCode, flags};

const UNSUPPORTED: &[ErrorCode] = &[ErrorCode::OPERATION_UNSUPPORTED];
const CREATE: &[Api] = &[Api::DomainSnapshotCreate];
const DELETE: &[Api] = &[Api::DomainSnapshotDelete];
const REVERT: &[Api] = &[Api::DomainRevertToSnapshot];

pub(super) const RULES: &[Rule] = &[
    Rule::on("S1", UNSUPPORTED, Decision::ChangeDomainStateThenRetry)
        .of(CREATE)
        .when(domain_is_off_and_may_start)
        .because(
            "the domain is off and has checkpoints: a running QEMU alone gives the new layer the \
             bitmaps that it needs",
            &["src/qemu/qemu_snapshot.c:qemuSnapshotPrepare"],
        ),
    Rule::on("S1-offline", UNSUPPORTED, Decision::FixRequest)
        .of(CREATE)
        .when(domain_is_off)
        .because(
            "the domain must stay off: take a snapshot inside its image, or put a layer with empty bitmaps of \
             the same names on it by qemu-img before anything is written",
            &[
                "src/qemu/qemu_snapshot.c:qemuSnapshotPrepare",
                "docs/kbase/internals/incremental-backup.rst: creating external snapshots manually",
            ],
        ),
    Rule::on("S2", UNSUPPORTED, Decision::RetryAfterJobEnds)
        .of(DELETE)
        .when(a_block_job_runs)
        .because(
            "a disk has a block job, which must end before layers are merged",
            &["src/qemu/qemu_snapshot.c:qemuSnapshotDeleteValidate"],
        ),
    Rule::on("S3", &[ErrorCode::INTERNAL_ERROR], Decision::FixRequest)
        .of(CREATE)
        .when_known(file_is_given)
        .because(
            "the file that was given for the new layer does not serve, such as one of a version that \
             stores no bitmaps: make it of the newest version, or let libvirt make it",
            &[
                "include/libvirt/libvirt-domain-snapshot.h: \
                 VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT",
                "block/qcow2-bitmap.c:qcow2_co_can_store_new_dirty_bitmap of QEMU",
            ],
        ),
    Rule::on(
        "S4",
        &[ErrorCode::OPERATION_FAILED, ErrorCode::INTERNAL_ERROR],
        Decision::InvestigateEscalate,
    )
    .of(REVERT)
    .when(images_have_bitmaps)
    .because(
        "QEMU does not go back to a snapshot inside an image that has bitmaps: either the way back or \
         all checkpoints must be given up, which is nobody's to decide but the owner's; the domain may \
         have been stopped",
        &["block/qcow2-snapshot.c:qcow2_snapshot_goto of QEMU: Device has active dirty bitmaps"],
    ),
];

/// Whether any of the domain's disks has a job, since the request names none.
fn a_block_job_runs(facts: &Facts) -> Step {
    Ok(plain(!facts.busy_disks()?.is_empty()))
}

fn file_is_given(facts: &Facts) -> bool {
    facts.request.flags & flags::SNAPSHOT_CREATE_REUSE_EXT != 0
}

/// Whether the domain was stopped meanwhile depends on the version.
fn images_have_bitmaps(facts: &Facts) -> Step {
    let bitmaps = if facts.domain_state()? == DomainState::Shutoff {
        facts.stored_bitmaps()?
    } else if facts.records.can_use_monitor {
        facts.bitmaps()?
    } else {
        return Ok(None);
    };
    Ok(plain(!bitmaps.0.is_empty()))
}

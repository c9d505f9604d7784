//! The codes about the domain's state: gone, off, or not in the way the call needs.

use super::state::{domain_is_gone, domain_is_off, domain_is_off_and_may_start, domain_is_on};
use crate::judge::Rule;
use crate::judge::chain::carriers;
use crate::judge::decided::Detail;
use crate::judge::facts::Facts;
use crate::judge::rule::{Step, plain};
use crate::model::{Api, CleanUp, Decision, DomainState, ErrorCode};

const NO_DOMAIN: &[ErrorCode] = &[ErrorCode::NO_DOMAIN];
const INVALID: &[ErrorCode] = &[ErrorCode::OPERATION_INVALID];
const UNSUPPORTED: &[ErrorCode] = &[ErrorCode::OPERATION_UNSUPPORTED];
const START: Decision = Decision::ChangeDomainStateThenRetry;
const FIX: Decision = Decision::FixRequest;
const CREATE: &[Api] = &[Api::CheckpointCreate];
const BEGIN: &[Api] = &[Api::DomainBackupBegin];
const DELETE: &[Api] = &[Api::CheckpointDelete];
const DUMP: &[Api] = &[Api::CheckpointGetXmlDesc];

pub(super) const RULES: &[Rule] = &[
    Rule::on("B32-gone", NO_DOMAIN, Decision::TreatAsDone)
        .of(&[
            Api::CheckpointDelete,
            Api::DomainAbortJob,
            Api::DomainAbortJobFlags,
            Api::DomainUndefine,
            Api::DomainDestroy,
        ])
        .when(domain_is_gone)
        .because(
            "the domain is gone, and with it what the call was to end or to remove",
            &["src/qemu/qemu_domain.c:qemuDomainObjFromDomain"],
        ),
    Rule::on("B32-no-domain", NO_DOMAIN, FIX)
        .when(domain_is_gone)
        .because(
            "there is no such domain any more",
            &["src/qemu/qemu_domain.c:qemuDomainObjFromDomain"],
        ),
    Rule::on("C3", INVALID, START)
        .of(CREATE)
        .when(domain_is_off_and_may_start)
        .because(
            "the bitmaps of a domain that is shut off cannot be validated",
            &[
                "include/libvirt/libvirt-domain-checkpoint.h: \
              VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE",
                "libvirt commit a4d4d2bd5d",
            ],
        ),
    Rule::on("C3-offline", INVALID, FIX)
        .of(CREATE)
        .when(domain_is_off)
        .because(
            "the domain must stay off: redefine without validation, and look at the \
              closed images",
            &["docs/formatcheckpoint.rst: redefining a checkpoint"],
        ),
    Rule::on("D8", INVALID, START)
        .of(DUMP)
        .when(domain_is_off_and_may_start)
        .because(
            "the size of a checkpoint is known while the domain runs only",
            &[
                "libvirt commit 1bb33357ea: VIR_DOMAIN_CHECKPOINT_XML_SIZE may require a \
              running VM",
            ],
        ),
    Rule::on("D8-offline", INVALID, FIX)
        .of(DUMP)
        .when(domain_is_off)
        .because(
            "the domain must stay off: ask without VIR_DOMAIN_CHECKPOINT_XML_SIZE",
            &[
                "libvirt commit 1bb33357ea: VIR_DOMAIN_CHECKPOINT_XML_SIZE may require a \
              running VM",
            ],
        ),
    Rule::on("J5-off", INVALID, FIX)
        .of(&[Api::DomainGetJobStats, Api::DomainGetJobInfo])
        .when(domain_is_off)
        .because(
            "a domain that is off has no job: ask for the statistics of the completed one",
            &["src/qemu/qemu_driver.c:qemuDomainGetJobStatsInternal"],
        ),
    Rule::on("A3", INVALID, FIX)
        .of(&[Api::DomainUndefine])
        .because(
            "the domain has checkpoints, snapshots or a saved memory: save what is wanted of \
              them, then undefine it with the flags that name them; or the flags exclude each \
              other, or the domain has no definition any more",
            &["src/qemu/qemu_driver.c:qemuDomainUndefineFlags"],
        ),
    Rule::on("A5", INVALID, Decision::TreatAsDone)
        .of(&[Api::DomainShutdown, Api::DomainDestroy])
        .when(domain_is_off)
        .because(
            "the domain is off, as the call was to make it",
            &["src/conf/domain_conf.c:virDomainObjCheckActive"],
        ),
    Rule::on("A8", INVALID, FIX)
        .of(&[Api::DomainRename])
        .when(domain_is_on)
        .because(
            "only a domain that is off gets another name",
            &["src/qemu/qemu_driver.c:qemuDomainRename"],
        ),
    Rule::on("B30", UNSUPPORTED, START)
        .of(BEGIN)
        .when(domain_is_off_and_may_start)
        .because(
            "the domain is off: start it; paused is enough, unless it has a saved state",
            &["src/qemu/qemu_backup.c:qemuBackupBegin"],
        ),
    Rule::on("B30-offline", UNSUPPORTED, FIX)
        .of(BEGIN)
        .when(domain_is_off)
        .because(
            "the domain must stay off: read its closed images by qemu-img or qemu-nbd, \
              not through libvirt",
            &["src/qemu/qemu_backup.c:qemuBackupBegin"],
        ),
    Rule::on("C9", UNSUPPORTED, START)
        .of(CREATE)
        .when(domain_is_off_and_may_start)
        .because(
            "the domain is off, and bitmaps are made by a running QEMU only",
            &["src/qemu/qemu_checkpoint.c:qemuCheckpointCreateXML"],
        ),
    Rule::on("C9-offline", UNSUPPORTED, FIX)
        .of(CREATE)
        .when(domain_is_off)
        .because(
            "the domain must stay off: no checkpoint can be made",
            &["src/qemu/qemu_checkpoint.c:qemuCheckpointCreateXML"],
        ),
    Rule::on("D4-gone", UNSUPPORTED, Decision::TreatAsDone)
        .of(DELETE)
        .when(domain_is_off_and_checkpoint_gone)
        .because(
            "the domain is off, which is told before the checkpoint that was to be deleted is \
              found to be gone",
            &["src/qemu/qemu_checkpoint.c:qemuCheckpointDelete"],
        ),
    Rule::on("D4", UNSUPPORTED, START)
        .of(DELETE)
        .when(domain_is_off_and_may_start)
        .because(
            "the domain is off, and bitmaps are removed by a running QEMU only",
            &["src/qemu/qemu_checkpoint.c:qemuCheckpointDelete"],
        ),
    Rule::on("D4-offline", UNSUPPORTED, Decision::TreatAsDone)
        .of(DELETE)
        .when(deletion_can_be_done_offline)
        .because(
            "the domain must stay off: its closed images lose the bitmap by qemu-img, \
              libvirt the metadata",
            &[
                "docs/tools/qemu-img.rst of QEMU: bitmap --remove",
                "include/libvirt/libvirt-domain-checkpoint.h: \
              VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY",
            ],
        ),
];

/// Where the checkpoint is in the client's books, libvirt may have lost it, and its bitmap may be left.
fn domain_is_off_and_checkpoint_gone(facts: &Facts) -> Step {
    let Some(name) = &facts.request.checkpoint else {
        return Ok(None);
    };
    if facts.is_about_children() || facts.domain_state()? != DomainState::Shutoff {
        return Ok(None);
    }
    if facts.checkpoints()?.contains_key(name) {
        return Ok(None);
    }
    let is_left =
        facts.records.are_about(name) && !carriers(facts.stored_bitmaps()?, name).is_empty();
    Ok(plain(!is_left))
}

/// The disks whose images store the checkpoint's bitmap lose it, and libvirt the metadata that it has.
fn deletion_can_be_done_offline(facts: &Facts) -> Step {
    if facts.domain_state()? != DomainState::Shutoff {
        return Ok(None);
    }
    let Some(name) = &facts.request.checkpoint else {
        return Ok(None);
    };
    let defined = facts.checkpoints()?.get(name).cloned();
    let is_lost = defined.is_none() && facts.records.are_about(name);
    if facts.is_about_children() || (!is_lost && facts.unwanted_checkpoint()?.is_none()) {
        return Ok(None);
    }
    let stored = carriers(facts.stored_bitmaps()?, name);
    let purge = (!stored.is_empty()).then(|| CleanUp::purging_offline(name, stored));
    let drop = defined.map(|disks| CleanUp::dropping(name, disks).first());
    Ok(Some(Detail::cleaning(purge.into_iter().chain(drop))))
}

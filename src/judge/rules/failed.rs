//! `VIR_ERR_OPERATION_FAILED` and `VIR_ERR_SYSTEM_ERROR`: what the host, or QEMU, could not do.

use crate::judge::Rule;
use crate::judge::facts::Facts;
use crate::judge::rule::{Step, plain};
use crate::model::{Api, Decision, DomainState, ErrorCode, ErrorDomain};

const FAILED: &[ErrorCode] = &[ErrorCode::OPERATION_FAILED];
const SYSTEM: &[ErrorCode] = &[ErrorCode::SYSTEM_ERROR];
const MAKING: &[Api] = &[Api::DomainBackupBegin, Api::CheckpointCreate];
const BEGIN: &[Api] = &[Api::DomainBackupBegin];
const FIX: Decision = Decision::FixRequest;
const REPAIR: Decision = Decision::RestoreEnvironmentThenRetry;
const ALREADY_EXISTS: &str = "src/conf/virdomainmomentobjlist.c:virDomainMomentAssignDef: domain moment \
              already exists";

pub(super) const RULES: &[Rule] = &[
    Rule::on("B25-own", FAILED, FIX)
        .of(MAKING)
        .when(name_is_of_an_own_attempt)
        .because(
            "the name is that of an own attempt that came to no backup: it is \
              discarded, since nothing may build on it",
            &[
                ALREADY_EXISTS,
                "measured on libvirt 7.0 to 12.8: a checkpoint outlives the failure of its \
              backup",
            ],
        ),
    Rule::on("B25", FAILED, FIX)
        .of(MAKING)
        .when(name_is_taken)
        .because(
            "a checkpoint of that name is defined: take another name",
            &[ALREADY_EXISTS],
        ),
    Rule::on("B26", FAILED, Decision::RetryAfterJobEnds)
        .when_known(queue_is_full)
        .because(
            "as many calls wait for the domain as qemu.conf allows",
            &["src/conf/virdomainjob.c:virDomainObjBeginJobInternal: max_queued"],
        ),
    Rule::on("B32-ended", FAILED, Decision::ChangeDomainStateThenRetry)
        .of(BEGIN)
        .when(domain_has_ended)
        .because(
            "the domain has ended during the call",
            &[
                "src/qemu/qemu_domain.c:qemuDomainObjEnterMonitorInternal: domain is no \
              longer running",
            ],
        ),
    Rule::on("B24", FAILED, REPAIR)
        .of(BEGIN)
        .when(image_cannot_be_formatted)
        .because(
            "a target or scratch file could not be formatted, as on a full file system",
            &[
                "src/qemu/qemu_block.c:qemuBlockStorageSourceCreateGeneric: failed to \
              format image",
            ],
        ),
    Rule::on("B23", SYSTEM, REPAIR).because(
        "the host refused: the first number of the error is its errno",
        &[
            "src/qemu/qemu_backup.c:qemuBackupDiskPrepareOneStorage: failed to create \
              image file",
            "src/util/virerror.c:virReportSystemErrorFull",
        ],
    ),
];

fn name_is_of_an_own_attempt(facts: &Facts) -> Step {
    if !facts.is_of(ErrorDomain::DOMAIN) {
        return Ok(None);
    }
    facts.left_by_own_attempt()
}

fn name_is_taken(facts: &Facts) -> Step {
    if !facts.is_of(ErrorDomain::DOMAIN) {
        return Ok(None);
    }
    Ok(plain(facts.defined_checkpoint()?.is_some()))
}

fn queue_is_full(facts: &Facts) -> bool {
    facts.is_of(ErrorDomain::NONE)
}

fn domain_has_ended(facts: &Facts) -> Step {
    if !facts.is_of(ErrorDomain::QEMU) || !facts.records.may_start {
        return Ok(None);
    }
    Ok(plain(facts.domain_state()? == DomainState::Shutoff))
}

fn image_cannot_be_formatted(facts: &Facts) -> Step {
    Ok(plain(
        facts.is_of(ErrorDomain::QEMU) && facts.domain_state()?.is_active(),
    ))
}

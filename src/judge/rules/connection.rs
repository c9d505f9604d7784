//! A daemon that went away during the call: nobody has said what came of it.

use crate::judge::Rule;
use crate::judge::facts::{Facts, RunningJob};
use crate::judge::rule::{Step, plain};
use crate::model::{Api, Decision, ErrorCode, ErrorDomain, flags};

/// From the call during which the daemon ends, and from each later one.
const LOST: &[ErrorCode] = &[ErrorCode::SYSTEM_ERROR, ErrorCode::INTERNAL_ERROR];

const DONE: Decision = Decision::TreatAsDone;
const AGAIN: Decision = Decision::RestoreEnvironmentThenRetry;
const BEGIN: &[Api] = &[Api::DomainBackupBegin];
const CREATE: &[Api] = &[Api::CheckpointCreate];
const DELETE: &[Api] = &[Api::CheckpointDelete];
const ABORT: &[Api] = &[Api::DomainAbortJob, Api::DomainAbortJobFlags];
const SOURCES: &[&str] = &[
    "src/rpc/virnetsocket.c:virNetSocketReadWire, \
              src/rpc/virnetclient.c:virNetClientSendInternal: errors of VIR_FROM_RPC",
    "measured on libvirt 7.0 to 12.8: 38 when the daemon ends during the call, \
              1 from each later call",
];

pub(super) const RULES: &[Rule] = &[
    Rule::on("B32-begun", LOST, DONE)
        .of(BEGIN)
        .when(own_backup_runs)
        .because(
            "the connection was lost, and the backup has begun: its job runs, its \
              checkpoint is there",
            SOURCES,
        ),
    Rule::on("B32-left", LOST, AGAIN)
        .of(BEGIN)
        .when(own_checkpoint_is_left)
        .because(
            "the connection was lost; the attempt's checkpoint is there, and no job",
            SOURCES,
        ),
    Rule::on("B32", LOST, AGAIN)
        .of(BEGIN)
        .when(nothing_has_begun)
        .because(
            "the connection was lost before the backup began: connect again, then the \
              same call",
            SOURCES,
        ),
    Rule::on("C12-created", LOST, DONE)
        .of(CREATE)
        .when(checkpoint_is_defined)
        .because(
            "the connection was lost, and the checkpoint is there",
            SOURCES,
        ),
    Rule::on("D5-lost", LOST, DONE)
        .of(DELETE)
        .when(checkpoint_is_gone)
        .because(
            "the connection was lost, and the checkpoint is gone",
            SOURCES,
        ),
    Rule::on("A1-lost", LOST, DONE)
        .of(ABORT)
        .when(no_backup_is_registered)
        .because(
            "the connection was lost, and no backup is registered any more",
            SOURCES,
        ),
    Rule::on("B32-other", LOST, AGAIN)
        .when_known(anything_but_a_backup)
        .because(
            "the connection was lost: connect again, then the same call",
            SOURCES,
        ),
    Rule::on("B32-unclear", LOST, Decision::InvestigateEscalate)
        .when_known(is_lost)
        .because(
            "the connection was lost; there is a backup or a checkpoint, and nothing tells \
              whether this call has made it",
            SOURCES,
        ),
];

fn is_lost(facts: &Facts) -> bool {
    facts.is_of(ErrorDomain::RPC)
}

/// The backup and the checkpoint of the request are there. Without a checkpoint nothing tells whose
/// the backup is.
fn own_backup_runs(facts: &Facts) -> Step {
    if !is_lost(facts) {
        return Ok(None);
    }
    // One that is verified was there before.
    let is_new = |name: &str| !facts.is_verified(name);
    if !facts.defined_checkpoint()?.is_some_and(is_new) {
        return Ok(None);
    }
    Ok(plain(facts.backup()? && facts.job()? == RunningJob::Backup))
}

fn own_checkpoint_is_left(facts: &Facts) -> Step {
    if !is_lost(facts) {
        return Ok(None);
    }
    facts.left_by_own_attempt()
}

fn nothing_has_begun(facts: &Facts) -> Step {
    if !is_lost(facts) || facts.defined_checkpoint()?.is_some() {
        return Ok(None);
    }
    Ok(plain(!facts.backup()?))
}

/// One that was to be redefined may have been there before.
fn checkpoint_is_defined(facts: &Facts) -> Step {
    if !is_lost(facts) || facts.request.flags & flags::CHECKPOINT_CREATE_REDEFINE != 0 {
        return Ok(None);
    }
    Ok(plain(facts.defined_checkpoint()?.is_some()))
}

fn checkpoint_is_gone(facts: &Facts) -> Step {
    if !is_lost(facts) || facts.is_about_children() {
        return Ok(None);
    }
    Ok(plain(facts.defined_checkpoint()?.is_none()))
}

fn no_backup_is_registered(facts: &Facts) -> Step {
    if !is_lost(facts) {
        return Ok(None);
    }
    Ok(plain(!facts.backup()?))
}

/// What the rules before have not covered; a backup that runs and nobody knows whose is nothing to
/// call again about.
fn anything_but_a_backup(facts: &Facts) -> bool {
    is_lost(facts) && facts.api != Api::DomainBackupBegin.into()
}

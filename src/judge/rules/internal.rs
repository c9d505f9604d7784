//! `VIR_ERR_INTERNAL_ERROR`: one code for situations that have nothing in common. Each is looked for
//! by a question that tells it apart, the cheapest first.

use std::collections::BTreeSet;

use super::names::{METADATA, has_a_long_name};
use super::other_job::{self, unstuck};
use super::state::{restored_and_left_paused, restored_and_paused};
use crate::judge::Rule;
use crate::judge::facts::{Facts, RunningJob};
use crate::judge::rule::{Step, plain};
use crate::model::{Api, CleanUpKind, CleanUpTime, Decision, ErrorCode, ErrorDomain, flags};

const INTERNAL: &[ErrorCode] = &[ErrorCode::INTERNAL_ERROR];
const FIX: Decision = Decision::FixRequest;
const WAIT: Decision = Decision::RetryAfterJobEnds;
const REPAIR: Decision = Decision::RestoreEnvironmentThenRetry;
const BEGIN: &[Api] = &[Api::DomainBackupBegin];
const CREATE: &[Api] = &[Api::CheckpointCreate];

const ORPHAN: &str = "measured on libvirt 9.0 to 12.8: the block jobs run on, and no job API \
              sees them";

pub(super) const RULES: &[Rule] = &[
    Rule::on("C6", INTERNAL, FIX)
        .of(CREATE)
        .when_known(document_lacks_its_time)
        .because(
            "a redefined checkpoint must have a <creationTime>",
            &["src/conf/checkpoint_conf.c:virDomainCheckpointDefParse: missing creationTime"],
        ),
    Rule::on("B31-transport", INTERNAL, FIX)
        .of(BEGIN)
        .when_known(transport_is_not_served)
        .because(
            "the schema has a transport of the NBD server that this libvirt does not serve; only \
              the message tells",
            &["src/qemu/qemu_backup.c:qemuBackupPrepare: unexpected transport in <domainbackup>"],
        )
        .reading_the_message(),
    Rule::on("B5a-full", INTERNAL, Decision::ChangeDomainStateThenRetry)
        .of(&[Api::DomainBackupBegin, Api::CheckpointDelete])
        .when(restored_and_paused)
        .because(
            "the domain was restored and is still paused: its images are not active \
              yet; resume it",
            &["measured on libvirt 11.3.0 with QEMU 10.0; not on 7.0, 9.0 and 12.8"],
        ),
    Rule::on("B5a-full-wait", INTERNAL, Decision::InvestigateEscalate)
        .of(&[Api::DomainBackupBegin, Api::CheckpointDelete])
        .when(restored_and_left_paused)
        .because(
            "the domain was restored, is still paused, and may not be resumed: its images \
              are not active, and nothing can be told of their bitmaps",
            &["measured on libvirt 11.3.0 with QEMU 10.0; not on 7.0, 9.0 and 12.8"],
        ),
    Rule::on("B5a-full-unknown", INTERNAL, Decision::InvestigateEscalate)
        .of(&[Api::DomainBackupBegin, Api::CheckpointDelete])
        .when(perhaps_restored)
        .because(
            "the domain is paused and has checkpoints, but no bitmap that could be seen: \
              they may be gone, or not loaded since the domain was restored",
            &["measured on libvirt 11.3.0 with QEMU 10.0; not on 7.0, 9.0 and 12.8"],
        ),
    Rule::on("B19", INTERNAL, FIX)
        .of(BEGIN)
        .when(checkpoint_was_left)
        .because(
            "the job has begun and has ended, as when an export cannot be made; its \
              checkpoint is left",
            &["src/qemu/qemu_backup.c:qemuBackupBegin: comment at \
              qemuBackupBeginPullExportDisks"],
        ),
    Rule::on("B18-name", INTERNAL, FIX)
        .of(BEGIN)
        .when(long_name_left_an_orphan)
        .because(
            "the name of the checkpoint is too long to be stored; the backup runs on \
              without a job",
            &[METADATA, ORPHAN],
        ),
    Rule::on("B18", INTERNAL, REPAIR)
        .of(BEGIN)
        .when(an_orphan_was_left)
        .because(
            "the checkpoint's metadata could not be stored; the backup runs on without \
              a job",
            &[METADATA, ORPHAN],
        ),
    Rule::on("B15", INTERNAL, WAIT)
        .of(BEGIN)
        .when(disk_has_a_block_job)
        .because(
            "a disk of the request has a block job, which excludes others",
            &["src/qemu/qemu_blockjob.c:qemuBlockJobRegister"],
        ),
    Rule::on("B15-resize", INTERNAL, WAIT)
        .of(&[Api::DomainBlockResize])
        .when(other_job::disk_has_a_block_job)
        .because(
            "the disk has a block job, which QEMU finds and libvirt does not look for",
            &["src/qemu/qemu_driver.c:qemuDomainBlockResize"],
        ),
    Rule::on("B14-leftover", INTERNAL, WAIT)
        .of(BEGIN)
        .when(server_of_an_attempt_runs)
        .because(
            "QEMU runs the NBD server of an own attempt that libvirt has forgotten; \
              only the message tells, no query does",
            &["blockdev-nbd.c:nbd_server_start of QEMU", ORPHAN],
        )
        .reading_the_message(),
    Rule::on("B14", INTERNAL, WAIT)
        .of(BEGIN)
        .when(server_runs_already)
        .because(
            "QEMU runs an NBD server already; only the message tells, no query does",
            &["blockdev-nbd.c:nbd_server_start of QEMU"],
        )
        .reading_the_message(),
    Rule::on("B20", INTERNAL, FIX)
        .of(BEGIN)
        .when(given_file_is_missing)
        .because(
            "a file that the request says is there is not",
            &["include/libvirt/libvirt-domain.h: VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL"],
        ),
    Rule::on("B16", INTERNAL, REPAIR)
        .of(BEGIN)
        .when(tls_cannot_be_used)
        .because(
            "the NBD server cannot listen with TLS: place or certificates are missing",
            &["src/qemu/qemu_monitor_json.c:qemuMonitorJSONCheckErrorFull: object-add"],
        ),
    Rule::on("B12", INTERNAL, REPAIR)
        .of(BEGIN)
        .when(server_cannot_listen)
        .because(
            "the NBD server cannot listen where the request wants it",
            &["Red Hat bug 1874846, comment 9: failure to start the NBD server"],
        ),
    Rule::on("J5-begin", INTERNAL, WAIT)
        .of(&[Api::DomainGetJobStats])
        .when_known(a_backup_is_prepared)
        .because(
            "a backup is being prepared, and has no numbers yet: ask again; only the \
              message tells",
            &["src/qemu/qemu_backup.c:qemuBackupGetJobInfoStats: backup job data missing"],
        )
        .reading_the_message(),
];

fn document_lacks_its_time(facts: &Facts) -> bool {
    facts.is_of(ErrorDomain::DOMAIN_CHECKPOINT)
}

/// A backup leaves only checkpoints and bitmaps that can be seen to be its own; a deletion without a
/// way to QEMU's monitor would not see that a bitmap is there.
fn perhaps_restored(facts: &Facts) -> Step {
    if !facts.is_perhaps_restored()? {
        return Ok(None);
    }
    if facts.records.can_use_monitor {
        return Ok(plain(!facts.has_bitmaps()?));
    }
    Ok(plain(facts.api == Api::CheckpointDelete.into()))
}

/// Some errors come before libvirt has looked at the name: what bears it then is somebody else's.
fn checkpoint_was_left(facts: &Facts) -> Step {
    facts.left_by_own_attempt()
}

fn long_name_left_an_orphan(facts: &Facts) -> Step {
    if !has_a_long_name(facts) {
        return Ok(None);
    }
    orphan(facts)
}

/// The bitmaps can go only once metadata can be stored again: they are removed by a definition.
fn an_orphan_was_left(facts: &Facts) -> Step {
    let Some(mut detail) = orphan(facts)? else {
        return Ok(None);
    };
    let purges = detail.clean_up.iter_mut();
    for step in purges.filter(|step| step.kind == CleanUpKind::PurgeStaleBitmapLive) {
        step.time = CleanUpTime::BeforeRetry;
    }
    Ok(Some(detail))
}

/// libvirt has a backup, or a disk a backup's block job, that no job API sees.
fn orphan(facts: &Facts) -> Step {
    if facts.defined_checkpoint()?.is_some() {
        return Ok(None);
    }
    let is_left = facts.backup()? || !facts.backed_up_disks()?.is_empty();
    if !is_left || facts.job()? != RunningJob::None {
        return Ok(None);
    }
    unstuck(facts).map(Some)
}

/// From here on nothing is left of the call that was refused but, perhaps, a bitmap.
fn unless_something_was_left(facts: &Facts, situation: impl FnOnce() -> Step) -> Step {
    if facts.defined_checkpoint()?.is_some() || facts.backup()? {
        return Ok(None);
    }
    if !facts.backed_up_disks()?.is_empty() {
        return Ok(None);
    }
    situation()
}

fn disk_has_a_block_job(facts: &Facts) -> Step {
    unless_something_was_left(facts, || {
        Ok(plain(!facts.otherwise_busy_disks()?.is_empty()))
    })
}

fn server_of_an_attempt_runs(facts: &Facts) -> Step {
    let mut own = facts.records.uncommitted_checkpoints.iter();
    let requested = facts.request.checkpoint.as_ref();
    if own.all(|name| Some(name) == requested) {
        return Ok(None);
    }
    unless_something_was_left(facts, || {
        let is_other = |(name, _): &(String, BTreeSet<String>)| Some(name) != requested;
        if !says_that_a_server_runs(facts) || !facts.orphaned_bitmaps()?.iter().any(is_other) {
            return Ok(None);
        }
        unstuck(facts).map(Some)
    })
}

fn server_runs_already(facts: &Facts) -> Step {
    unless_something_was_left(facts, || Ok(plain(says_that_a_server_runs(facts))))
}

fn says_that_a_server_runs(facts: &Facts) -> bool {
    facts.request.server.is_some() && facts.message().contains("NBD server already running")
}

fn tls_cannot_be_used(facts: &Facts) -> Step {
    if !facts.request.tls {
        return Ok(None);
    }
    server_cannot_listen(facts)
}

fn server_cannot_listen(facts: &Facts) -> Step {
    unless_something_was_left(facts, || {
        if facts.request.server.is_none() {
            return Ok(None);
        }
        Ok(plain(!facts.server_is_usable()?))
    })
}

fn given_file_is_missing(facts: &Facts) -> Step {
    if facts.request.flags & flags::BACKUP_BEGIN_REUSE_EXTERNAL == 0 {
        return Ok(None);
    }
    facts.disks_are_known()?;
    unless_something_was_left(facts, || {
        let there = facts.files()?;
        let mut files = facts.request.files();
        Ok(plain(files.any(|file| !there.contains(file))))
    })
}

/// A server on a passed descriptor is none that the request can name.
fn transport_is_not_served(facts: &Facts) -> bool {
    facts.request.server.is_none() && facts.message().contains("unexpected transport")
}

fn a_backup_is_prepared(facts: &Facts) -> bool {
    facts.message().contains("backup job data missing")
}

//! The codes about a job that is in the way, or is not there.

use super::state::domain_is_on;
use crate::judge::decided::Detail;
use crate::judge::facts::{Facts, RunningJob};
use crate::judge::probe::Probe;
use crate::judge::rule::{Step, plain};
use crate::judge::{Function, Rule};
use crate::model::{Api, CleanUp, Decision, ErrorCode, ErrorDomain};

const WAIT: Decision = Decision::RetryAfterJobEnds;
const INVALID: &[ErrorCode] = &[ErrorCode::OPERATION_INVALID];
const UNSUPPORTED: &[ErrorCode] = &[ErrorCode::OPERATION_UNSUPPORTED];
const ABORT: &[Api] = &[Api::DomainAbortJob, Api::DomainAbortJobFlags];
const BEGIN: &[Api] = &[Api::DomainBackupBegin];
const ALREADY_RUNNING: &str = "src/qemu/qemu_backup.c:qemuBackupBegin: another backup job is already \
              running";
const OUTLIVES: &str =
    "measured on libvirt 7.0 to 12.8: a backup outlives its client and its daemon";
const ORPHAN: &str = "measured on libvirt 9.0 to 12.8: a backup whose checkpoint's metadata \
              could not be stored runs on without a job";

pub(super) const RULES: &[Rule] = &[
    Rule::on(
        "B9-speed",
        &[ErrorCode::OPERATION_TIMEOUT],
        Decision::FixRequest,
    )
    .of(&[Api::DomainBlockJobSetSpeed])
    .when(disk_is_backed_up)
    .because(
        "the block job is a part of the backup that is waited for: leave its speed as it is",
        &[
            "src/qemu/qemu_driver.c:qemuDomainBlockJobSetSpeed",
            "measured on libvirt 11.3; 7.0, 9.0 and 12.8 set it at once",
        ],
    ),
    Rule::on("B9-own", &[ErrorCode::OPERATION_TIMEOUT], WAIT)
        .when(an_own_attempt_may_run)
        .because(
            "a backup holds the domain, and an own attempt has left its checkpoint: if it is \
              that one and nobody reads it any more, abort it",
            &[
                "docs/kbase/internals/qemu-threads.rst: asynchronous jobs exclude each other",
                OUTLIVES,
            ],
        ),
    Rule::on("B9", &[ErrorCode::OPERATION_TIMEOUT], WAIT).because(
        "another job holds the domain, and libvirt has waited for 30 s",
        &["docs/kbase/internals/qemu-threads.rst: asynchronous jobs exclude each other"],
    ),
    Rule::on(
        "B15-pivot",
        &[ErrorCode::BLOCK_COPY_ACTIVE],
        Decision::FixRequest,
    )
    .of(&[Api::DomainBlockJobAbort])
    .when(disk_is_backed_up)
    .because(
        "the block job is a part of a backup, which is never ready to change over: without \
              VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT the call ends the whole backup",
        &["src/qemu/qemu_block.c:qemuBlockPivot"],
    ),
    Rule::on("B15-copy", &[ErrorCode::BLOCK_COPY_ACTIVE], WAIT).because(
        "the disk has a block job, which must end first",
        &["include/libvirt/virterror.h: VIR_ERR_BLOCK_COPY_ACTIVE"],
    ),
    Rule::on("A1", INVALID, Decision::TreatAsDone)
        .of(ABORT)
        .when(no_job_and_no_backup)
        .because(
            "there is no job to abort, and no backup",
            &[
                "src/qemu/qemu_driver.c:qemuDomainAbortJobFlags",
                "src/qemu/qemu_backup.c:qemuBackupGetXMLDesc",
            ],
        ),
    Rule::on("A1-flags", INVALID, Decision::FixRequest)
        .of(ABORT)
        .when(a_job_runs)
        .because(
            "a job runs: one that these flags do not abort, or that has begun since",
            &["src/qemu/qemu_driver.c:qemuDomainAbortJobFlags: \
              VIR_DOMAIN_ABORT_JOB_POSTCOPY"],
        ),
    Rule::on("A1-stuck", INVALID, Decision::TreatAsDone)
        .of(ABORT)
        .when(backup_without_a_job)
        .because(
            "a backup is registered, and no job API sees its job",
            &[ORPHAN, "src/qemu/qemu_driver.c:qemuDomainAbortJobFlags"],
        ),
    Rule::on("B10-own", INVALID, WAIT)
        .of(BEGIN)
        .when(an_own_job_may_run)
        .because(
            "another backup runs, and an own attempt has left its checkpoint: if it is that \
              one and nobody reads it any more, abort it",
            &[ALREADY_RUNNING, OUTLIVES],
        ),
    Rule::on("B10", INVALID, WAIT)
        .of(BEGIN)
        .when(a_job_runs)
        .because("another job runs, and is seen", &[ALREADY_RUNNING]),
    Rule::on("B10-stuck", INVALID, WAIT)
        .of(BEGIN)
        .when(orphan_is_in_the_way)
        .because(
            "a backup runs that no job API sees; the disks' block jobs are its last trace",
            &[ALREADY_RUNNING, ORPHAN],
        ),
    Rule::on(
        "B16-directory",
        INVALID,
        Decision::RestoreEnvironmentThenRetry,
    )
    .of(BEGIN)
    .when_known(tls_is_wanted)
    .because(
        "the host has no directory with TLS material for backups",
        &["src/qemu/qemu_backup.c:qemuBackupBeginPrepareTLS"],
    ),
    Rule::on("B10-orphan", INVALID, WAIT)
        .when(an_orphan_runs)
        .because(
            "a backup runs that no job API sees; the disks' block jobs are its last trace",
            &[
                "src/qemu/qemu_migration.c:qemuMigrationSrcIsAllowed: domain has active \
              block job",
                ORPHAN,
            ],
        ),
    Rule::on("B10-other", INVALID, WAIT)
        .when(a_domain_job_runs)
        .because(
            "a job runs on the domain, and must end first",
            &[
                "src/qemu/qemu_migration.c:qemuMigrationSrcIsAllowed: domain has active \
              block job",
            ],
        ),
    Rule::on("B15-disk", UNSUPPORTED, WAIT)
        .when(disk_has_a_block_job)
        .because(
            "the disk has a block job, which must end first",
            &["src/qemu/qemu_domain.c:qemuDomainDiskBlockJobIsActive"],
        ),
    Rule::on("B31", UNSUPPORTED, Decision::FixRequest)
        .when(domain_is_on)
        .because(
            "the domain runs: the request asks for what it or this libvirt cannot do",
            &[
                "src/qemu/qemu_backup.c:qemuBackupPrepare: <domainbackup> must specify TCP \
              port for now",
                "src/qemu/qemu_domain.c:qemuDomainDiskBlockJobIsSupported",
            ],
        ),
    Rule::on(
        "B34",
        &[ErrorCode::NO_SECRET],
        Decision::RestoreEnvironmentThenRetry,
    )
    .because(
        "the secret of an encrypted file is not defined on this host, or has no \
              value; or the request names another one",
        &[
            "src/secret/secret_driver.c:secretLookupByUsage",
            "src/conf/virsecretobj.c:virSecretObjGetValue",
        ],
    ),
];

fn an_own_attempt_may_run(facts: &Facts) -> Step {
    Ok(plain(facts.left_attempts()? && facts.backup()?))
}

fn an_own_job_may_run(facts: &Facts) -> Step {
    Ok(plain(
        facts.left_attempts()? && facts.job()? == RunningJob::Backup,
    ))
}

fn no_job_and_no_backup(facts: &Facts) -> Step {
    Ok(plain(!facts.backup()? && facts.job()? == RunningJob::None))
}

fn a_job_runs(facts: &Facts) -> Step {
    Ok(plain(facts.job()? != RunningJob::None))
}

fn backup_without_a_job(facts: &Facts) -> Step {
    if !facts.backup()? || facts.job()? != RunningJob::None {
        return Ok(None);
    }
    unstuck(facts).map(Some)
}

/// The call that was refused has made libvirt forget the backup; its block jobs still run.
fn orphan_is_in_the_way(facts: &Facts) -> Step {
    if facts.job()? != RunningJob::None {
        return Ok(None);
    }
    if facts.backed_up_disks()?.is_empty() && !facts.backup()? {
        return Ok(None);
    }
    unstuck(facts).map(Some)
}

/// The orphan's job ends, and the bitmaps that it has left without a checkpoint go.
pub(super) fn unstuck(facts: &Facts) -> Result<Detail, Probe> {
    let disks = facts.backed_up_disks()?;
    let left = facts.orphaned_bitmaps()?;
    // The name in the request, where no bitmap tells which attempt it was.
    let requested = facts.request.checkpoint.as_ref();
    let name = left.first().map(|(name, _)| name).or(requested);
    let name = name.cloned().unwrap_or_default();
    let purge = left
        .into_iter()
        .map(|(name, disks)| CleanUp::purging(&name, disks).first());
    Ok(Detail::cleaning(
        [CleanUp::unsticking(&name, disks)].into_iter().chain(purge),
    ))
}

fn tls_is_wanted(facts: &Facts) -> bool {
    facts.request.tls && facts.is_of(ErrorDomain::QEMU)
}

/// Any function that a job excludes; those about checkpoints answer otherwise.
fn a_domain_job_runs(facts: &Facts) -> Step {
    if is_about_checkpoints(facts) {
        return Ok(None);
    }
    if facts.job()? != RunningJob::None {
        return Ok(plain(true));
    }
    // A disk's own job is not the domain's.
    Ok(plain(!facts.busy_disks()?.is_empty()))
}

fn is_about_checkpoints(facts: &Facts) -> bool {
    matches!(
        facts.api,
        Function::Known(Api::CheckpointCreate | Api::CheckpointGetXmlDesc)
    )
}

/// A backup that is registered, or of which only block jobs are left, and no job that holds the domain.
fn an_orphan_runs(facts: &Facts) -> Step {
    if is_about_checkpoints(facts) || facts.job()? != RunningJob::None {
        return Ok(None);
    }
    if facts.backed_up_disks()?.is_empty() {
        return Ok(None);
    }
    unstuck(facts).map(Some)
}

fn disk_is_backed_up(facts: &Facts) -> Step {
    let backed_up = facts.backed_up_disks()?;
    let mut disks = facts.request.disk_names();
    let is_backed_up = |disk: &str| backed_up.iter().any(|other| other == disk);
    Ok(plain(disks.any(is_backed_up)))
}

pub(super) fn disk_has_a_block_job(facts: &Facts) -> Step {
    let is_about_none = facts.request.disks.is_empty() && facts.request.each_disk.is_none();
    if is_about_none || facts.api == Api::DomainBackupBegin.into() {
        return Ok(None);
    }
    let busy = !facts.backed_up_disks()?.is_empty() || !facts.otherwise_busy_disks()?.is_empty();
    Ok(plain(busy))
}

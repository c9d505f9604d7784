//! A backup that began, and whose job has ended: no call has failed, and yet there may be nothing.

use crate::judge::Rule;
use crate::judge::chain::{Chain, carriers};
use crate::judge::decided::Detail;
use crate::judge::facts::{CompletedJob, Facts};
use crate::judge::probe::Probe;
use crate::judge::rule::{Step, plain};
use crate::model::{Api, CleanUp, Decision, DomainState};

const BEGIN: &[Api] = &[Api::DomainBackupBegin];
const START: Decision = Decision::ChangeDomainStateThenRetry;
const REPAIR: Decision = Decision::RestoreEnvironmentThenRetry;
const DONE: Decision = Decision::TreatAsDone;
const FIX: Decision = Decision::FixRequest;
const NEW_CHAIN: Decision = Decision::FullBackupNewChain;
const CONCLUDED: &str = "src/qemu/qemu_backup.c:qemuBackupNotifyBlockjobEnd";
const STAYS: &str = "measured on libvirt 7.0 to 12.8: the checkpoint outlives the failure of \
              its backup";

pub(super) const RULES: &[Rule] = &[
    Rule::on_ended_job("J3", DONE)
        .of(BEGIN)
        .when(data_is_verified)
        .because(
            "the client has read, or restored, the whole backup and found it right",
            &[CONCLUDED],
        ),
    Rule::on_ended_job("J1", REPAIR)
        .of(BEGIN)
        .when(job_has_failed)
        .because(
            "the job has failed, as on a full target; its checkpoint is left, and \
              nothing stands behind it",
            &[CONCLUDED, STAYS],
        ),
    Rule::on_ended_job("J2-off", START)
        .of(BEGIN)
        .when(domain_has_ended)
        .because(
            "the domain has ended, and its backup with it",
            &[CONCLUDED, STAYS],
        ),
    Rule::on_ended_job("J2-offline", FIX)
        .of(BEGIN)
        .when(domain_has_ended_for_good)
        .because(
            "the domain has ended, its backup with it, and it must stay off: read its \
              closed images by qemu-img or qemu-nbd",
            &[CONCLUDED, STAYS],
        ),
    Rule::on_ended_job("J2-gone", FIX)
        .of(BEGIN)
        .when(domain_is_gone)
        .because("the domain is gone, and its backup with it", &[CONCLUDED]),
    Rule::on_ended_job("J2-some-disks", Decision::FullForAffectedDisks)
        .of(BEGIN)
        .when(some_disks_have_lost_their_bitmaps)
        .because(
            "the job was cancelled, and on some disks the base's bitmap is not what it was, as \
              after QEMU was killed",
            &[CONCLUDED, STAYS],
        ),
    Rule::on_ended_job(
        "J2-other-base",
        Decision::IncrementalFromOtherGoodCheckpoint,
    )
    .of(BEGIN)
    .when(another_base_has_kept_its_bitmaps)
    .because(
        "the job was cancelled, and the base's bitmap is not what it was, as after QEMU was \
              killed; another base is good",
        &[CONCLUDED, STAYS],
    ),
    Rule::on_ended_job("J2-bitmaps", NEW_CHAIN)
        .of(BEGIN)
        .when(domain_has_lost_its_bitmaps)
        .because(
            "the job was cancelled, and the base's bitmap is not what it was, as after QEMU was \
              killed; no other base is good",
            &[CONCLUDED, STAYS],
        ),
    Rule::on_ended_job("J2", REPAIR)
        .of(BEGIN)
        .when(job_was_cancelled)
        .because(
            "the job was cancelled; its checkpoint is left, and nothing stands behind it",
            &[CONCLUDED, STAYS],
        ),
    Rule::on_ended_job("J3-unread", REPAIR)
        .of(BEGIN)
        .when(nobody_has_read_it)
        .because(
            "a pull backup that its client ends has ended well in any case: only its reader \
              knows whether the data is there, and says that it is not",
            &[CONCLUDED],
        ),
];

/// The client must have said so: a verified checkpoint, and a job that did not fail.
fn data_is_verified(facts: &Facts) -> Step {
    let is_verified = |name: &String| facts.is_verified(name);
    if !facts.request.checkpoint.as_ref().is_some_and(is_verified) {
        return Ok(None);
    }
    Ok(plain(facts.completed_job()? == CompletedJob::Completed))
}

fn job_has_failed(facts: &Facts) -> Step {
    if facts.completed_job()? != CompletedJob::Failed || !bitmaps_are_loaded(facts)? {
        return Ok(None);
    }
    discarded(facts)
}

/// The checkpoint goes as long as the domain is off.
fn domain_has_ended_for_good(facts: &Facts) -> Step {
    if !has_no_backup(facts)? || facts.domain_state()? != DomainState::Shutoff {
        return Ok(None);
    }
    let Some(name) = facts.defined_checkpoint()? else {
        return Ok(Some(Detail::default()));
    };
    if facts.is_verified(name) {
        return Ok(None);
    }
    let disks = facts.checkpoints()?[name].clone();
    let stored = carriers(facts.stored_bitmaps()?, name);
    let purge = (!stored.is_empty()).then(|| CleanUp::purging_offline(name, stored));
    let drop = CleanUp::dropping(name, disks).first();
    Ok(Some(Detail::cleaning(purge.into_iter().chain([drop]))))
}

/// The checkpoint goes once the domain is on again.
fn domain_has_ended(facts: &Facts) -> Step {
    if !has_no_backup(facts)? || facts.domain_state()? != DomainState::Shutoff {
        return Ok(None);
    }
    if !facts.records.may_start {
        return Ok(None);
    }
    discarded(facts)
}

fn domain_is_gone(facts: &Facts) -> Step {
    Ok(plain(
        has_no_backup(facts)? && facts.domain_state()? == DomainState::Gone,
    ))
}

/// The domain runs, and not as one that was restored and is still paused.
fn bitmaps_are_loaded(facts: &Facts) -> Result<bool, Probe> {
    Ok(facts.domain_state()?.is_active() && !facts.is_restored_and_paused()?)
}

fn some_disks_have_lost_their_bitmaps(facts: &Facts) -> Step {
    chain_of_cancelled(facts)?.map_or(Ok(None), |chain| chain.parted())
}

fn another_base_has_kept_its_bitmaps(facts: &Facts) -> Step {
    chain_of_cancelled(facts)?.map_or(Ok(None), |chain| chain.branched())
}

fn domain_has_lost_its_bitmaps(facts: &Facts) -> Step {
    let chain = chain_of_cancelled(facts)?;
    chain.map(|chain| chain.retired()).transpose()
}

/// The chain of an incremental backup that was cancelled, where it has a base that is not good.
fn chain_of_cancelled(facts: &Facts) -> Result<Option<Chain<'_>>, Probe> {
    if facts.completed_job()? != CompletedJob::Cancelled || !bitmaps_are_loaded(facts)? {
        return Ok(None);
    }
    facts.disks_are_known()?;
    if facts.request.needed().next().is_none() {
        return Ok(None);
    }
    let chain = facts.chain()?;
    Ok((!chain.bad()?.is_empty()).then_some(chain))
}

fn job_was_cancelled(facts: &Facts) -> Step {
    if facts.completed_job()? != CompletedJob::Cancelled || !bitmaps_are_loaded(facts)? {
        return Ok(None);
    }
    discarded(facts)
}

fn nobody_has_read_it(facts: &Facts) -> Step {
    let own = &facts.records.uncommitted_checkpoints;
    let is_own = |name: &String| own.contains(name) && !facts.is_verified(name);
    let is_pull = facts.request.server.is_some();
    if !is_pull || !facts.request.checkpoint.as_ref().is_some_and(is_own) {
        return Ok(None);
    }
    if facts.completed_job()? != CompletedJob::Completed {
        return Ok(None);
    }
    discarded(facts)
}

fn has_no_backup(facts: &Facts) -> Result<bool, Probe> {
    let ended = facts.completed_job()?;
    Ok(matches!(
        ended,
        CompletedJob::Failed | CompletedJob::Cancelled
    ))
}

/// The attempt's checkpoint goes, where it is left.
fn discarded(facts: &Facts) -> Step {
    let Some(name) = facts.defined_checkpoint()? else {
        return Ok(Some(Detail::default()));
    };
    if facts.is_verified(name) {
        return Ok(None);
    }
    let disks = facts.checkpoints()?[name].clone();
    Ok(Some(Detail::cleaning([CleanUp::discarding(name, disks)])))
}

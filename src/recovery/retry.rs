//! The decisions that end with the same call again, byte for byte.

use super::refused::Refused;
use super::work::Work;
use crate::driver::DriverError;
use crate::model::{Action, Api, Call, CleanUp, CleanUpTime, DomainState, flags};
use crate::plan::{Operation, Step};

/// `retry-after-job-ends` and `restore-environment-then-retry`: what the attempt has left goes; the
/// operator ends the other job, or repairs the resource. Where the clean-up is the repair, nothing
/// is left for the operator.
pub(super) fn after_remedy(
    work: &mut Work<'_, '_>,
    refused: Refused<'_>,
    remedy: &[Step],
) -> Result<(), DriverError> {
    const CLAIM: &str = "operator's part";

    if !work.clean_up(CleanUpTime::First)? {
        return Ok(());
    }
    let is_due = |step: &CleanUp| step.time != CleanUpTime::AfterVerifiedBackup;
    if remedy.is_empty() && !work.clean_up_steps().iter().any(is_due) {
        work.claim(CLAIM, "the scenario gives no remedy", false);
        return Ok(());
    }
    if !work.operate(remedy)? {
        work.claim(CLAIM, "refused", false);
        return Ok(());
    }
    if !remedy.is_empty() {
        work.claim(CLAIM, "done", true);
    }
    if !work.clean_up(CleanUpTime::BeforeRetry)? {
        return Ok(());
    }
    again(work, refused)
}

/// `change-domain-state-then-retry`: a domain that is off is started, paused; one that was restored
/// and is still paused is resumed. The proof closes it again.
pub(super) fn after_start(
    work: &mut Work<'_, '_>,
    refused: Refused<'_>,
) -> Result<(), DriverError> {
    let domain = &refused.call.domain;
    let (label, call) = match refused.state.domain {
        DomainState::Shutoff => {
            let start = Call::new(Api::DomainCreate, domain).flags(flags::START_PAUSED);
            ("start-paused", start)
        }
        DomainState::Paused => ("resume", Call::new(Api::DomainResume, domain)),
        state @ (DomainState::Running | DomainState::Other | DomainState::Gone) => {
            let text = format!("changing the state of a domain that is {state}");
            return Err(DriverError::NotModelled(text));
        }
    };
    if !work.call(label, &call)? {
        work.claim(label, "refused", false);
        return Ok(());
    }
    if !work.clean_up(CleanUpTime::First)? {
        return Ok(());
    }
    again(work, refused)
}

/// The same call again. It must succeed, and the chain behind it must work.
pub(super) fn again(work: &mut Work<'_, '_>, refused: Refused<'_>) -> Result<(), DriverError> {
    let accepted = work.call(refused.label, refused.call)?;
    work.claim(
        "the same call",
        if accepted { "accepted" } else { "refused" },
        accepted,
    );
    if !accepted {
        return Ok(());
    }
    let request = work.session.request_of(refused.call);
    if refused.call.api == Api::DomainBackupBegin {
        work.prove_last_backup()?;
    }
    end_block_job(work, refused.call)?;
    start_again(work, refused.call)?;
    let needed = request.needed().map(|(_, base)| base.to_owned()).next();
    let candidates = [request.checkpoint.clone(), needed];
    let verified: Vec<String> = work
        .session
        .ledger()
        .whole_checkpoints()
        .map(str::to_owned)
        .collect();
    let mut candidates = candidates.into_iter().flatten();
    match candidates.find(|name| verified.contains(name)) {
        Some(base) if work.session.checkpoints()?.contains(&base) => work.prove_chain(&base),
        Some(_) | None => prove_newest_chain(work),
    }
}

/// Brings the block job that the call has begun to its end, a commit of the top layer by its pivot: the
/// chain must work behind it. A copy is given up, and the disk stays where it is.
fn end_block_job(work: &mut Work<'_, '_>, call: &Call) -> Result<(), DriverError> {
    let begins = [
        Api::DomainBlockCommit,
        Api::DomainBlockPull,
        Api::DomainBlockRebase,
        Api::DomainBlockCopy,
    ];
    let Some(disk) = call.disk.clone().filter(|_| begins.contains(&call.api)) else {
        return Ok(());
    };
    let domain = work.session.place().domain.clone();
    let action = Action::AwaitBlockJob {
        domain: domain.clone(),
        disk: disk.clone(),
    };
    let label = format!("await-block-job {disk}");
    work.perform(&Step::of(label, Operation::Act(action)))?;
    if work
        .session
        .block_jobs(std::slice::from_ref(&disk))?
        .is_empty()
    {
        return Ok(());
    }
    let (flags, ending) = if call.api == Api::DomainBlockCopy {
        (0, "")
    } else {
        (flags::BLOCK_JOB_ABORT_PIVOT, " pivot")
    };
    let label = format!("block-job-abort {disk}{ending}");
    let end = Call {
        disk: Some(disk),
        ..Call::new(Api::DomainBlockJobAbort, &domain).flags(flags)
    };
    if !work.call(&label, &end)? {
        work.claim(label, "refused", false);
    }
    Ok(())
}

/// A snapshot that was gone back to may be one of a domain that is off: the proof starts it.
fn start_again(work: &mut Work<'_, '_>, call: &Call) -> Result<(), DriverError> {
    if work.session.domain_state()? != DomainState::Shutoff {
        return Ok(());
    }
    let domain = work.session.place().domain.clone();
    let start = Call::new(Api::DomainCreate, &domain);
    // What was saved is restored, and a QEMU that was restored and is still paused has no bitmaps yet.
    let (label, bits) = if call.api == Api::DomainManagedSave {
        ("start", 0)
    } else {
        ("start-paused", flags::START_PAUSED)
    };
    if !work.call(label, &start.flags(bits))? {
        work.claim("start", "refused", false);
    }
    Ok(())
}

/// The newest checkpoint with a verified backup that can serve does so; without one, what is there is
/// whole. That a base which could serve before is not lost is another proof.
pub(super) fn prove_newest_chain(work: &mut Work<'_, '_>) -> Result<(), DriverError> {
    let defined = work.session.checkpoints()?;
    let bitmaps = work.session.bitmaps()?;
    let ledger = work.session.ledger();
    let disks = ledger.verified_disks();
    let can_serve = |name: &&str| {
        let mut disks = disks.get(*name).into_iter().flatten();
        let is_defined = defined.iter().any(|defined| defined == name);
        is_defined && disks.all(|disk| bitmaps.has_usable(disk, name))
    };
    let verified: Vec<&str> = ledger.whole_checkpoints().collect();
    if let Some(base) = verified
        .into_iter()
        .rev()
        .find(can_serve)
        .map(str::to_owned)
    {
        return work.prove_chain(&base);
    }
    work.prove_clean_up()?;
    work.prove_checkpoints_and_bitmaps()?;
    work.prove_closed_images()
}

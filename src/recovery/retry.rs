//! The decisions that end with the same call again, byte for byte.

use super::refused::Refused;
use super::work::Work;
use crate::driver::DriverError;
use crate::model::{Api, Call, DomainState, flags};
use crate::plan::Step;

/// `retry-after-job-ends` and `restore-environment-then-retry`: the operator ends the other job, or
/// repairs the resource.
pub(super) fn after_remedy(
    work: &mut Work<'_, '_>,
    refused: Refused<'_>,
    remedy: &[Step],
) -> Result<(), DriverError> {
    const CLAIM: &str = "operator's part";

    if remedy.is_empty() {
        work.claim(CLAIM, "the scenario gives no remedy", false);
        return Ok(());
    }
    if !work.operate(remedy)? {
        work.claim(CLAIM, "refused", false);
        return Ok(());
    }
    work.claim(CLAIM, "done", true);
    again(work, refused)
}

/// `change-domain-state-then-retry`: a domain that is off is started, paused; the proof closes it
/// again.
pub(super) fn after_start(
    work: &mut Work<'_, '_>,
    refused: Refused<'_>,
) -> Result<(), DriverError> {
    let state = refused.state.domain;
    if state != DomainState::Shutoff {
        let text = format!("changing the state of a domain that is {state}");
        return Err(DriverError::NotModelled(text));
    }
    let start = Call::new(Api::DomainCreate, &refused.call.domain).flags(flags::START_PAUSED);
    if !work.call("start-paused", &start)? {
        work.claim("start", "refused", false);
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
    let needed = request.needed().map(|(_, base)| base.to_owned()).next();
    let candidates = [request.checkpoint.clone(), needed];
    let verified: Vec<String> = work
        .session
        .ledger()
        .verified_checkpoints()
        .map(str::to_owned)
        .collect();
    let mut candidates = candidates.into_iter().flatten();
    if let Some(base) = candidates.find(|name| verified.contains(name)) {
        return work.prove_chain(&base, &[]);
    }
    work.prove_checkpoints_and_bitmaps()?;
    work.prove_closed_images()
}

//! Where `virsh` says something else than the function that it calls.
//!
//! It finds domain and checkpoint by name each time, where a program may hold them, and looks at some
//! flags itself (`tools/virsh-domain.c:cmdUndefine`, `tools/virsh-checkpoint.c` in libvirt 11.3).

use crate::model::{Answer, Api, Call, DomainState, ErrorCode, flags};
use crate::run::{Rehearsal, Rehearsed};
use crate::transcript::Exchange;

/// Why `virsh` does not show this answer to the call under test; `None` where it does.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "of most functions virsh passes on what they say"
)]
pub(super) fn why_unlike(
    rehearsal: &Rehearsal,
    call: &Call,
    answer: &Answer,
) -> Option<&'static str> {
    if rehearsal.before.domain == DomainState::Gone {
        return Some("virsh holds no domain, it looks for one by its name each time");
    }
    let code = match answer {
        Answer::Returned(_) => None,
        Answer::Refused(error) => Some(error.code),
    };
    let is_there = |name: &String| rehearsal.before.checkpoints.contains(name);
    if code != Some(ErrorCode::NO_DOMAIN_CHECKPOINT)
        && call.checkpoint.as_ref().is_some_and(|name| !is_there(name))
    {
        return Some("virsh holds no checkpoint, it looks for one by its name each time");
    }
    let has = |flag: u32| call.flags & flag != 0;
    match call.api {
        Api::CheckpointCreate
            if has(flags::CHECKPOINT_CREATE_REDEFINE_VALIDATE)
                && !has(flags::CHECKPOINT_CREATE_REDEFINE) =>
        {
            Some("virsh itself refuses --redefine-validate without --redefine")
        }
        Api::CheckpointGetParent if code.is_some() => {
            Some("virsh has its own words for a checkpoint without a parent")
        }
        Api::DomainUndefine
            if has(flags::UNDEFINE_NVRAM) && has(flags::UNDEFINE_KEEP_NVRAM)
                || has(flags::UNDEFINE_TPM) && has(flags::UNDEFINE_KEEP_TPM) =>
        {
            Some("virsh itself refuses to delete something and to keep it")
        }
        Api::DomainUndefine
            if has(flags::UNDEFINE_MANAGED_SAVE) != was_saved(&rehearsal.history) =>
        {
            Some("virsh looks for saved memory itself, and goes by that and not by the flag")
        }
        _ => None,
    }
}

/// Whether the domain's memory was saved, and not restored since.
fn was_saved(history: &[Rehearsed]) -> bool {
    let records = history.iter().flat_map(|step| &step.records);
    records.fold(false, |saved, record| match &record.exchange {
        Exchange::Call {
            call,
            answer: Answer::Returned(_),
        } => call.api == Api::DomainManagedSave || saved && call.api != Api::DomainCreate,
        Exchange::Call { .. } | Exchange::Action { .. } => saved,
    })
}

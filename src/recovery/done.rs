//! `treat-as-done`: what the caller wanted already holds, which a query must show.

use super::refused::Refused;
use super::retry;
use super::work::Work;
use crate::driver::DriverError;
use crate::model::{Api, BitmapTable, Call, CleanUpTime, DomainState, flags};
use crate::plan::{Operation, Step};

/// Does the clean-up that is left, shows by queries that the wanted state holds and that the same
/// call changes nothing, and then that the chain works.
pub(super) fn execute(work: &mut Work<'_, '_>, refused: Refused<'_>) -> Result<(), DriverError> {
    if !work.clean_up(CleanUpTime::First)? {
        return Ok(());
    }
    let state = work.session.domain_state()?;
    let (wanted, found) = wanted(work, refused, state)?;
    work.claim("the wanted state", found, wanted);
    if is_made_once(refused.call.api) {
        // What it made must not be made a second time; whose job runs is the client's to end.
        return Ok(());
    }
    let before = work.session.host_state()?;
    let answer = work.session.repeat(refused.call)?;
    let unchanged = before == work.session.host_state()?;
    let code = answer.map(|error| error.code);
    let again = code.map_or_else(|| "succeeded".to_owned(), |code| code.to_string());
    let found = if unchanged {
        again
    } else {
        format!("{again}; the host has changed")
    };
    // After a clean-up the reason may be another one.
    let first = work.facts().and_then(|facts| facts.error.as_ref());
    let is_same = !work.clean_up_steps().is_empty() || code == first.map(|error| error.code);
    work.claim("the same call again", found, unchanged && is_same);
    match state {
        DomainState::Gone => Ok(()),
        DomainState::Shutoff => {
            work.prove_images()?;
            // The proof's own start, whatever the client may do.
            let start = Call::new(Api::DomainCreate, &refused.call.domain);
            if !work.call("start-paused", &start.flags(flags::START_PAUSED))? {
                work.claim("start", "refused", false);
                return Ok(());
            }
            retry::prove_newest_chain(work)
        }
        DomainState::Running | DomainState::Paused | DomainState::Other => {
            end_own_backup(work)?;
            retry::prove_newest_chain(work)
        }
    }
}

/// Whether the state that the call was to bring about is there, and what shows it.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "no rule comes to this decision for any other function"
)]
fn wanted(
    work: &mut Work<'_, '_>,
    refused: Refused<'_>,
    state: DomainState,
) -> Result<(bool, String), DriverError> {
    if state == DomainState::Gone {
        return Ok((true, "the domain is gone".to_owned()));
    }
    let name = refused.call.checkpoint.clone().unwrap_or_default();
    Ok(match refused.call.api {
        Api::CheckpointDelete => {
            let defined = work.session.checkpoints()?.contains(&name);
            // Of the metadata alone no bitmap is wanted gone.
            let is_of_metadata = refused.call.flags & flags::CHECKPOINT_DELETE_METADATA_ONLY != 0;
            let carried = !is_of_metadata && carries(&work.session.bitmaps()?, &name);
            let found = match (defined, carried) {
                (true, _) => format!("{name} is still defined"),
                (false, true) => format!("{name} has left a bitmap"),
                (false, false) if is_of_metadata => format!("no checkpoint {name}"),
                (false, false) => format!("no checkpoint and no bitmap {name}"),
            };
            (!defined && !carried, found)
        }
        Api::DomainAbortJob | Api::DomainAbortJobFlags | Api::DomainBackupGetXmlDesc => {
            let registered = work.session.has_backup()?;
            let found = if registered {
                "a backup is registered"
            } else {
                "no backup is registered"
            };
            (!registered, found.to_owned())
        }
        Api::DomainShutdown | Api::DomainDestroy => (
            state == DomainState::Shutoff,
            format!("the domain is {state}"),
        ),
        Api::DomainBackupBegin | Api::CheckpointCreate => {
            let request = work.session.request_of(refused.call);
            let name = request.checkpoint.unwrap_or_default();
            let defined = work.session.checkpoints()?.contains(&name);
            let how = if defined { "is" } else { "is not" };
            (defined, format!("checkpoint {name} {how} defined"))
        }
        other => (
            false,
            format!("nobody knows what {other} was to bring about"),
        ),
    })
}

/// A call that makes something each time it is made.
const fn is_made_once(api: Api) -> bool {
    matches!(api, Api::DomainBackupBegin | Api::CheckpointCreate)
}

fn carries(bitmaps: &BitmapTable, name: &str) -> bool {
    bitmaps.0.iter().any(|row| row.name == name)
}

/// Nothing that the proof does may find a job in its way.
fn end_own_backup(work: &mut Work<'_, '_>) -> Result<(), DriverError> {
    if work.session.has_backup()? {
        work.perform(&Step::of("backup-abort", Operation::AbortBackup))?;
    }
    Ok(())
}

impl Work<'_, '_> {
    /// The closed images are sound, and none of their bitmaps is in use or without a checkpoint.
    fn prove_images(&mut self) -> Result<(), DriverError> {
        let defined = self.session.checkpoints()?;
        let stored = self.session.bitmaps()?;
        let bad = stored
            .0
            .iter()
            .find(|row| row.inconsistent || !defined.contains(&row.name));
        let found = match bad {
            Some(row) => format!("{} on {} is stale", row.name, row.disk),
            None => format!("{} stored, none stale", stored.0.len()),
        };
        self.claim("bitmaps of the closed images", found, bad.is_none());
        self.check_images()
    }
}

//! From a decision to a proven recovery.

use super::consult::Consultation;
use super::refused::Refused;
use super::work::{Recovery, Work};
use super::{done, fix_request, full_backup, named_base, redefine, retry};
use crate::driver::DriverError;
use crate::model::Decision;
use crate::plan::Step;
use crate::session::Session;

/// Executes a decision and proves it.
///
/// # Errors
/// The driver could not find something out, or the decision is about something that this build
/// cannot do yet.
pub fn execute(
    session: &mut Session<'_>,
    consultation: &Consultation,
    refused: Refused<'_>,
    remedy: &[Step],
) -> Result<Recovery, DriverError> {
    let mut work = Work::new(session, Some(consultation));
    match consultation.conclusion.decision {
        Decision::FixRequest => fix_request::execute(&mut work, refused, remedy)?,
        Decision::RetryAfterJobEnds | Decision::RestoreEnvironmentThenRetry => {
            retry::after_remedy(&mut work, refused, remedy)?;
        }
        Decision::ChangeDomainStateThenRetry => retry::after_start(&mut work, refused)?,
        Decision::RedefineMissingCheckpointsThenRetry => {
            redefine::execute(&mut work, refused, remedy)?;
        }
        Decision::IncrementalFromOtherGoodCheckpoint | Decision::FullForAffectedDisks => {
            named_base::execute(&mut work)?;
        }
        Decision::FullBackupNewChain => full_backup::execute(&mut work, refused)?,
        Decision::TreatAsDone => done::execute(&mut work, refused)?,
        Decision::InvestigateEscalate => work.prove_nothing_changed(refused.state)?,
    }
    work.prove_bases_kept(refused, consultation.conclusion.decision)?;
    Ok(work.into_recovery())
}

/// Proves a backup that succeeded: it ends well, and every byte of it is right.
pub fn prove_backup(session: &mut Session<'_>) -> Result<Recovery, DriverError> {
    let mut work = Work::new(session, None);
    work.prove_last_backup()?;
    Ok(work.into_recovery())
}

/// Proves that every backup but the last one that was good once is still good.
pub fn prove_older_backups(session: &mut Session<'_>) -> Result<Recovery, DriverError> {
    let mut work = Work::new(session, None);
    work.prove_old_chain()?;
    Ok(work.into_recovery())
}

//! From a decision to a proven recovery.

use super::refused::Refused;
use super::work::{Recovery, Work};
use super::{fix_request, full_backup, mixed_backup, other_base, redefine, retry};
use crate::driver::DriverError;
use crate::model::Decision;
use crate::plan::Step;
use crate::session::Session;
use crate::transcript::Conclusion;

/// Executes a decision and proves it.
///
/// # Errors
/// The driver could not find something out, or the decision is one that this build cannot
/// execute yet.
pub fn execute(
    session: &mut Session<'_>,
    conclusion: &Conclusion,
    refused: Refused<'_>,
    remedy: &[Step],
) -> Result<Recovery, DriverError> {
    let mut work = Work::new(session);
    match conclusion.decision {
        Decision::FixRequest => fix_request::execute(&mut work, remedy)?,
        Decision::RetryAfterJobEnds | Decision::RestoreEnvironmentThenRetry => {
            retry::after_remedy(&mut work, refused, remedy)?;
        }
        Decision::ChangeDomainStateThenRetry => retry::after_start(&mut work, refused)?,
        Decision::RedefineMissingCheckpointsThenRetry => redefine::execute(&mut work, refused)?,
        Decision::IncrementalFromOtherGoodCheckpoint => {
            other_base::execute(&mut work, conclusion)?;
        }
        Decision::FullForAffectedDisks => mixed_backup::execute(&mut work, conclusion)?,
        Decision::FullBackupNewChain => full_backup::execute(&mut work, conclusion)?,
        Decision::InvestigateEscalate => work.prove_nothing_changed(refused.state)?,
        Decision::TreatAsDone => {
            // The judge may well be right; what is missing is the way to prove it.
            let text = format!("executing the decision `{}`", conclusion.decision);
            return Err(DriverError::NotModelled(text));
        }
    }
    Ok(work.into_recovery())
}

/// Proves a backup that succeeded: it ends well, and every byte of it is right.
pub fn prove_backup(session: &mut Session<'_>) -> Result<Recovery, DriverError> {
    let mut work = Work::new(session);
    work.prove_last_backup()?;
    Ok(work.into_recovery())
}

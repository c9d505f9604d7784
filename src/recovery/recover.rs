//! From a refused call to a proven recovery.

use super::work::Work;
use super::{consult, fix_request, full_backup};
use crate::driver::DriverError;
use crate::model::{Call, Decision, LibvirtError};
use crate::plan::Step;
use crate::session::Session;
use crate::transcript::{Conclusion, ProofLine, Record};

/// A recovery, as far as it got.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// What was decided.
    pub conclusion: Conclusion,
    /// What was done.
    pub steps: Vec<Record>,
    /// What shows that it worked.
    pub proof: Vec<ProofLine>,
}

/// Decides what to do after `error`, does it, and proves it.
///
/// # Errors
/// The driver could not find something out, or the decision is one that this build cannot
/// execute yet.
pub fn recover(
    session: &mut Session<'_>,
    call: &Call,
    error: &LibvirtError,
    remedy: &[Step],
) -> Result<Recovery, DriverError> {
    let conclusion = consult::decide(session, call, error)?;
    let mut work = Work {
        session,
        steps: Vec::new(),
        proof: Vec::new(),
    };
    match conclusion.decision {
        Decision::FixRequest => fix_request::execute(&mut work, remedy)?,
        Decision::FullBackupNewChain => full_backup::execute(&mut work, &conclusion.clean_up)?,
        Decision::InvestigateEscalate => work.prove_nothing_changes()?,
        Decision::RetryAfterJobEnds
        | Decision::ChangeDomainStateThenRetry
        | Decision::RestoreEnvironmentThenRetry
        | Decision::RedefineMissingCheckpointsThenRetry
        | Decision::IncrementalFromOtherGoodCheckpoint
        | Decision::FullForAffectedDisks
        | Decision::TreatAsDone => {
            // The judge may well be right; what is missing is the way to prove it.
            let text = format!(
                "executing `{}`, decided after: {error}",
                conclusion.decision
            );
            return Err(DriverError::NotModelled(text));
        }
    }
    let Work { steps, proof, .. } = work;
    Ok(Recovery {
        conclusion,
        steps,
        proof,
    })
}

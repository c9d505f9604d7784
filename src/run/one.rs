//! One scenario on one driver, from set-up to proof.

use crate::driver::{Driver, DriverError};
use crate::model::{Answer, Api, Decision, Identity, Place, Raised};
use crate::plan::{Operation, Plan, Step, lower};
use crate::recovery::{Refused, conclude, execute, prove_backup};
use crate::scenario::{Expectation, Scenario};
use crate::session::Session;
use crate::transcript::{
    Conclusion, Exchange, Record, Redactions, Transcript, render, without_diagnoses,
};
use crate::verdict::{Check, verdict};

/// A scenario that got to its end.
#[derive(Clone, Debug)]
pub struct Ran {
    /// What happened, redacted.
    pub transcript: Transcript,
    /// The same as its snapshot would have it.
    pub text: String,
    /// What was expected and what was found.
    pub checks: Vec<Check>,
    /// What the calls have raised inside libvirt, redacted; `None` where the driver cannot see that.
    pub raised: Option<Vec<Raised>>,
}

/// A scenario that could not be brought to its end.
#[derive(Clone, Debug)]
pub struct Stopped {
    /// Why.
    pub error: DriverError,
    /// What happened until then, redacted.
    pub transcript: Option<Box<Transcript>>,
}

impl From<DriverError> for Stopped {
    fn from(error: DriverError) -> Self {
        Self {
            error,
            transcript: None,
        }
    }
}

/// How far a scenario is played.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Extent {
    /// To the proof of the recovery.
    #[default]
    Whole,
    /// To the decision after a refusal; no recovery is executed. A call that succeeds is still
    /// brought to its end.
    UntilDecision,
}

/// Runs a scenario on a driver, whose identity is known, and cleans up after it, whatever came of
/// it.
///
/// # Errors
/// The scenario could not be brought to its end.
pub fn run_scenario(
    driver: &mut dyn Driver,
    identity: &Identity,
    name: &str,
    scenario: &Scenario,
    extent: Extent,
) -> Result<Ran, Stopped> {
    run_deciding(driver, identity, (name, scenario), extent, &|_| {})
}

/// The same with a decision that is made otherwise than the judge does: a proof that accepts every
/// decision proves nothing.
///
/// # Errors
/// The scenario could not be brought to its end.
pub fn run_deciding(
    driver: &mut dyn Driver,
    identity: &Identity,
    (name, scenario): (&str, &Scenario),
    extent: Extent,
    otherwise: &dyn Fn(&mut Conclusion),
) -> Result<Ran, Stopped> {
    let place = driver.open_scenario()?;
    let mut transcript = Transcript::new(name, identity.clone());
    let played = play(
        driver,
        &place,
        (scenario, otherwise),
        extent,
        &mut transcript,
    );
    let raised = played.and_then(|()| driver.raised());
    let closed = driver.close_scenario(&place);
    let transcript = without_diagnoses(transcript);
    let redactions = Redactions::of(&place);
    let redacted = redactions
        .apply_to(&transcript)
        .map_err(|error| DriverError::Failed(format!("an answer has no form in JSON: {error}")))?;
    let raised = match raised.and_then(|raised| closed.map(|()| raised)) {
        Ok(raised) => raised,
        Err(error) => {
            return Err(Stopped {
                error: error.with_texts(|text| redactions.apply(text)),
                transcript: Some(Box::new(redacted)),
            });
        }
    };
    let redacted_message = |raised: Raised| Raised {
        message: redactions.apply(&raised.message),
        ..raised
    };
    Ok(Ran {
        transcript: redacted,
        text: redactions.apply(&render(&transcript)),
        checks: verdict(&transcript, &scenario.then, extent == Extent::Whole),
        raised: raised.map(|raised| raised.into_iter().map(redacted_message).collect()),
    })
}

fn play(
    driver: &mut dyn Driver,
    place: &Place,
    (scenario, otherwise): (&Scenario, &dyn Fn(&mut Conclusion)),
    extent: Extent,
    transcript: &mut Transcript,
) -> Result<(), DriverError> {
    let Plan {
        disks,
        setup,
        history,
        when,
        remedy,
    } = lower(scenario, place).map_err(|error| DriverError::Failed(error.to_string()))?;
    let mut session = Session::new(driver, place.clone(), disks);
    for step in &setup {
        succeed(&mut session, step)?;
    }
    for step in &history {
        transcript.history.extend(succeed(&mut session, step)?);
        if matches!(
            step.operation,
            Operation::AwaitBackup | Operation::EndBackup
        ) {
            verify(&mut session, &step.label)?;
        }
    }
    let before = session.host_state()?;
    transcript.before = Some(before.clone());
    let Some(record) = session.perform(&when)?.pop() else {
        return Ok(());
    };
    transcript.when = Some(record.clone());
    let Exchange::Call { call, answer } = &record.exchange else {
        return Ok(());
    };
    if let (Api::DomainBackupBegin, Answer::Returned(_)) = (call.api, answer) {
        // The state after it could not be compared while the job still runs.
        let recovery = prove_backup(&mut session)?;
        (transcript.recovery, transcript.proof) = (recovery.steps, recovery.proof);
    }
    if let (Api::DomainBackupBegin, Answer::Refused(_), false) = (call.api, answer, before.backup) {
        session.settle_backup()?;
    }
    let after = session.host_state()?;
    transcript.after = Some(after.clone());
    let Answer::Refused(error) = answer else {
        return Ok(());
    };
    let mut consultation = conclude(&mut session, call, Some(error), scenario.client)?;
    otherwise(&mut consultation.conclusion);
    let decision = consultation.conclusion.decision;
    transcript.conclusion = Some(consultation.conclusion.clone());
    if extent == Extent::UntilDecision {
        return Ok(());
    }
    let refused = Refused {
        label: &record.label,
        call,
        before: &before,
        state: &after,
    };
    match execute(&mut session, &consultation, refused, &remedy) {
        // Another decision than the expected one is the finding; that it cannot be executed is not.
        Err(DriverError::NotModelled(_)) if expected_decision(scenario) != Some(decision) => {}
        executed => {
            let recovery = executed?;
            (transcript.recovery, transcript.proof) = (recovery.steps, recovery.proof);
        }
    }
    Ok(())
}

fn expected_decision(scenario: &Scenario) -> Option<Decision> {
    match &scenario.then {
        Expectation::Success => None,
        Expectation::Refusal(refusal) => Some(refusal.decision),
    }
}

/// A backup before the call under test must restore, or the scenario is not the one it claims.
fn verify(session: &mut Session<'_>, label: &str) -> Result<(), DriverError> {
    let restored = session.restore_last_backup()?;
    match restored.iter().find(|disk| !disk.equal) {
        None => Ok(()),
        Some(disk) => {
            let text = format!(
                "after `{label}` the backup of {} does not restore: {}",
                disk.disk, disk.found
            );
            Err(DriverError::Failed(text))
        }
    }
}

/// A step before the call under test must succeed, or the scenario is not the one it claims.
fn succeed(session: &mut Session<'_>, step: &Step) -> Result<Vec<Record>, DriverError> {
    let records = session.perform(step)?;
    let refusal = records.iter().find_map(Record::refusal);
    let wanted = match &step.operation {
        Operation::Call(planned) => planned.refused,
        Operation::Act(_)
        | Operation::ActOnLayer { .. }
        | Operation::PutOverlay { .. }
        | Operation::CommitOverlay { .. }
        | Operation::AwaitBackup
        | Operation::EndBackup
        | Operation::AbortBackup => None,
    };
    let label = &step.label;
    let text = match (refusal, wanted) {
        (None, None) => return Ok(records),
        (Some(error), Some(code)) if error.code == code => return Ok(records),
        (Some(error), _) => {
            format!("the step `{label}` before the call under test was refused: {error}")
        }
        (None, Some(code)) => {
            format!("the step `{label}` before the call under test was not refused by {code}")
        }
    };
    Err(DriverError::Failed(text))
}

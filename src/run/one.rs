//! One scenario on one driver, from set-up to proof.

use crate::driver::{Driver, DriverError};
use crate::judge::{Check, verdict};
use crate::model::Place;
use crate::plan::{Plan, Step, lower};
use crate::recovery::recover;
use crate::scenario::Scenario;
use crate::session::Session;
use crate::transcript::{Exchange, Record, Redactions, Transcript, render};

/// A scenario that got to its end.
#[derive(Clone, Debug)]
pub struct Ran {
    /// What happened.
    pub transcript: Transcript,
    /// The same as its snapshot would have it.
    pub text: String,
    /// What was expected and what was found.
    pub checks: Vec<Check>,
}

/// A scenario that could not be brought to its end.
#[derive(Clone, Debug)]
pub struct Stopped {
    /// Why.
    pub error: DriverError,
    /// What happened until then.
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

/// Runs a scenario and cleans up after it, whatever came of it.
///
/// # Errors
/// The scenario could not be brought to its end.
pub fn run_scenario(
    driver: &mut dyn Driver,
    name: &str,
    scenario: &Scenario,
) -> Result<Ran, Stopped> {
    let identity = driver.identity()?;
    let place = driver.open_scenario()?;
    let mut transcript = Transcript::new(name, identity);
    let played = play(driver, &place, scenario, &mut transcript);
    let closed = driver.close_scenario(&place);
    if let Err(error) = played.and(closed) {
        return Err(Stopped {
            error,
            transcript: Some(Box::new(transcript)),
        });
    }
    let text = Redactions::of(&place).apply(&render(&transcript));
    let checks = verdict(&transcript, &scenario.then);
    Ok(Ran {
        transcript,
        text,
        checks,
    })
}

fn play(
    driver: &mut dyn Driver,
    place: &Place,
    scenario: &Scenario,
    transcript: &mut Transcript,
) -> Result<(), DriverError> {
    let Plan {
        disks,
        setup,
        history,
        when,
        remedy,
    } = lower(scenario, place);
    let mut session = Session::new(driver, place.clone(), disks);
    for step in &setup {
        succeed(&mut session, step)?;
    }
    for step in &history {
        transcript.history.push(succeed(&mut session, step)?);
    }
    transcript.before = Some(session.host_state()?);
    let record = session.perform(&when)?;
    transcript.when = Some(record.clone());
    transcript.after = Some(session.host_state()?);
    if let (Some(error), Exchange::Call { call, .. }) = (record.refusal(), &record.exchange) {
        let recovery = recover(&mut session, call, error, &remedy)?;
        transcript.conclusion = Some(recovery.conclusion);
        transcript.recovery = recovery.steps;
        transcript.proof = recovery.proof;
    }
    Ok(())
}

/// A step before the call under test must succeed, or the scenario is not the one it claims.
fn succeed(session: &mut Session<'_>, step: &Step) -> Result<Record, DriverError> {
    let record = session.perform(step)?;
    match record.refusal() {
        None => Ok(record),
        Some(error) => {
            let text = format!(
                "the step `{}` before the call under test was refused: {error}",
                step.label
            );
            Err(DriverError::Failed(text))
        }
    }
}

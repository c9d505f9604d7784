//! One scenario up to its call under test, to tell it to somebody else.

use crate::driver::{Driver, DriverError};
use crate::model::{Identity, Place};
use crate::plan::{PlannedDisk, Step, lower};
use crate::scenario::Scenario;
use crate::session::Session;
use crate::transcript::{HostState, Record};

/// What a scenario does, step by step.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// Who answered.
    pub identity: Identity,
    /// Where it was played.
    pub place: Place,
    /// The domain's disks.
    pub disks: Vec<PlannedDisk>,
    /// Images and the domain's definition.
    pub setup: Vec<Rehearsed>,
    /// What happens before the call under test.
    pub history: Vec<Rehearsed>,
    /// The state before the call under test.
    pub before: HostState,
    /// The call under test.
    pub when: Rehearsed,
}

/// A step and what came of it.
#[derive(Clone, Debug)]
pub struct Rehearsed {
    /// As it was planned.
    pub step: Step,
    /// The calls and actions that it was, with their answers.
    pub records: Vec<Record>,
}

/// Plays a scenario on a driver up to its call under test, that included, and cleans up after it.
///
/// # Errors
/// A step that no driver can execute or that comes out otherwise than planned, or that the driver has
/// no answer for.
pub fn rehearse(driver: &mut dyn Driver, scenario: &Scenario) -> Result<Rehearsal, DriverError> {
    let identity = driver.identity()?;
    let place = driver.open_scenario()?;
    let played = play(driver, identity, &place, scenario);
    driver.close_scenario(&place)?;
    played
}

fn play(
    driver: &mut dyn Driver,
    identity: Identity,
    place: &Place,
    scenario: &Scenario,
) -> Result<Rehearsal, DriverError> {
    let plan = lower(scenario, place).map_err(|error| DriverError::Failed(error.to_string()))?;
    let mut session = Session::new(driver, place.clone(), plan.disks.clone());
    let setup = succeed(&mut session, plan.setup)?;
    let history = succeed(&mut session, plan.history)?;
    let before = session.host_state()?;
    let records = session.perform(&plan.when)?;
    let step = plan.when;
    Ok(Rehearsal {
        identity,
        place: place.clone(),
        disks: plan.disks,
        setup,
        history,
        before,
        when: Rehearsed { step, records },
    })
}

fn succeed(session: &mut Session<'_>, steps: Vec<Step>) -> Result<Vec<Rehearsed>, DriverError> {
    let steps = steps.into_iter().map(|step| {
        let records = session.succeed(&step)?;
        Ok(Rehearsed { step, records })
    });
    steps.collect()
}

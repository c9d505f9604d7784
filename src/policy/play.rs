//! One profile in one scenario.

use super::client::Client;
use super::debris::debris;
use super::outcome::{Outcome, Played};
use super::profile::Profile;
use crate::driver::{Driver, DriverError};
use crate::model::{Api, Call, Decision, Place};
use crate::plan::{Operation, Plan, Step, lower};
use crate::scenario::{Expectation, Scenario};
use crate::session::Session;

/// Plays a profile against a scenario in which the judge comes to `decision`.
///
/// # Errors
/// The driver could not find something out.
pub(super) fn play(
    driver: &mut dyn Driver,
    scenario: &Scenario,
    profile: &Profile,
    decision: Decision,
) -> Result<Played, DriverError> {
    in_a_place(driver, |driver, place| {
        let plan = planned(scenario, place)?;
        let mut session = Session::new(driver, place.clone(), plan.disks.clone());
        establish(&mut session, &plan)?;
        let before = debris(&mut session)?;
        let call = call_under_test(&plan, place);
        let mut client = Client::new(
            profile,
            &mut session,
            (&plan.when, &call),
            (&plan.remedy, decision),
            has_restarted(&plan.history),
        );
        if scenario_is_silent(scenario) && profile.binds_images {
            client.give_the_chain_up();
        }
        let ran = client.run();
        match ran.and_then(|end| client.assess(end, decision, &before)) {
            Ok(played) => Ok(played),
            Err(DriverError::NotModelled(what)) => Ok(Played {
                outcome: Outcome::NotModelled,
                debris: Vec::new(),
                steps: vec![what],
            }),
            Err(error) => Err(error),
        }
    })
}

/// Opens a place, and closes it whatever came of it.
pub(super) fn in_a_place<T>(
    driver: &mut dyn Driver,
    work: impl FnOnce(&mut dyn Driver, &Place) -> Result<T, DriverError>,
) -> Result<T, DriverError> {
    let place = driver.open_scenario()?;
    let worked = work(driver, &place);
    let closed = driver.close_scenario(&place);
    worked.and_then(|value| closed.map(|()| value))
}

/// The scenario as calls.
pub(super) fn planned(scenario: &Scenario, place: &Place) -> Result<Plan, DriverError> {
    lower(scenario, place).map_err(|error| DriverError::Failed(error.to_string()))
}

/// All that comes before the call under test.
pub(super) fn establish(session: &mut Session<'_>, plan: &Plan) -> Result<(), DriverError> {
    for step in &plan.setup {
        session.succeed(step)?;
    }
    for step in &plan.history {
        session.succeed(step)?;
        session.verify_ended_backup(step)?;
    }
    Ok(())
}

/// Whether libvirt refuses nothing: who knows that the image is another one knows it by itself.
const fn scenario_is_silent(scenario: &Scenario) -> bool {
    matches!(scenario.then, Expectation::Success)
}

/// Whether the domain was started after the last backup had begun.
fn has_restarted(history: &[Step]) -> bool {
    let since = history
        .iter()
        .rev()
        .take_while(|step| !begins(step, Api::DomainBackupBegin));
    since
        .into_iter()
        .any(|step| begins(step, Api::DomainCreate))
}

fn begins(step: &Step, api: Api) -> bool {
    matches!(&step.operation, Operation::Call(planned) if planned.call.api == api)
}

/// The call that was begun under a label.
fn begun(plan: &Plan, label: &str, place: &Place) -> Call {
    let begun = plan.history.iter().find_map(|step| {
        let Operation::BeginCall(name, call) = &step.operation else {
            return None;
        };
        (name == label).then(|| call.clone())
    });
    // The language has no call that is joined and was not begun.
    begun.unwrap_or_else(|| Call::new(Api::DomainAbortJob, &place.domain))
}

/// The call under test, before its XML is taken from an earlier answer.
fn call_under_test(plan: &Plan, place: &Place) -> Call {
    match &plan.when.operation {
        Operation::Call(planned)
        | Operation::Shutdown(planned)
        | Operation::AttachDisk(_, planned) => planned.call.clone(),
        Operation::BeginCall(_, call) => call.clone(),
        Operation::JoinCall(label) => begun(plan, label, place),
        // The language has no other call under test.
        Operation::Act(_)
        | Operation::ActOnLayer { .. }
        | Operation::PutOverlay { .. }
        | Operation::CommitOverlay { .. }
        | Operation::AwaitFailure
        | Operation::AwaitBackup
        | Operation::EndBackup
        | Operation::AbortBackup => Call::new(Api::DomainAbortJob, &place.domain),
    }
}

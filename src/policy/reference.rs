//! The judge's own decision in a scenario, executed and proven: what profiles are held against.

use super::outcome::{Outcome, Played};
use super::play::{establish, in_a_place, planned};
use crate::driver::{Driver, DriverError};
use crate::model::{Api, Decision, LibvirtError};
use crate::recovery::{Refused, conclude, execute};
use crate::scenario::Scenario;
use crate::session::Session;
use crate::transcript::Exchange;

/// The refusal of the call under test, the judge's decision about it, and what came of that.
pub(super) struct Reference {
    pub(super) api: Api,
    pub(super) error: LibvirtError,
    pub(super) decision: Decision,
    pub(super) played: Played,
}

/// Plays the judge; `None` where the call under test is not refused.
///
/// # Errors
/// The driver could not find something out.
pub(super) fn reference(
    driver: &mut dyn Driver,
    scenario: &Scenario,
) -> Result<Option<Reference>, DriverError> {
    in_a_place(driver, |driver, place| {
        let plan = planned(scenario, place)?;
        let mut session = Session::new(driver, place.clone(), plan.disks.clone());
        establish(&mut session, &plan)?;
        let before = session.host_state()?;
        let Some(record) = session.perform(&plan.when)?.pop() else {
            return Ok(None);
        };
        let Some(error) = record.refusal().cloned() else {
            return Ok(None);
        };
        let Exchange::Call { call, .. } = &record.exchange else {
            return Ok(None);
        };
        if call.api == Api::DomainBackupBegin && !before.backup {
            session.settle_backup()?;
        }
        let state = session.host_state()?;
        let consultation = conclude(&mut session, call, Some(&error), scenario.client)?;
        let refused = Refused {
            label: &record.label,
            call,
            before: &before,
            state: &state,
        };
        let decision = consultation.conclusion.decision;
        let recovery = execute(&mut session, &consultation, refused, &plan.remedy)?;
        let broken = recovery.proof.iter().find(|line| !line.holds);
        let mut steps = vec![format!("decides {decision}")];
        let (done, shown) = (recovery.steps.iter(), recovery.proof.iter());
        steps.extend(done.map(|record| record.label.clone()));
        steps.extend(shown.map(|line| format!("{}: {}", line.claim, line.found)));
        Ok(Some(Reference {
            api: call.api,
            error,
            decision,
            played: Played {
                outcome: match broken {
                    _ if decision == Decision::InvestigateEscalate => Outcome::GivesUp,
                    Some(_) => Outcome::NotModelled,
                    None => Outcome::Recovers,
                },
                debris: Vec::new(),
                steps,
            },
        }))
    })
}

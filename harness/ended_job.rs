//! A backup that began, and whose job did not come to its end: no call has failed.

use backup_tck::driver::Driver;
use backup_tck::model::{Api, Call, Client, Decision, DiskFormat, ImageRef};
use backup_tck::plan::{BackupDisk, BackupXml, Operation, Step, checkpoint_xml, lower};
use backup_tck::recovery::{Refused, conclude, execute};
use backup_tck::session::Session;
use backup_tck::suite::Suite;

/// How the job ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    /// `virDomainAbortJob` before anybody has read it.
    Aborted,
    /// QEMU is killed.
    Killed,
}

/// Plays a full backup, and an incremental one that ends so; decides, executes and proves.
pub(crate) fn assert_recovers(driver: &mut dyn Driver, end: End) {
    let mut cases = Suite::Embedded.cases().unwrap().into_iter();
    let case = cases.find(|case| case.name.ends_with("/name-of-aborted-attempt"));
    let scenario = case.unwrap().scenario.unwrap();
    let place = driver.open_scenario().unwrap();
    let plan = lower(&scenario, &place).unwrap();
    let mut session = Session::new(driver, place.clone(), plan.disks.clone());
    // Up to the first backup, which must be in the books as a good one.
    let is_wait = |step: &Step| matches!(step.operation, Operation::AwaitBackup);
    let full = 1 + plan.history.iter().position(is_wait).unwrap();
    for step in plan.setup.iter().chain(&plan.history[..full]) {
        assert!(perform(&mut session, step), "{}", step.label);
    }
    session.restore_last_backup().unwrap();
    assert!(
        perform(&mut session, &plan.history[full]),
        "the guest writes"
    );

    let before = session.host_state().unwrap();
    let target = ImageRef {
        path: format!("{}/attempt.qcow2", place.directory),
        format: DiskFormat::Qcow2,
    };
    let socket = backup_tck::model::NbdServer::Socket(format!("{}/nbd.sock", place.directory));
    let backup = BackupXml {
        is_pull: true,
        incremental: Some("c1"),
        server: Some(&socket),
        disks: vec![BackupDisk::plain("vda", &target)],
        ..BackupXml::default()
    };
    let document = checkpoint_xml("c2", None, Some(&["vda"]), &plan.disks);
    let begin = Step::backup(&place.domain, &backup, Some(("c2", document)), &plan.disks);
    assert!(perform(&mut session, &begin), "the backup begins");
    let Operation::Call(planned) = &begin.operation else {
        unreachable!("a backup is a call");
    };
    match end {
        End::Aborted => {
            let abort = Call::new(Api::DomainAbortJob, &place.domain);
            assert!(perform(&mut session, &Step::call("abort", abort)));
            session.await_backup().unwrap();
        }
        End::Killed => {
            let kill = backup_tck::model::Action::KillEmulator {
                domain: place.domain.clone(),
            };
            assert!(perform(
                &mut session,
                &Step::of("kill", Operation::Act(kill))
            ));
        }
    }

    let state = session.host_state().unwrap();
    assert_eq!(
        state.checkpoints,
        ["c1", "c2"],
        "the attempt's checkpoint is left"
    );
    let consultation = conclude(&mut session, &planned.call, None, Client::default()).unwrap();
    let found = &consultation.conclusion;
    let (rule, decision) = match end {
        End::Aborted => ("J3-unread", Decision::RestoreEnvironmentThenRetry),
        End::Killed => ("J2-off", Decision::ChangeDomainStateThenRetry),
    };
    assert_eq!((found.rule.as_str(), found.decision), (rule, decision));
    assert_eq!(
        found.clean_up[0].to_string(),
        "discard-uncommitted-checkpoint c2, first"
    );
    if end == End::Aborted {
        let refused = Refused {
            label: &begin.label,
            call: &planned.call,
            before: &before,
            state: &state,
        };
        let recovery = execute(&mut session, &consultation, refused, &[]).unwrap();
        let broken: Vec<_> = recovery.proof.iter().filter(|line| !line.holds).collect();
        assert!(broken.is_empty(), "{broken:?}");
        let claims = recovery.proof.iter().map(|line| line.claim.as_str());
        let restored = claims.filter(|claim| claim.starts_with("restore")).count();
        assert_eq!(restored, 2, "the same backup again, and the next one");
    }
    driver.close_scenario(&place).unwrap();
}

fn perform(session: &mut Session<'_>, step: &Step) -> bool {
    let records = session.perform(step).unwrap();
    records.iter().all(|record| record.refusal().is_none())
}

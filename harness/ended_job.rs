//! A backup that began, and whose job did not come to its end: no call has failed.

use backup_tck::driver::Driver;
use backup_tck::model::{Action, Api, Call, Client, Decision, DiskFormat, ImageRef, Place, Size};
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
    /// It is a push, and its target finds no room.
    NoSpace,
}

/// Plays a full backup, and an incremental one that ends so; decides, executes and proves.
#[expect(
    clippy::too_many_lines,
    reason = "one story from the first backup to the proof"
)]
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

    if end == End::NoSpace {
        for action in crowd(&place) {
            session.act("crowd", &action).unwrap();
        }
    }
    let before = session.host_state().unwrap();
    let small = format!("{}/small", place.directory);
    let is_push = end == End::NoSpace;
    let folder = if is_push { &small } else { &place.directory };
    let target = ImageRef {
        path: format!("{folder}/attempt.qcow2"),
        format: DiskFormat::Qcow2,
    };
    let socket = backup_tck::model::NbdServer::Socket(format!("{}/nbd.sock", place.directory));
    let backup = BackupXml {
        is_pull: !is_push,
        incremental: Some("c1"),
        server: (!is_push).then_some(&socket),
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
            let kill = Action::KillEmulator {
                domain: place.domain.clone(),
            };
            assert!(perform(
                &mut session,
                &Step::of("kill", Operation::Act(kill))
            ));
        }
        End::NoSpace => {
            assert!(perform(
                &mut session,
                &Step::of("fail", Operation::AwaitFailure)
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
        End::NoSpace => ("J1", Decision::RestoreEnvironmentThenRetry),
    };
    assert_eq!((found.rule.as_str(), found.decision), (rule, decision));
    assert_eq!(
        found.clean_up[0].to_string(),
        "discard-uncommitted-checkpoint c2, first"
    );
    if end != End::Killed {
        let refused = Refused {
            label: &begin.label,
            call: &planned.call,
            before: &before,
            state: &state,
        };
        let room = Action::RemoveFile {
            path: format!("{small}/old.qcow2"),
        };
        let room = Step::of("make room", Operation::Act(room));
        let remedy = if is_push { vec![room] } else { Vec::new() };
        let recovery = execute(&mut session, &consultation, refused, &remedy).unwrap();
        let broken: Vec<_> = recovery.proof.iter().filter(|line| !line.holds).collect();
        assert!(broken.is_empty(), "{broken:?}");
        let claims = recovery.proof.iter().map(|line| line.claim.as_str());
        let restored = claims.filter(|claim| claim.starts_with("restore")).count();
        assert_eq!(restored, 2, "the same backup again, and the next one");
    }
    driver.close_scenario(&place).unwrap();
}

/// A file system with room for one of two: what is in the way, or the backup; and a disk that has
/// changed enough.
fn crowd(place: &Place) -> [Action; 4] {
    let path = format!("{}/small", place.directory);
    let old = ImageRef {
        path: format!("{path}/old.qcow2"),
        format: DiskFormat::Qcow2,
    };
    let mib = |number: u64| Size(number << 20);
    [
        Action::MountFileSystem {
            path,
            size: mib(12),
        },
        Action::CreateImage {
            image: old.clone(),
            size: mib(8),
        },
        Action::WriteImage {
            image: old,
            offset: mib(0),
            length: mib(8),
            pattern: 0xEE,
        },
        Action::GuestWrite {
            domain: place.domain.clone(),
            disk: "vda".to_owned(),
            offset: mib(8),
            length: mib(8),
            pattern: 0xA5,
        },
    ]
}

fn perform(session: &mut Session<'_>, step: &Step) -> bool {
    let records = session.perform(step).unwrap();
    records.iter().all(|record| record.refusal().is_none())
}

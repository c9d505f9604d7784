//! An incremental backup from a checkpoint that has no backup behind it.

use backup_tck::driver::Driver;
use backup_tck::model::{DiskFormat, ImageRef};
use backup_tck::plan::{BackupDisk, BackupXml, Operation, Step, lower};
use backup_tck::session::Session;
use backup_tck::suite::Suite;

/// Plays a history in which an attempt was aborted, takes an incremental backup from the attempt's
/// checkpoint, which libvirt does not refuse, and restores it on top of the last good backup: how that
/// differs from what the guest had.
pub(crate) fn difference(driver: &mut dyn Driver) -> String {
    let mut cases = Suite::Embedded.cases().unwrap().into_iter();
    let case = cases.find(|case| case.name.ends_with("/name-of-aborted-attempt"));
    let scenario = case.unwrap().scenario.unwrap();
    let place = driver.open_scenario().unwrap();
    let plan = lower(&scenario, &place).unwrap();
    let mut session = Session::new(driver, place.clone(), plan.disks.clone());
    let perform = |session: &mut Session<'_>, step: &Step| {
        for record in session.perform(step).unwrap() {
            assert!(record.refusal().is_none(), "{record:?}");
        }
    };
    for step in plan.setup.iter().chain(&plan.history) {
        perform(&mut session, step);
    }
    let image = |name: &str| ImageRef {
        path: format!("{}/{name}", place.directory),
        format: DiskFormat::Qcow2,
    };
    let hole = image("hole.qcow2");
    let backup = BackupXml {
        incremental: Some("c2"),
        disks: vec![BackupDisk::plain("vda", &hole)],
        ..BackupXml::default()
    };
    perform(
        &mut session,
        &Step::backup(&place.domain, &backup, None, &plan.disks),
    );
    perform(
        &mut session,
        &Step::of("await-backup", Operation::AwaitBackup),
    );
    let guest = session.ledger().last_backup().unwrap().disks[0]
        .content
        .clone();
    let restored = session
        .read_chain(vec![hole.clone(), image("full.qcow2")])
        .unwrap();
    let difference = guest.difference(&restored);
    driver.close_scenario(&place).unwrap();
    difference.map_or_else(|| "none".to_owned(), |difference| difference.to_string())
}

//! The proof of a recovery fails when it should: a driver that lies about one thing is caught by
//! the claim that is about it.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot do is a failure of the test"
)]

mod chain;

use std::time::Instant;

use backup_tck::driver::mock::Mock;
use backup_tck::driver::{Driver, DriverError, Host, Libvirt};
use backup_tck::model::{
    Action, Answer, Api, BitmapRow, Call, ErrorCode, Identity, JobEvent, Observation, Place,
    Raised, Size, Value,
};
use backup_tck::run::{Extent, run_scenario};
use backup_tck::suite::Suite;
use proptest::proptest;
use rstest::rstest;

const SCENARIO: &str = "seed/redefine-validate-after-image-recreated";

/// What the driver does otherwise than it says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Lie {
    None,
    /// A guest write of this pattern is said to be done, and is not.
    LostWrite(u8),
    /// A guest write after the last backup began, which nobody ordered.
    ForeignWrite,
    /// A bitmap without a checkpoint.
    StaleBitmap,
    /// Bitmaps are in use in the closed image.
    InUse,
    /// Bitmaps did not reach the closed image.
    NotStored,
    /// Clusters leak.
    Leak,
    /// The jobs end with an error, though the data is there.
    FailedJob,
    /// A checkpoint is said to be deleted, and stays.
    KeepsCheckpoint,
    /// A checkpoint is said to be redefined, and is not.
    ForgetsCheckpoint,
    /// The domain is said to be destroyed, and lives on.
    KeepsDomain,
    /// Every backup is refused as the first one was.
    RefusesAgain,
    /// The bitmap of a recovery's checkpoint is missing on the second disk.
    HidesBitmap,
    /// libvirt gives no checkpoint's document any more.
    HidesDocuments,
    /// An older backup is no longer what it was, once another one has begun.
    SpoilsOldBackup,
}

struct Liar {
    mock: Mock,
    lie: Lie,
    /// The refusal that the scenario is about.
    refusal: Option<Answer>,
}

impl Liar {
    fn new(lie: Lie) -> Self {
        Self {
            mock: Mock::newest(),
            lie,
            refusal: None,
        }
    }
}

impl Libvirt for Liar {
    fn call(&mut self, call: &Call) -> Result<Answer, DriverError> {
        let is_incremental = call
            .xml
            .as_ref()
            .is_some_and(|xml| xml.contains("<incremental>"));
        if self.lie == Lie::ForeignWrite && call.api == Api::DomainBackupBegin && is_incremental {
            self.mock.act(&Action::GuestWrite {
                domain: call.domain.clone(),
                disk: "vda".to_owned(),
                offset: Size(5 << 20),
                length: Size(512),
                pattern: 0xEE,
            })?;
        }
        let done = Ok(Answer::Returned(Value::Nothing));
        match (self.lie, call.api) {
            (Lie::KeepsCheckpoint, Api::CheckpointDelete)
            | (Lie::KeepsDomain, Api::DomainDestroy)
                if self.refusal.is_some() =>
            {
                return done;
            }
            (Lie::ForgetsCheckpoint, Api::CheckpointCreate) if self.refusal.is_some() => {
                let name = Value::Name(String::new());
                return Ok(Answer::Returned(name));
            }
            (Lie::RefusesAgain, Api::DomainBackupBegin)
            | (Lie::HidesDocuments, Api::CheckpointGetXmlDesc) => {
                if let Some(refusal) = &self.refusal {
                    return Ok(refusal.clone());
                }
            }
            _ => {}
        }
        let answer = self.mock.call(call)?;
        if let Answer::Refused(error) = &answer
            && error.code != ErrorCode::NO_DOMAIN_BACKUP
        {
            self.refusal = Some(answer.clone());
        }
        Ok(answer)
    }
}

impl Host for Liar {
    fn act(&mut self, action: &Action) -> Result<Observation, DriverError> {
        if let (Lie::LostWrite(lost), Action::GuestWrite { pattern, .. }) = (self.lie, action)
            && lost == *pattern
        {
            return Ok(Observation::Done);
        }
        let observation = self.mock.act(action)?;
        Ok(match (self.lie, action, observation) {
            (Lie::StaleBitmap, Action::LiveBitmaps { .. }, Observation::Bitmaps(mut table)) => {
                if let Some(row) = table.0.first().cloned() {
                    table.0.push(BitmapRow {
                        name: "stale".to_owned(),
                        ..row
                    });
                }
                Observation::Bitmaps(table)
            }
            (Lie::HidesBitmap, Action::LiveBitmaps { .. }, Observation::Bitmaps(mut table)) => {
                table
                    .0
                    .retain(|row| row.disk != "vdb" || row.name != "recovery1");
                Observation::Bitmaps(table)
            }
            (Lie::InUse, Action::StoredBitmaps { .. }, Observation::Bitmaps(mut table)) => {
                table.0.iter_mut().for_each(|row| row.inconsistent = true);
                Observation::Bitmaps(table)
            }
            (Lie::NotStored, Action::StoredBitmaps { .. }, Observation::Bitmaps(mut table)) => {
                table.0.pop();
                Observation::Bitmaps(table)
            }
            (Lie::Leak, Action::CheckImage { .. }, Observation::Check(None)) => {
                Observation::Check(Some("1 leaked cluster".to_owned()))
            }
            (
                Lie::SpoilsOldBackup,
                Action::ReadChain { layers },
                Observation::Content(mut content),
            ) if self.refusal.is_some() && layers[0].path.ends_with("/full.qcow2") => {
                content.write(0, 1, 0xEE);
                Observation::Content(content)
            }
            (Lie::FailedJob, Action::AwaitBackup { .. }, Observation::Events(mut events)) => {
                for event in &mut events {
                    if let JobEvent::JobCompleted { success, .. } = event {
                        *success = false;
                    }
                }
                Observation::Events(events)
            }
            (_, _, observation) => observation,
        })
    }
}

impl Driver for Liar {
    fn identity(&mut self) -> Result<Identity, DriverError> {
        self.mock.identity()
    }

    fn open_scenario(&mut self) -> Result<Place, DriverError> {
        self.mock.open_scenario()
    }

    fn raised(&mut self) -> Result<Option<Vec<Raised>>, DriverError> {
        Ok(None)
    }

    fn close_scenario(&mut self, place: &Place) -> Result<(), DriverError> {
        self.mock.close_scenario(place)
    }

    fn set_deadline(&mut self, _deadline: Option<Instant>) {}
}

#[rstest]
#[case::truth(Lie::None, &[])]
#[case::write_before_the_full(
    Lie::LostWrite(0xC1),
    &["restore vda full", "restore vdb full"]
)]
#[case::write_before_the_incremental(Lie::LostWrite(0xC2), &["restore vda incremental", "restore vdb incremental"])]
#[case::foreign_write(Lie::ForeignWrite, &["restore vda incremental"])]
#[case::stale_bitmap(Lie::StaleBitmap, &["bitmaps", "bitmaps after a clean close"])]
#[case::in_use(Lie::InUse, &["bitmaps after a clean close"])]
#[case::not_stored(Lie::NotStored, &["bitmaps after a clean close"])]
#[case::failed_job(Lie::FailedJob, &["backup job"])]
#[case::leak(Lie::Leak, &["qemu-img check vda", "qemu-img check vdb"])]
fn a_lie_is_caught_by_the_claim_it_is_about(#[case] lie: Lie, #[case] caught: &[&str]) {
    let (broken, failed) = told(lie, SCENARIO);
    assert_eq!(broken, caught);
    assert_eq!(failed, caught.len(), "each broken claim fails the scenario");
}

#[rstest]
#[case::clean_up_is_not_done(
    Lie::KeepsCheckpoint,
    "incremental-over-inconsistent-bitmap",
    &["name c1", "checkpoints with bitmaps", "bitmaps", "bitmaps after a clean close"]
)]
#[case::metadata_is_not_redefined(
    Lie::ForgetsCheckpoint,
    "incremental-after-metadata-lost",
    &["checkpoints as kept", "the same call"]
)]
#[case::the_checkpoint_is_on_no_disk(
    Lie::HidesDocuments,
    "incremental-over-disabled-bitmap",
    &["next incremental"]
)]
#[case::the_call_fails_again(Lie::RefusesAgain, "another-backup-runs", &["the same call"])]
#[case::the_domain_stays_on(
    Lie::KeepsDomain,
    "redefine-validate-on-shut-off-domain",
    &["clean close"]
)]
#[case::a_checkpoint_lacks_a_disk(
    Lie::HidesBitmap,
    "incremental-over-bitmap-lost-on-one-disk",
    &["checkpoints with bitmaps", "bitmaps after a clean close"]
)]
#[case::the_old_chain_is_spoilt(
    Lie::SpoilsOldBackup,
    "incremental-over-disabled-bitmap",
    &["old chain"]
)]
#[case::a_write_is_lost_in_a_pull(
    Lie::LostWrite(0xA1),
    "nbd-port-busy",
    &["restore vda full"]
)]
#[case::the_other_job_has_failed(
    Lie::FailedJob,
    "another-backup-runs",
    &["backup job", "backup job"]
)]
fn each_recovery_is_held_to_its_claims(
    #[case] lie: Lie,
    #[case] scenario: &str,
    #[case] caught: &[&str],
) {
    assert_eq!(told(Lie::None, scenario), (Vec::new(), 0));
    let (broken, failed) = told(lie, scenario);
    assert_eq!(broken, caught);
    assert!(failed >= caught.len(), "{failed}");
}

/// The claims that a lie breaks in a scenario, and how many checks fail.
fn told(lie: Lie, scenario: &str) -> (Vec<String>, usize) {
    let mut cases = Suite::Embedded.cases().unwrap().into_iter();
    let case = cases.find(|case| case.name.contains(scenario)).unwrap();
    let mut driver = Liar::new(lie);
    let identity = driver.identity().unwrap();
    let scenario = case.scenario.as_ref().unwrap();
    let ran = run_scenario(&mut driver, &identity, &case.name, scenario, Extent::Whole).unwrap();
    let broken = ran.transcript.proof.into_iter().filter(|line| !line.holds);
    let failed = ran.checks.iter().filter(|check| !check.holds).count();
    (broken.map(|line| line.claim).collect(), failed)
}

proptest! {
    #[test]
    fn whatever_is_backed_up_restores(events in chain::events(20)) {
        chain::play(&mut Mock::newest(), &events)?;
    }
}

/// The same property, broken: the write that is made during each backup is lost.
#[test]
fn a_lost_write_breaks_the_next_restore() {
    let backup = chain::Event::Backup {
        is_pull: false,
        base: Some(0),
        full: [false; 2],
    };
    let events = [backup.clone(), backup];
    assert!(chain::play(&mut Mock::newest(), &events).is_ok());
    let mut liar = Liar::new(Lie::LostWrite(0xEE));
    let error = chain::play(&mut liar, &events).unwrap_err().to_string();
    assert!(error.contains("byte 0 is 0x00 instead of 0xee"), "{error}");
}

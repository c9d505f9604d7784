//! Random writes and random backups on any driver: what a chain of backups restores is what the
//! ledger says the guest had.

use backup_tck::driver::{Driver, DriverError};
use backup_tck::model::{Action, Api, Call, DiskFormat, ImageRef, NbdServer, Place, Size};
use backup_tck::plan::{
    BackupDisk, BackupXml, Operation, PlannedDisk, Step, checkpoint_xml, domain_xml,
};
use backup_tck::session::Session;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

/// The domain's disks and how many 64 KiB clusters each has.
const DISKS: [(&str, u64); 2] = [("vda", 64), ("vdb", 24)];

const CLUSTER: u64 = 1 << 16;

/// Something that happens to the domain.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The guest writes; offset and length in sectors of 512 bytes.
    Write {
        disk: usize,
        offset: u64,
        length: u64,
        pattern: u8,
    },
    /// A backup with a checkpoint. `base` chooses among the checkpoints that can serve, or none;
    /// `full` are the disks that are taken in full all the same.
    Backup {
        is_pull: bool,
        base: Option<usize>,
        full: [bool; 2],
    },
    /// A clean end of QEMU, and a new start.
    Restart,
    /// A kill of QEMU, and a new start: no earlier checkpoint can serve any more.
    Kill,
}

pub(crate) fn events(most: usize) -> impl Strategy<Value = Vec<Event>> {
    let write = (0..2_usize, any::<u64>(), 1..400_u64, any::<u8>());
    let write = write.prop_map(|(disk, offset, length, pattern)| {
        let sectors = DISKS[disk].1 * CLUSTER / 512;
        let offset = offset % sectors;
        Event::Write {
            disk,
            offset,
            length: length.min(sectors - offset),
            pattern,
        }
    });
    let backup = (
        any::<bool>(),
        prop::option::weighted(0.8, 0..4_usize),
        any::<[bool; 2]>(),
    );
    let backup = backup.prop_map(|(is_pull, base, full)| Event::Backup {
        is_pull,
        base,
        full,
    });
    let event = prop_oneof![
        6 => write,
        4 => backup,
        1 => Just(Event::Restart),
        1 => Just(Event::Kill),
    ];
    prop::collection::vec(event, 1..most)
}

/// Plays the events in a place of their own. Each backup must restore when it has ended, and once
/// more in the end.
pub(crate) fn play(driver: &mut dyn Driver, events: &[Event]) -> Result<(), TestCaseError> {
    let place = driver.open_scenario().map_err(|error| failed(&error))?;
    let played = Play::begin(driver, place.clone()).and_then(|play| play.all(events));
    driver
        .close_scenario(&place)
        .map_err(|error| failed(&error))?;
    played
}

struct Play<'a> {
    session: Session<'a>,
    /// Checkpoints that can serve as a base, oldest first.
    bases: Vec<String>,
    backups: usize,
}

impl<'a> Play<'a> {
    fn begin(driver: &'a mut dyn Driver, place: Place) -> Result<Self, TestCaseError> {
        let disk = |(target, clusters): (&str, u64)| PlannedDisk {
            target: target.to_owned(),
            image: ImageRef {
                path: format!("{}/{target}.qcow2", place.directory),
                format: DiskFormat::Qcow2,
            },
            below: Vec::new(),
            size: Size(clusters * CLUSTER),
            compat: None,
        };
        let disks: Vec<PlannedDisk> = DISKS.map(disk).to_vec();
        let define = Call::new(Api::DomainDefine, &place.domain).xml(domain_xml(&place, &disks));
        let mut play = Self {
            session: Session::new(driver, place, disks.clone()),
            bases: Vec::new(),
            backups: 0,
        };
        for disk in disks {
            let action = Action::CreateImage {
                image: disk.image,
                size: disk.size,
            };
            play.perform(&Step::of("create-image", Operation::Act(action)))?;
        }
        play.perform(&Step::call("define", define))?;
        play.call(Api::DomainCreate)?;
        Ok(play)
    }

    fn all(mut self, events: &[Event]) -> Result<(), TestCaseError> {
        for event in events {
            self.event(event)?;
        }
        for backup in self.session.ledger().backups().to_vec() {
            let restored = self
                .session
                .restore(&backup)
                .map_err(|error| failed(&error))?;
            let wrong = restored.iter().find(|disk| !disk.equal);
            prop_assert!(wrong.is_none(), "in the end: {wrong:?} of {backup:?}");
        }
        Ok(())
    }

    fn event(&mut self, event: &Event) -> Result<(), TestCaseError> {
        match event {
            Event::Write {
                disk,
                offset,
                length,
                pattern,
            } => {
                let range = (Size(offset * 512), Size(length * 512));
                let domain = self.session.place().domain.clone();
                self.perform(&Step::guest_write(&domain, DISKS[*disk].0, range, *pattern))
            }
            Event::Restart => {
                self.call(Api::DomainDestroy)?;
                self.call(Api::DomainCreate)
            }
            Event::Kill => {
                let domain = self.session.place().domain.clone();
                let kill = Action::KillEmulator { domain };
                self.perform(&Step::of("kill-emulator", Operation::Act(kill)))?;
                self.bases.clear();
                self.call(Api::DomainCreate)
            }
            Event::Backup {
                is_pull,
                base,
                full,
            } => self.backup(*is_pull, *base, *full),
        }
    }

    fn backup(
        &mut self,
        is_pull: bool,
        base: Option<usize>,
        full: [bool; 2],
    ) -> Result<(), TestCaseError> {
        self.backups += 1;
        let number = self.backups;
        let place = self.session.place().clone();
        let disks = self.session.disks().to_vec();
        let base = base.and_then(|at| self.bases.get(at % self.bases.len().max(1)).cloned());
        let name = format!("c{number}");
        let paths = DISKS.map(|(disk, _)| format!("{}/b{number}-{disk}.qcow2", place.directory));
        let part = |(at, (disk, path))| BackupDisk {
            disk,
            path: Some(path),
            mode: (base.is_some() && full[at]).then_some("full"),
            ..BackupDisk::default()
        };
        let names = DISKS.iter().map(|(disk, _)| *disk);
        let server = NbdServer::Socket(format!("{}/nbd.sock", place.directory));
        let backup = BackupXml {
            is_pull,
            incremental: base.as_deref(),
            server: is_pull.then_some(&server),
            disks: names
                .zip(paths.iter().map(String::as_str))
                .enumerate()
                .map(part)
                .collect(),
            ..BackupXml::default()
        };
        let checkpoint = (name.as_str(), checkpoint_xml(&name, None, None, &disks));
        self.perform(&Step::backup(
            &place.domain,
            &backup,
            Some(checkpoint),
            &disks,
        ))?;
        // What the guest writes now is not part of it.
        let during = (Size(0), Size(CLUSTER));
        self.perform(&Step::guest_write(&place.domain, "vda", during, 0xEE))?;
        let end = if is_pull {
            Operation::EndBackup
        } else {
            Operation::AwaitBackup
        };
        self.perform(&Step::of("end", end))?;
        let restored = self
            .session
            .restore_last_backup()
            .map_err(|error| failed(&error))?;
        prop_assert_eq!(restored.len(), DISKS.len());
        for disk in &restored {
            prop_assert!(disk.equal, "backup {number}: {disk:?}");
        }
        self.bases.push(name);
        Ok(())
    }

    fn call(&mut self, api: Api) -> Result<(), TestCaseError> {
        let call = Call::new(api, &self.session.place().domain);
        self.perform(&Step::call(api.as_str(), call))
    }

    fn perform(&mut self, step: &Step) -> Result<(), TestCaseError> {
        for record in self.session.perform(step).map_err(|error| failed(&error))? {
            let refusal = record.refusal();
            prop_assert!(refusal.is_none(), "{}: {refusal:?}", step.label);
        }
        Ok(())
    }
}

fn failed(error: &DriverError) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}

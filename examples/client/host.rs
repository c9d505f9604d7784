//! What the client asks of libvirt and its host, and what it deletes there; and the mock's domain.

use backup_tck::driver::mock::Mock;
use backup_tck::driver::{Driver, DriverError, Host, Libvirt};
use backup_tck::judge::{Decided, Facts, Probe, Records};
use backup_tck::model::{
    Action, Answer, Api, BitmapChange, Call, CleanUpKind, CleanUpTime, DiskFormat, ImageRef,
    JobEvent, Observation, Size, Value, flags,
};

use super::{Client, Disks};

impl<L: Libvirt + Host> Client<L> {
    /// Answers a question of the judge.
    pub(crate) fn look(&mut self, probe: &Probe, facts: &mut Facts) -> Result<(), DriverError> {
        let domain = self.domain.clone();
        let observed = &mut facts.observed;
        match probe {
            Probe::DomainState => {
                let value = self.ask(&Call::new(Api::DomainGetState, &domain))?;
                let Value::State(state, _) = value else {
                    return Err(unexpected(&value));
                };
                observed.domain_state = Some(state);
            }
            Probe::DiskFormats => {
                let formats = self.disks.iter();
                let formats = formats.map(|(disk, image)| (disk.clone(), image.format));
                observed.disk_formats = Some(formats.collect());
            }
            Probe::Checkpoints => {
                let value = self.ask(&Call::new(Api::DomainListAllCheckpoints, &domain))?;
                let Value::Names(names) = value else {
                    return Err(unexpected(&value));
                };
                // This client's checkpoints are on every disk; another one reads their documents.
                let on_all = |name| (name, self.disks.keys().cloned().collect());
                observed.checkpoints = Some(names.into_iter().map(on_all).collect());
            }
            Probe::Bitmaps => {
                let seen = self.libvirt.act(&Action::LiveBitmaps { domain })?;
                let Observation::Bitmaps(table) = seen else {
                    return Err(unexpected(&seen));
                };
                observed.bitmaps = Some(table);
            }
            Probe::Files => {
                let paths = facts.request.files().map(str::to_owned).collect();
                let seen = self.libvirt.act(&Action::FindFiles { paths })?;
                let Observation::Files(there) = seen else {
                    return Err(unexpected(&seen));
                };
                observed.files = Some(there.into_iter().collect());
            }
            // `backup_tck::judge::PROBES` tells how each is asked. Better no decision than one that
            // rests on a guess.
            Probe::Job
            | Probe::CompletedJob
            | Probe::Backup
            | Probe::BlockJobs
            | Probe::Server
            | Probe::MetadataStore
            | Probe::ImageVersions
            | Probe::StoredBitmaps
            | Probe::BitmapHealth { .. } => {
                let text = format!("this example does not answer the probe {probe}");
                return Err(DriverError::Failed(text));
            }
        }
        Ok(())
    }

    /// The steps that are due now, in order.
    pub(crate) fn clean_up(
        &mut self,
        decided: &Decided,
        time: CleanUpTime,
    ) -> Result<(), DriverError> {
        let due = decided
            .detail
            .clean_up
            .iter()
            .filter(|step| step.time == time);
        for step in due {
            let name = &step.checkpoint;
            let delete = Call::new(Api::CheckpointDelete, &self.domain).checkpoint(name);
            match step.kind {
                CleanUpKind::DropCheckpointMetadata if step.kept.is_empty() => {
                    self.ask(&delete.flags(flags::CHECKPOINT_DELETE_METADATA_ONLY))?;
                }
                CleanUpKind::DiscardUncommittedCheckpoint => drop(self.ask(&delete)?),
                CleanUpKind::PurgeStaleBitmapLive if step.kept.is_empty() => {
                    let disk = |disk| format!("<disk name='{disk}' bitmap='{name}'/>");
                    let disks: String = step.disks.iter().map(disk).collect();
                    let redefine = Call::new(Api::CheckpointCreate, &self.domain).xml(format!(
                        "<domaincheckpoint><name>{name}</name><creationTime>1</creationTime>\
                         <disks>{disks}</disks></domaincheckpoint>"
                    ));
                    self.ask(&redefine.flags(flags::CHECKPOINT_CREATE_REDEFINE))?;
                    self.ask(&delete)?;
                }
                CleanUpKind::DropCheckpointMetadata
                | CleanUpKind::PurgeStaleBitmapLive
                | CleanUpKind::PurgeStaleBitmapOffline
                | CleanUpKind::ClearStuckBackupJob => return Err(unexpected(step)),
            }
        }
        Ok(())
    }

    /// Waits for the end of the job, and tells whether it was a good one.
    pub(crate) fn has_ended_well(&mut self) -> Result<bool, DriverError> {
        let (domain, disks) = (self.domain.clone(), self.disks.keys().cloned().collect());
        let seen = self.libvirt.act(&Action::AwaitBackup { domain, disks })?;
        let is_good =
            |event: &JobEvent| matches!(event, JobEvent::JobCompleted { success: true, .. });
        Ok(matches!(seen, Observation::Events(events) if events.iter().any(is_good)))
    }

    /// A call that must succeed.
    pub(crate) fn ask(&mut self, call: &Call) -> Result<Value, DriverError> {
        match self.libvirt.call(call)? {
            Answer::Returned(value) => Ok(value),
            Answer::Refused(error) => Err(unexpected(&error)),
        }
    }
}

fn unexpected(what: &impl std::fmt::Debug) -> DriverError {
    DriverError::Failed(format!("unexpected: {what:?}"))
}

/// A client of the mock, with a running domain of two disks.
pub(crate) fn client_of_the_mock() -> Result<Client<Mock>, DriverError> {
    let mut libvirt = Mock::newest();
    let place = libvirt.open_scenario()?;
    let image = |disk: &str| ImageRef {
        path: format!("{}/{disk}.qcow2", place.directory),
        format: DiskFormat::Qcow2,
    };
    let disks: Disks = ["vda", "vdb"]
        .map(|disk| (disk.to_owned(), image(disk)))
        .into();
    for image in disks.values() {
        let (image, size) = (image.clone(), Size(16 << 20));
        libvirt.act(&Action::CreateImage { image, size })?;
    }
    let device = |(disk, image): (&String, &ImageRef)| {
        format!(
            "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>\
             <source file='{}'/><target dev='{disk}' bus='virtio'/></disk>",
            image.path
        )
    };
    let devices: String = disks.iter().map(device).collect();
    let mut client = Client {
        libvirt,
        domain: place.domain.clone(),
        disks,
        directory: place.directory.clone(),
        records: Records::default(),
    };
    let define = Call::new(Api::DomainDefine, &place.domain).xml(format!(
        "<domain type='qemu'><name>{}</name><uuid>{}</uuid><memory unit='MiB'>32</memory>\
         <os><type arch='x86_64' machine='pc'>hvm</type></os><devices>{devices}</devices></domain>",
        place.domain, place.uuid
    ));
    client.ask(&define)?;
    client.ask(&Call::new(Api::DomainCreate, &place.domain))?;
    Ok(client)
}

/// The checkpoint's bitmaps vanish, as of a domain that was killed before they were ever stored.
pub(crate) fn lose_bitmaps<L: Libvirt + Host>(
    client: &mut Client<L>,
    checkpoint: &str,
) -> Result<(), DriverError> {
    client.ask(&Call::new(Api::DomainDestroy, &client.domain))?;
    for image in client.disks.values() {
        let (image, bitmap) = (image.clone(), checkpoint.to_owned());
        let change = BitmapChange::Remove;
        client.libvirt.act(&Action::ChangeBitmap {
            image,
            bitmap,
            change,
        })?;
    }
    client.ask(&Call::new(Api::DomainCreate, &client.domain))?;
    Ok(())
}

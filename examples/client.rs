//! A backup client that asks the library what to do after an error.
//!
//! `Client` is what an application would have: it speaks to libvirt through the trait `Libvirt`,
//! and sees the host through `Host`. Here both are the mock's, so that every failure can be had at
//! will; an application implements them over its own binding.
//!
//! Run it with: `cargo run --no-default-features --features mock --example client`

use std::collections::BTreeMap;

use backup_tck::driver::mock::Mock;
use backup_tck::driver::{Driver, DriverError, Host, Libvirt};
use backup_tck::judge::{Decided, ErrorFacts, Facts, Judgement, Observed, Probe, Records, decide};
use backup_tck::model::{
    Action, Answer, Api, BitmapChange, Call, CleanUpKind, CleanUpTime, Decision, DiskFormat,
    ImageRef, JobEvent, Observation, Request, Size, Value, flags,
};

/// The domain's disks, by target device.
type Disks = BTreeMap<String, ImageRef>;

struct Client<L> {
    libvirt: L,
    domain: String,
    disks: Disks,
    directory: String,
    /// The client's own books. A program keeps them on disk, beside its backups.
    records: Records,
}

/// What came of a backup.
#[derive(Debug)]
enum Outcome {
    /// It is there, with this checkpoint; the decision is that of an error on the way.
    Done(String, Option<Box<Decided>>),
    /// There is none. What the decision says is left to the caller, and nothing was deleted.
    Left(Box<Decided>),
}

impl<L: Libvirt + Host> Client<L> {
    /// A backup of every disk: incremental where there is a base. `checkpoint` is a name that
    /// nothing has ever had, so what is found under it later is this attempt's.
    fn back_up(&mut self, checkpoint: &str) -> Result<Outcome, DriverError> {
        let base = self.records.verified_checkpoints.last().cloned();
        let Some(facts) = self.attempt(checkpoint, base.as_deref())? else {
            return Ok(Outcome::Done(checkpoint.to_owned(), None));
        };
        let decided = self.consult(facts)?;
        if decided.decision != Decision::FullBackupNewChain {
            return Ok(Outcome::Left(decided));
        }
        self.clean_up(&decided, CleanUpTime::First)?;
        let fresh = format!("{checkpoint}-full");
        if let Some(facts) = self.attempt(&fresh, None)? {
            return Ok(Outcome::Left(self.consult(facts)?));
        }
        // The old chain was all there was; from here on it is not.
        self.records.verified_checkpoints = vec![fresh.clone()];
        self.clean_up(&decided, CleanUpTime::AfterVerifiedBackup)?;
        Ok(Outcome::Done(fresh, Some(decided)))
    }

    /// Takes a backup; `None` where it is good, else what is known of the failure by itself.
    fn attempt(&mut self, name: &str, base: Option<&str>) -> Result<Option<Facts>, DriverError> {
        self.records.uncommitted_checkpoints.insert(name.to_owned());
        let base = base.map_or_else(String::new, |base| {
            format!("<incremental>{base}</incremental>")
        });
        let file = |disk| format!("<target file='{}/{name}-{disk}.qcow2'/>", self.directory);
        let each = |disk| format!("<disk name='{disk}' type='file'>{}</disk>", file(disk));
        let files: String = self.disks.keys().map(each).collect();
        let mut begin = Call::new(Api::DomainBackupBegin, &self.domain).xml(format!(
            "<domainbackup>{base}<disks>{files}</disks></domainbackup>"
        ));
        begin.checkpoint_xml = Some(format!(
            "<domaincheckpoint><name>{name}</name></domaincheckpoint>"
        ));
        let error = match self.libvirt.call(&begin)? {
            Answer::Refused(error) => Some(ErrorFacts::from(&error)),
            Answer::Returned(_) if self.has_ended_well()? => {
                // Here a program reads the backup back, or lets QEMU check it, before it says so.
                self.records.uncommitted_checkpoints.remove(name);
                self.records.verified_checkpoints.push(name.to_owned());
                return Ok(None);
            }
            Answer::Returned(_) => None,
        };
        Ok(Some(Facts {
            api: begin.api.into(),
            error,
            request: Request::of(&begin),
            observed: Observed::default(),
            records: self.records.clone(),
        }))
    }

    fn has_ended_well(&mut self) -> Result<bool, DriverError> {
        let (domain, disks) = (self.domain.clone(), self.disks.keys().cloned().collect());
        let seen = self.libvirt.act(&Action::AwaitBackup { domain, disks })?;
        let is_good =
            |event: &JobEvent| matches!(event, JobEvent::JobCompleted { success: true, .. });
        Ok(matches!(seen, Observation::Events(events) if events.iter().any(is_good)))
    }

    /// Asks for the decision, and answers what it asks for until it is there.
    fn consult(&mut self, mut facts: Facts) -> Result<Box<Decided>, DriverError> {
        loop {
            match decide(&facts) {
                Judgement::Decided(decided) => return Ok(Box::new(decided)),
                Judgement::Need(probe) => self.look(&probe, &mut facts)?,
            }
        }
    }

    fn look(&mut self, probe: &Probe, facts: &mut Facts) -> Result<(), DriverError> {
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
    fn clean_up(&mut self, decided: &Decided, time: CleanUpTime) -> Result<(), DriverError> {
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

    /// A call that must succeed.
    fn ask(&mut self, call: &Call) -> Result<Value, DriverError> {
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
fn client_of_the_mock() -> Result<Client<Mock>, DriverError> {
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
fn lose_bitmaps<L: Libvirt + Host>(
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

fn main() -> Result<(), DriverError> {
    let mut client = client_of_the_mock()?;
    for (day, lost) in [
        ("monday", None),
        ("tuesday", None),
        ("wednesday", Some("tuesday")),
        ("thursday", Some("monday")),
    ] {
        if let Some(checkpoint) = lost {
            println!("the bitmaps of {checkpoint} are lost");
            lose_bitmaps(&mut client, checkpoint)?;
        }
        match client.back_up(day)? {
            Outcome::Done(checkpoint, None) => println!("{day}: checkpoint {checkpoint}"),
            Outcome::Done(checkpoint, Some(decided)) => {
                println!(
                    "{day}: checkpoint {checkpoint}, by {}: {}",
                    decided.decision, decided.because
                );
            }
            Outcome::Left(decided) => {
                println!(
                    "{day}: no backup; {}: {}",
                    decided.decision, decided.because
                );
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use backup_tck::model::Content;

    fn client_with_a_full_backup() -> Client<Mock> {
        let mut client = client_of_the_mock().unwrap();
        write(&mut client, 0, 1);
        let outcome = client.back_up("monday").unwrap();
        assert!(matches!(outcome, Outcome::Done(name, None) if name == "monday"));
        client
    }

    fn write(client: &mut Client<Mock>, offset: u64, pattern: u8) {
        for disk in client.disks.keys() {
            let write = Action::GuestWrite {
                domain: client.domain.clone(),
                disk: disk.clone(),
                offset: Size(offset << 20),
                length: Size(1 << 20),
                pattern,
            };
            client.libvirt.act(&write).unwrap();
        }
    }

    fn checkpoints(client: &mut Client<Mock>) -> Vec<String> {
        let list = Call::new(Api::DomainListAllCheckpoints, &client.domain);
        let value = client.ask(&list).unwrap();
        let Value::Names(names) = value else {
            panic!("{value:?}")
        };
        names
    }

    fn content(client: &mut Client<Mock>, layers: Vec<ImageRef>) -> Content {
        let seen = client.libvirt.act(&Action::ReadChain { layers }).unwrap();
        let Observation::Content(content) = seen else {
            panic!("{seen:?}")
        };
        content
    }

    /// What these backups, newest first, restore is what each disk holds.
    fn assert_restores(client: &mut Client<Mock>, backups: &[&str]) {
        for (disk, image) in client.disks.clone() {
            let layer = |backup: &&str| ImageRef {
                path: format!("{}/{backup}-{disk}.qcow2", client.directory),
                format: DiskFormat::Qcow2,
            };
            let layers = backups.iter().map(layer).collect();
            assert_eq!(
                content(client, layers),
                content(client, vec![image]),
                "{disk}"
            );
        }
    }

    #[test]
    fn an_incremental_backup_builds_on_the_full_one() {
        let mut client = client_with_a_full_backup();
        write(&mut client, 1, 2);
        let outcome = client.back_up("tuesday").unwrap();
        assert!(matches!(outcome, Outcome::Done(name, None) if name == "tuesday"));
        assert_eq!(client.records.verified_checkpoints, ["monday", "tuesday"]);
        assert_restores(&mut client, &["tuesday", "monday"]);
        // The first one alone lacks the second write, so it was the second that brought it.
        let (disk, image) = client.disks.clone().pop_first().unwrap();
        let monday = ImageRef {
            path: format!("{}/monday-{disk}.qcow2", client.directory),
            format: DiskFormat::Qcow2,
        };
        assert_ne!(
            content(&mut client, vec![monday]),
            content(&mut client, vec![image])
        );
    }

    #[test]
    fn lost_bitmaps_begin_a_new_chain_and_the_old_one_goes_last() {
        let mut client = client_with_a_full_backup();
        lose_bitmaps(&mut client, "monday").unwrap();
        write(&mut client, 1, 2);
        let outcome = client.back_up("tuesday").unwrap();
        let Outcome::Done(name, Some(decided)) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(decided.decision, Decision::FullBackupNewChain);
        assert_eq!(
            decided.detail.clean_up[0].to_string(),
            "drop-checkpoint-metadata monday"
        );
        assert_eq!(checkpoints(&mut client), [name.as_str()]);
        assert_restores(&mut client, &[&name]);
        // The new chain serves.
        write(&mut client, 2, 3);
        let outcome = client.back_up("wednesday").unwrap();
        assert!(matches!(outcome, Outcome::Done(_, None)), "{outcome:?}");
        assert_restores(&mut client, &["wednesday", &name]);
    }

    #[test]
    fn without_a_new_backup_nothing_of_the_old_chain_goes() {
        let mut client = client_with_a_full_backup();
        lose_bitmaps(&mut client, "monday").unwrap();
        let path = format!("{}/tuesday-full-vda.qcow2", client.directory);
        client.libvirt.act(&Action::MakeFile { path }).unwrap();
        let outcome = client.back_up("tuesday").unwrap();
        let Outcome::Left(decided) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(decided.decision, Decision::FixRequest);
        assert_eq!(checkpoints(&mut client), ["monday"]);
        assert_eq!(client.records.verified_checkpoints, ["monday"]);
    }

    #[test]
    fn a_target_that_exists_is_for_the_caller_and_nothing_is_deleted() {
        let mut client = client_with_a_full_backup();
        let path = format!("{}/tuesday-vdb.qcow2", client.directory);
        client
            .libvirt
            .act(&Action::MakeFile { path: path.clone() })
            .unwrap();
        let outcome = client.back_up("tuesday").unwrap();
        let Outcome::Left(decided) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(decided.decision, Decision::FixRequest);
        assert_eq!(checkpoints(&mut client), ["monday"]);
        let find = Action::FindFiles {
            paths: vec![path.clone()],
        };
        assert_eq!(
            client.libvirt.act(&find).unwrap(),
            Observation::Files(vec![path])
        );
        // Nor is the chain of less use than before.
        let outcome = client.back_up("wednesday").unwrap();
        assert!(matches!(outcome, Outcome::Done(_, None)), "{outcome:?}");
        assert_restores(&mut client, &["wednesday", "monday"]);
    }

    #[test]
    fn what_only_an_operator_can_do_is_returned() {
        let mut client = client_with_a_full_backup();
        let off = Call::new(Api::DomainDestroy, &client.domain);
        client.ask(&off).unwrap();
        let outcome = client.back_up("tuesday").unwrap();
        let Outcome::Left(decided) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(decided.decision, Decision::ChangeDomainStateThenRetry);
        assert_eq!(checkpoints(&mut client), ["monday"]);
    }
}

//! A backup client that asks the library what to do after an error.
//!
//! `Client` is what an application would have: it speaks to libvirt through the trait `Libvirt`,
//! and sees the host through `Host`. Here both are the mock's, so that every failure can be had at
//! will; an application implements them over its own binding.
//!
//! Run it with: `cargo run --no-default-features --features mock --example client`

mod host;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use backup_tck::driver::{DriverError, Host, Libvirt};
use backup_tck::judge::{Decided, ErrorFacts, Facts, Judgement, Observed, Records, decide};
use backup_tck::model::{Answer, Api, Call, CleanUpTime, Decision, ImageRef, Request};
use host::{client_of_the_mock, lose_bitmaps};

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

    /// Asks for the decision, and answers what it asks for until it is there.
    fn consult(&mut self, mut facts: Facts) -> Result<Box<Decided>, DriverError> {
        loop {
            match decide(&facts) {
                Judgement::Decided(decided) => return Ok(Box::new(decided)),
                Judgement::Need(probe) => self.look(&probe, &mut facts)?,
            }
        }
    }
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

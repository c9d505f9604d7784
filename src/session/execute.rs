//! One step after the other.

use std::collections::BTreeMap;

use super::Ledger;
use crate::driver::{Driver, DriverError};
use crate::model::{
    Action, Answer, Api, Call, NbdServer, Observation, Place, Request, Value, edited, flags,
};
use crate::plan::{Operation, PlannedCall, PlannedDisk, Step};
use crate::transcript::{Exchange, Record};

/// One scenario in one place.
pub struct Session<'a> {
    driver: &'a mut dyn Driver,
    place: Place,
    /// The disks as the domain has them now.
    pub(super) disks: Vec<PlannedDisk>,
    /// The same as the plan has them.
    pub(super) planned: Vec<PlannedDisk>,
    pub(super) ledger: Ledger,
    /// The calls in the background, by label.
    pub(super) begun: BTreeMap<String, Call>,
    /// Answers that a later step sends back, by label.
    kept: BTreeMap<String, String>,
}

impl<'a> Session<'a> {
    /// A session in a place that `driver` has opened.
    pub fn new(driver: &'a mut dyn Driver, place: Place, disks: Vec<PlannedDisk>) -> Self {
        Self {
            driver,
            place,
            planned: disks.clone(),
            disks,
            ledger: Ledger::default(),
            begun: BTreeMap::new(),
            kept: BTreeMap::new(),
        }
    }

    /// The scenario's place.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// The domain's disks.
    #[must_use]
    pub fn disks(&self) -> &[PlannedDisk] {
        &self.disks
    }

    /// What a call asks for, over the domain's disks where its document names none.
    #[must_use]
    pub fn request_of(&self, call: &Call) -> Request {
        Request::of(call).over(self.disks.iter().map(|disk| disk.target.clone()))
    }

    /// The books.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The books, to write into.
    pub const fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// Executes a planned step. Most make one record; the end of a backup makes one for each of
    /// its parts, and stops at the first that libvirt refuses.
    pub fn perform(&mut self, step: &Step) -> Result<Vec<Record>, DriverError> {
        Ok(match &step.operation {
            Operation::Call(planned) => vec![self.send(&step.label, planned)?],
            Operation::Act(action) => vec![self.act(&step.label, action)?],
            Operation::ActOnLayer {
                disk,
                layer,
                action,
            } => {
                let image = self.layer_of(disk, *layer)?;
                vec![self.act(&step.label, &action.clone().on(image))?]
            }
            Operation::PutOverlay {
                disk,
                image,
                bitmaps,
            } => self.put_overlay(&step.label, disk, (image, *bitmaps))?,
            Operation::CommitOverlay { disk } => self.commit_overlay(&step.label, disk)?,
            Operation::AwaitBackup => vec![self.await_backup()?],
            Operation::AwaitFailure => vec![self.await_failure(&step.label)?],
            Operation::EndBackup => {
                let mut records = self.read_exports()?;
                records.extend(self.abort_job(&step.label)?);
                records
            }
            Operation::AbortBackup => self.abort_job(&step.label)?,
            Operation::Shutdown(planned) => self.shut_down(&step.label, planned)?,
            Operation::AttachDisk(disk, planned) => self.attach(&step.label, disk, planned)?,
            Operation::BeginCall(name, call) => vec![self.begin_call(&step.label, name, call)?],
            Operation::JoinCall(name) => vec![self.join_call(&step.label, name)?],
        })
    }

    /// Issues a call that is complete.
    pub fn call(&mut self, label: &str, call: &Call) -> Result<Record, DriverError> {
        self.note_attempt(call)?;
        let answer = self.driver.call(call)?;
        self.answered(label, call, answer)
    }

    /// Takes note of a call before its answer is there.
    pub(super) fn note_attempt(&mut self, call: &Call) -> Result<(), DriverError> {
        let found = if call.api == Api::DomainBackupBegin {
            let files = Request::of(call).files().map(str::to_owned).collect();
            self.find_files(files)?
        } else {
            Vec::new()
        };
        self.ledger.note_attempt(call, found);
        Ok(())
    }

    /// Takes note of a call's answer.
    pub(super) fn answered(
        &mut self,
        label: &str,
        call: &Call,
        answer: Answer,
    ) -> Result<Record, DriverError> {
        match &answer {
            Answer::Returned(value) => {
                self.ledger.note_call(call, value);
                if call.api == Api::DomainDetachDevice
                    && call.flags & flags::DOMAIN_AFFECT_LIVE != 0
                {
                    self.detached(call)?;
                }
                self.ask_for_port(call)?;
                self.follow_call(call.api)?;
            }
            Answer::Refused(error) => self.ledger.note_refusal(call, error),
        }
        let exchange = Exchange::Call {
            call: call.clone(),
            answer,
        };
        Ok(Record {
            label: label.to_owned(),
            exchange,
        })
    }

    /// Where the server of a pull backup listens, if libvirt has chosen that: the backup's dump tells
    /// (`docs/formatbackup.rst`).
    fn ask_for_port(&mut self, call: &Call) -> Result<(), DriverError> {
        if call.api != Api::DomainBackupBegin || !self.ledger.lacks_server() {
            return Ok(());
        }
        let dump = Call::new(Api::DomainBackupGetXmlDesc, &call.domain);
        if let Answer::Returned(Value::Xml(xml)) = self.ask(&dump)?
            && let Some(server) = NbdServer::of_dump(&xml)
        {
            self.ledger.note_server(server);
        }
        Ok(())
    }

    /// Waits for the backup that was begun last.
    pub fn await_backup(&mut self) -> Result<Record, DriverError> {
        let last = self.ledger.last_backup().into_iter();
        let disks = last
            .flat_map(|backup| &backup.disks)
            .map(|taken| taken.disk.clone());
        let action = Action::AwaitBackup {
            domain: self.place.domain.clone(),
            disks: disks.collect(),
        };
        self.act("await-backup", &action)
    }

    /// Reads what the pull backup that was begun last exports, as its client would.
    fn read_exports(&mut self) -> Result<Vec<Record>, DriverError> {
        let mut records = Vec::new();
        for (disk, action) in self.ledger.exports(&self.place.directory) {
            records.push(self.act(&format!("read-export {disk}"), &action)?);
        }
        Ok(records)
    }

    /// Ends the domain's backup job, and waits for that end where libvirt has not refused.
    fn abort_job(&mut self, label: &str) -> Result<Vec<Record>, DriverError> {
        let call = Call::new(Api::DomainAbortJob, &self.place.domain);
        let mut records = vec![self.call(label, &call)?];
        if records[0].refusal().is_none() {
            records.push(self.await_backup()?);
        }
        Ok(records)
    }

    /// Does something to the host.
    pub fn act(&mut self, label: &str, action: &Action) -> Result<Record, DriverError> {
        let observation = self.observe(action)?;
        self.follow_action(action)?;
        let exchange = Exchange::Action {
            action: action.clone(),
            observation,
        };
        Ok(Record {
            label: label.to_owned(),
            exchange,
        })
    }

    /// Does something to the host that is not part of the story.
    pub(super) fn observe(&mut self, action: &Action) -> Result<Observation, DriverError> {
        let observation = self.driver.act(action)?;
        self.ledger.note_action(action, &self.disks);
        Ok(observation)
    }

    /// Issues a call that is not part of the story.
    pub(super) fn ask(&mut self, call: &Call) -> Result<Answer, DriverError> {
        self.driver.call(call)
    }

    pub(super) fn send(
        &mut self,
        label: &str,
        planned: &PlannedCall,
    ) -> Result<Record, DriverError> {
        let mut call = planned.call.clone();
        if let Some(from) = &planned.xml_from {
            let Some(kept) = self.kept.get(from) else {
                let text = format!("`{label}` needs the dump `{from}`, which was not made");
                return Err(DriverError::Failed(text));
            };
            let xml = edited(kept, &planned.edits).map_err(|missing| {
                DriverError::Failed(format!(
                    "`{label}` replaces `{missing}`, which the dump `{from}` does not hold"
                ))
            })?;
            call.xml = Some(xml);
        }
        self.set_ends(&mut call, planned.ends)?;
        let record = self.call(label, &call)?;
        if let Some(label) = &planned.keep_as
            && let Exchange::Call {
                answer: Answer::Returned(Value::Xml(xml)),
                ..
            } = &record.exchange
        {
            self.kept.insert(label.clone(), xml.clone());
        }
        Ok(record)
    }
}

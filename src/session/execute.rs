//! One step after the other.

use std::collections::BTreeMap;

use super::Ledger;
use crate::driver::{Driver, DriverError};
use crate::model::{Action, Answer, Call, Observation, Place, Value};
use crate::plan::{Operation, PlannedCall, PlannedDisk, Step};
use crate::transcript::{Exchange, Record};

/// One scenario in one place.
pub struct Session<'a> {
    driver: &'a mut dyn Driver,
    place: Place,
    disks: Vec<PlannedDisk>,
    ledger: Ledger,
    /// Answers that a later step sends back, by label.
    kept: BTreeMap<String, String>,
}

impl<'a> Session<'a> {
    /// A session in a place that `driver` has opened.
    pub fn new(driver: &'a mut dyn Driver, place: Place, disks: Vec<PlannedDisk>) -> Self {
        Self {
            driver,
            place,
            disks,
            ledger: Ledger::default(),
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

    /// The books.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The books, to write into.
    pub const fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// Executes a planned step.
    pub fn perform(&mut self, step: &Step) -> Result<Record, DriverError> {
        match &step.operation {
            Operation::Call(planned) => self.send(&step.label, planned),
            Operation::Act(action) => self.act(&step.label, action),
            Operation::AwaitBackup => self.await_backup(),
        }
    }

    /// Issues a call that is complete.
    pub fn call(&mut self, label: &str, call: &Call) -> Result<Record, DriverError> {
        let answer = self.driver.call(call)?;
        if let Answer::Returned(_) = &answer {
            self.ledger.note_call(call);
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

    /// Does something to the host.
    pub fn act(&mut self, label: &str, action: &Action) -> Result<Record, DriverError> {
        let observation = self.observe(action)?;
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

    fn send(&mut self, label: &str, planned: &PlannedCall) -> Result<Record, DriverError> {
        let mut call = planned.call.clone();
        if let Some(from) = &planned.xml_from {
            let Some(kept) = self.kept.get(from) else {
                let text = format!("`{label}` needs the dump `{from}`, which was not made");
                return Err(DriverError::Failed(text));
            };
            let mut xml = kept.clone();
            for (replaced, by) in &planned.edits {
                if !xml.contains(replaced) {
                    let text = format!(
                        "`{label}` replaces `{replaced}`, which the dump `{from}` does not hold"
                    );
                    return Err(DriverError::Failed(text));
                }
                xml = xml.replace(replaced, by);
            }
            call.xml = Some(xml);
        }
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

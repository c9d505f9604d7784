//! The steps that are a call and what goes with it: a guest that obeys, disks that come and go, and
//! answers that are waited for later.

use super::Session;
use super::observe::strange;
use crate::driver::DriverError;
use crate::model::{Action, Call, JobEvent, Observation, Request};
use crate::plan::{PlannedCall, PlannedDisk};
use crate::transcript::{Exchange, Record};

impl Session<'_> {
    /// Asks the guest to shut down. There is no system in the guest that would obey, so what it would
    /// do is done for it.
    pub(super) fn shut_down(
        &mut self,
        label: &str,
        planned: &PlannedCall,
    ) -> Result<Vec<Record>, DriverError> {
        let mut records = vec![self.send(label, planned)?];
        if records[0].refusal().is_none() {
            let domain = planned.call.domain.clone();
            records.push(self.act("guest powers off", &Action::PowerOffGuest { domain })?);
        }
        Ok(records)
    }

    pub(super) fn attach(
        &mut self,
        label: &str,
        disk: &PlannedDisk,
        planned: &PlannedCall,
    ) -> Result<Vec<Record>, DriverError> {
        self.disks.push(disk.clone());
        self.observe(&Action::CreateImage {
            image: disk.image.clone(),
            size: disk.size,
        })?;
        let record = self.send(label, planned)?;
        if record.refusal().is_some() {
            self.forget_disk(&disk.target);
        }
        Ok(vec![record])
    }

    /// A disk was detached from the running domain: it is gone once it has left.
    pub(super) fn detached(&mut self, call: &Call) -> Result<(), DriverError> {
        for disk in Request::of(call).disk_names() {
            self.observe(&Action::AwaitDetach {
                domain: call.domain.clone(),
                disk: disk.to_owned(),
            })?;
            self.forget_disk(disk);
        }
        Ok(())
    }

    /// Waits for the backup that was begun last, which must fail.
    pub(super) fn await_failure(&mut self, label: &str) -> Result<Record, DriverError> {
        let record = Record {
            label: label.to_owned(),
            ..self.await_backup()?
        };
        let has_failed =
            |event: &JobEvent| matches!(event, JobEvent::JobCompleted { success, .. } if !success);
        if let Exchange::Action {
            observation: Observation::Events(events),
            ..
        } = &record.exchange
            && events.iter().any(has_failed)
        {
            return Ok(record);
        }
        Err(DriverError::Failed("the backup has not failed".to_owned()))
    }

    fn forget_disk(&mut self, target: &str) {
        self.disks.retain(|disk| disk.target != target);
        self.ledger.forget_disk(target);
    }

    pub(super) fn begin_call(
        &mut self,
        label: &str,
        name: &str,
        call: &Call,
    ) -> Result<Record, DriverError> {
        self.note_attempt(call)?;
        self.begun.insert(name.to_owned(), call.clone());
        let action = Action::BeginCall {
            label: name.to_owned(),
            call: Box::new(call.clone()),
        };
        self.act(label, &action)
    }

    pub(super) fn join_call(&mut self, label: &str, name: &str) -> Result<Record, DriverError> {
        let Some(call) = self.begun.remove(name) else {
            let text = format!("`{label}` waits for a call that was not begun");
            return Err(DriverError::Failed(text));
        };
        let action = Action::JoinCall {
            label: name.to_owned(),
        };
        let Observation::Answer(answer) = self.observe(&action)? else {
            return Err(strange(&action));
        };
        self.answered(label, &call, answer)
    }
}

//! Each act of a client, done through libvirt.

use super::client::{Cause, Client, End, Flow, Refusal};
use super::rule::{Act, CallWord};
use crate::driver::DriverError;
use crate::model::{Answer, Api, Call, DiskPart, DomainState, Param, flags};
use crate::plan::{Operation, Step};
use crate::recovery::Parts;
use crate::transcript::{Exchange, Record};

impl<'c> Client<'c, '_> {
    /// Does one thing; `cause` is what it answers.
    pub(super) fn act(&mut self, act: &'c Act, cause: Option<&Cause>) -> Result<Flow, DriverError> {
        let refused = cause.map(|(_, refusal)| refusal.as_ref());
        if act.looks_at_the_domain() && self.session.domain_state()? == DomainState::Gone {
            self.steps.push("the domain is gone".to_owned());
            return Ok(Flow::Ended(End::GaveUp));
        }
        match act {
            Act::Retry(times) => self.retry(refused, cause.map(|(rule, _)| (*rule, *times))),
            Act::RetryForEver => self.retry(refused, None),
            Act::FullBackup => {
                let name = self.fresh_name()?;
                self.back_up(&name, None, &Parts::new())
            }
            Act::FullBackupSameName => {
                let name = self.subject(refused).unwrap_or_default();
                self.back_up(&name, None, &Parts::new())
            }
            Act::IncrementalFromNewest => {
                let newest = self.session.checkpoints_from_the_root()?.pop();
                self.back_up_from(newest)
            }
            Act::IncrementalFromOtherBackup => {
                let subject = self.subject(refused);
                let verified = self.session.ledger().whole_checkpoints();
                let other = verified.filter(|name| subject.as_deref() != Some(*name));
                let newest = other.last().map(str::to_owned);
                self.back_up_from(newest)
            }
            Act::MixedBackup => self.mixed_backup(),
            Act::Redefine(how) => self.redefine(*how),
            Act::RequireBitmap => self.require_bitmap(),
            Act::DeleteCheckpoint => self.delete_subject(refused, 0),
            Act::DeleteCheckpointMetadataOnly => {
                self.delete_subject(refused, flags::CHECKPOINT_DELETE_METADATA_ONLY)
            }
            Act::DeleteAllCheckpoints => self.delete_all(0),
            Act::DeleteAllCheckpointsMetadataOnly => {
                self.delete_all(flags::CHECKPOINT_DELETE_METADATA_ONLY)
            }
            Act::DeleteNewCheckpoint => self.delete_new(),
            Act::RedefineWithoutValidateThenDelete => self.purge(refused),
            Act::AbortJob => self.abort_job(),
            Act::StartPaused => {
                let start = self.call(Api::DomainCreate).flags(flags::START_PAUSED);
                self.send("start-paused", &start)
            }
            Act::Resume => {
                let resume = self.call(Api::DomainResume);
                self.send("resume", &resume)
            }
            Act::Try(act) => match self.act(act, cause)? {
                Flow::Refused(_) => Ok(Flow::Next),
                flow @ (Flow::Next | Flow::Ended(_)) => Ok(flow),
            },
            Act::WaitForCompleted => self.wait_for_completed(),
            Act::GiveUp => {
                self.steps.push("gives up".to_owned());
                Ok(Flow::Ended(End::GaveUp))
            }
            Act::Ignore => {
                self.steps.push("ignores it".to_owned());
                Ok(Flow::Next)
            }
            Act::NotCalled => Ok(Flow::Ended(End::NotCalled)),
        }
    }

    /// The call under test.
    pub(super) fn ask(&mut self, when: &Step) -> Result<Flow, DriverError> {
        let had_backup = self.session.has_backup()?;
        let Some(record) = self.session.perform(when)?.pop() else {
            return Ok(Flow::Next);
        };
        if record.refusal().is_some() && self.asked == CallWord::BackupBegin && !had_backup {
            self.session.settle_backup()?;
        }
        self.answered(record)
    }

    /// The refused call again. `counted` is its rule, and how often that may be.
    fn retry(
        &mut self,
        refused: Option<&Refusal>,
        counted: Option<(usize, u32)>,
    ) -> Result<Flow, DriverError> {
        if let Some((rule, times)) = counted {
            if self.retries[rule] == times {
                self.steps.push(format!("gives up after {times} retries"));
                return Ok(Flow::Ended(End::GaveUp));
            }
            self.retries[rule] += 1;
        }
        self.let_time_pass()?;
        match refused.and_then(|refusal| refusal.call.clone()) {
            Some(call) => {
                let word = CallWord::of(&call).as_str();
                self.send(&format!("{word} again"), &call)
            }
            None => self.require_bitmap(),
        }
    }

    /// What is temporary ends: once, the remedy is done by whoever it is that does it.
    pub(super) fn let_time_pass(&mut self) -> Result<(), DriverError> {
        for step in self.remedy.take().unwrap_or_default() {
            let is_about_a_job = matches!(
                step.operation,
                Operation::AwaitBackup | Operation::EndBackup | Operation::AbortBackup
            );
            if is_about_a_job && !self.session.has_backup()? {
                continue;
            }
            for record in self.session.perform(step)? {
                let how = record.refusal().map(|error| format!(": {}", error.code));
                let how = how.unwrap_or_default();
                self.steps.push(format!("meanwhile {}{how}", record.label));
            }
            if is_about_a_job {
                // The other client looks after its own backup.
                self.session.restore_last_backup()?;
            }
        }
        Ok(())
    }

    /// A backup job that is shown is aborted. It cannot be the client's own, which was refused.
    fn abort_job(&mut self) -> Result<Flow, DriverError> {
        const BACKUP: Param = Param::Unsigned(9);

        let stats = self.session.job_stats(false)?;
        if stats.get("operation") != Some(&BACKUP) {
            return Ok(Flow::Next);
        }
        let abort = self.call(Api::DomainAbortJob);
        let flow = self.send("backup-abort", &abort)?;
        if matches!(flow, Flow::Next) && !self.backed_up {
            self.harm
                .push("another client's backup, aborted".to_owned());
        }
        self.session.settle_backup()?;
        Ok(flow)
    }

    /// What is never shown as completed is waited for without an end.
    fn wait_for_completed(&mut self) -> Result<Flow, DriverError> {
        const COMPLETED: Param = Param::Unsigned(3);

        self.let_time_pass()?;
        let stats = self.session.job_stats(true)?;
        self.steps.push("waits for a completed job".to_owned());
        Ok(if stats.get("type") == Some(&COMPLETED) {
            Flow::Next
        } else {
            Flow::Ended(End::Circle)
        })
    }

    fn mixed_backup(&mut self) -> Result<Flow, DriverError> {
        let Some(base) = self.base.clone() else {
            return self.back_up_from(None);
        };
        let bitmaps = self.session.bitmaps()?;
        let disks = self.session.disks().iter().map(|disk| disk.target.clone());
        let usable = disks.filter(|disk| bitmaps.has_usable(disk, &base));
        let parts: Parts = usable.map(|disk| (disk, DiskPart::Incremental)).collect();
        let base = (!parts.is_empty()).then_some(base);
        let name = self.fresh_name()?;
        self.back_up(&name, base.as_deref(), &parts)
    }

    pub(super) fn call(&self, api: Api) -> Call {
        Call::new(api, &self.session.place().domain)
    }

    /// Issues a call, and goes on by its answer.
    pub(super) fn send(&mut self, label: &str, call: &Call) -> Result<Flow, DriverError> {
        let had_backup = self.session.has_backup()?;
        let record = self.session.call(label, call)?;
        if record.refusal().is_some() && call.api == Api::DomainBackupBegin && !had_backup {
            self.session.settle_backup()?;
        }
        self.answered(record)
    }

    /// Takes note of an answer: a backup that has begun is brought to its end.
    pub(super) fn answered(&mut self, record: Record) -> Result<Flow, DriverError> {
        let Exchange::Call { call, answer } = record.exchange else {
            return Ok(Flow::Next);
        };
        let label = record.label;
        let error = match answer {
            Answer::Returned(_) => {
                self.steps.push(format!("{label}: ok"));
                if call.api == Api::DomainBackupBegin {
                    self.finish_backup()?;
                }
                return Ok(Flow::Next);
            }
            Answer::Refused(error) => error,
        };
        self.steps.push(format!("{label}: {}", error.code));
        let request = self.session.request_of(&call);
        let base = request.needed().next().map(|(_, base)| base.to_owned());
        Ok(Flow::Refused(Box::new(Refusal {
            word: CallWord::of(&call),
            checkpoint: if call.api == Api::DomainBackupBegin {
                base
            } else {
                request.checkpoint
            },
            call: Some(call),
            error: Some(error),
        })))
    }
}

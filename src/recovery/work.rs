//! A recovery under way: what it did so far, and what that shows.

use crate::driver::DriverError;
use crate::model::{Api, Call};
use crate::plan::{Operation, Step};
use crate::session::Session;
use crate::transcript::{ProofLine, Record};

/// What was done, and what shows that it worked.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// What was done.
    pub steps: Vec<Record>,
    /// What shows that it worked.
    pub proof: Vec<ProofLine>,
}

/// The session it works in, its record and its proof.
pub(super) struct Work<'w, 'd> {
    pub(super) session: &'w mut Session<'d>,
    steps: Vec<Record>,
    proof: Vec<ProofLine>,
    /// How many guest writes it has made to each disk.
    pub(super) writes: u8,
}

impl<'w, 'd> Work<'w, 'd> {
    pub(super) fn new(session: &'w mut Session<'d>) -> Self {
        Self {
            session,
            steps: Vec::new(),
            proof: Vec::new(),
            writes: 0,
        }
    }

    pub(super) fn into_recovery(self) -> Recovery {
        Recovery {
            steps: self.steps,
            proof: self.proof,
        }
    }

    /// Executes a step of the recovery; `false` if libvirt refused it.
    pub(super) fn perform(&mut self, step: &Step) -> Result<bool, DriverError> {
        let mut succeeded = true;
        for record in self.session.perform(step)? {
            succeeded &= self.keep(record);
        }
        Ok(succeeded)
    }

    /// Issues a call of the recovery; `false` if libvirt refused it.
    pub(super) fn call(&mut self, label: &str, call: &Call) -> Result<bool, DriverError> {
        let record = self.session.call(label, call)?;
        Ok(self.keep(record))
    }

    /// The operator's part. Each step must succeed; a backup among them is brought to its end, at
    /// the latest at the end, restored and compared. `false` if libvirt refused a step.
    pub(super) fn operate(&mut self, remedy: &[Step]) -> Result<bool, DriverError> {
        let mut unproven = false;
        for step in remedy {
            if !self.perform(step)? {
                return Ok(false);
            }
            match &step.operation {
                Operation::AwaitBackup | Operation::EndBackup => {
                    self.prove_end();
                    self.prove_restored()?;
                    unproven = false;
                }
                Operation::AbortBackup => unproven = false,
                Operation::Call(planned) => {
                    unproven |= planned.call.api == Api::DomainBackupBegin;
                }
                Operation::Act(_) => {}
            }
        }
        if unproven {
            self.prove_last_backup()?;
        }
        Ok(true)
    }

    /// The last step so far.
    pub(super) fn last_step(&self) -> Option<&Record> {
        self.steps.last()
    }

    /// Adds to the record; `false` for a refusal.
    pub(super) fn keep(&mut self, record: Record) -> bool {
        let succeeded = record.refusal().is_none();
        self.steps.push(record);
        succeeded
    }

    /// Adds to the proof.
    pub(super) fn claim(
        &mut self,
        claim: impl Into<String>,
        found: impl Into<String>,
        holds: bool,
    ) {
        self.proof.push(ProofLine {
            claim: claim.into(),
            found: found.into(),
            holds,
        });
    }
}

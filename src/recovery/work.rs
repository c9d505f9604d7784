//! A recovery under way: what it did so far, and what that shows.

use std::collections::BTreeMap;

use super::consult::Consultation;
use crate::driver::DriverError;
use crate::judge::Facts;
use crate::model::{Api, Call, CleanUp, DiskPart, LibvirtError};
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

/// What a backup takes of each disk; a disk that is not in it is taken in full.
pub type Parts = BTreeMap<String, DiskPart>;

/// The session it works in, what it is about, its record and its proof.
pub(super) struct Work<'w, 'd> {
    pub(super) session: &'w mut Session<'d>,
    /// None where no call was refused.
    consultation: Option<&'w Consultation>,
    steps: Vec<Record>,
    proof: Vec<ProofLine>,
    /// How many guest writes it has made to each disk.
    pub(super) writes: u8,
}

impl<'w, 'd> Work<'w, 'd> {
    pub(super) fn new(
        session: &'w mut Session<'d>,
        consultation: Option<&'w Consultation>,
    ) -> Self {
        Self {
            session,
            consultation,
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

    /// The steps that go with the decision, in order.
    pub(super) fn clean_up_steps(&self) -> &'w [CleanUp] {
        let conclusion = self.consultation.map(|found| &found.conclusion);
        conclusion.map_or(&[], |conclusion| &conclusion.clean_up)
    }

    /// The base that the decision names, and what the next backup takes of each disk.
    pub(super) fn base(&self) -> Option<(&'w str, Parts)> {
        let conclusion = &self.consultation?.conclusion;
        Some((conclusion.base.as_deref()?, conclusion.disks.clone()))
    }

    /// What the decision rests on.
    pub(super) fn facts(&self) -> Option<&'w Facts> {
        self.consultation.map(|found| &found.facts)
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

    /// Issues a call of the recovery that may well be refused; its refusal.
    pub(super) fn try_call(
        &mut self,
        label: &str,
        call: &Call,
    ) -> Result<Option<LibvirtError>, DriverError> {
        let record = self.session.call(label, call)?;
        let refusal = record.refusal().cloned();
        if refusal.is_none() {
            self.steps.push(record);
        }
        Ok(refusal)
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
                Operation::AbortBackup | Operation::AwaitFailure => unproven = false,
                Operation::Call(planned) => {
                    unproven |= planned.call.api == Api::DomainBackupBegin;
                }
                Operation::Act(_)
                | Operation::ActOnLayer { .. }
                | Operation::PutOverlay { .. }
                | Operation::CommitOverlay { .. }
                | Operation::Shutdown(_)
                | Operation::AttachDisk(..)
                | Operation::BeginCall(..)
                | Operation::JoinCall(_) => {}
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

    /// Whether every claim so far holds.
    pub(super) fn all_holds(&self) -> bool {
        self.proof.iter().all(|line| line.holds)
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

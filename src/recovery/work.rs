//! A recovery under way: what it did so far, and what that shows.

use super::Recovery;
use crate::driver::DriverError;
use crate::model::Call;
use crate::plan::Step;
use crate::session::Session;
use crate::transcript::{ProofLine, Record};

/// The session it works in, its record and its proof.
pub(super) struct Work<'w, 'd> {
    pub(super) session: &'w mut Session<'d>,
    pub(super) steps: Vec<Record>,
    pub(super) proof: Vec<ProofLine>,
}

impl<'w, 'd> Work<'w, 'd> {
    pub(super) fn new(session: &'w mut Session<'d>) -> Self {
        Self {
            session,
            steps: Vec::new(),
            proof: Vec::new(),
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

//! What comes before the call under test: there nothing may come out otherwise than planned.

use super::Session;
use crate::driver::DriverError;
use crate::plan::{Operation, Step};
use crate::transcript::Record;

impl Session<'_> {
    /// Executes a step that must come out as it is planned, or the scenario is not the one it
    /// claims.
    pub fn succeed(&mut self, step: &Step) -> Result<Vec<Record>, DriverError> {
        let records = self.perform(step)?;
        let refusal = records.iter().find_map(Record::refusal);
        let wanted = match &step.operation {
            Operation::Call(planned)
            | Operation::Shutdown(planned)
            | Operation::AttachDisk(_, planned) => planned.refused,
            Operation::BeginCall(..)
            | Operation::JoinCall(_)
            | Operation::Act(_)
            | Operation::AwaitFailure
            | Operation::ActOnLayer { .. }
            | Operation::PutOverlay { .. }
            | Operation::CommitOverlay { .. }
            | Operation::AwaitBackup
            | Operation::EndBackup
            | Operation::AbortBackup => None,
        };
        let label = &step.label;
        let text = match (refusal, wanted) {
            (None, None) => return Ok(records),
            (Some(error), Some(code)) if error.code == code => return Ok(records),
            (Some(error), _) => {
                format!("the step `{label}` before the call under test was refused: {error}")
            }
            (None, Some(code)) => {
                format!("the step `{label}` before the call under test was not refused by {code}")
            }
        };
        Err(DriverError::Failed(text))
    }

    /// Where a step has ended a backup, that must restore.
    pub fn verify_ended_backup(&mut self, step: &Step) -> Result<(), DriverError> {
        if !matches!(
            step.operation,
            Operation::AwaitBackup | Operation::EndBackup
        ) {
            return Ok(());
        }
        let restored = self.restore_last_backup()?;
        let Some(disk) = restored.iter().find(|disk| !disk.equal) else {
            return Ok(());
        };
        let text = format!(
            "after `{}` the backup of {} does not restore: {}",
            step.label, disk.disk, disk.found
        );
        Err(DriverError::Failed(text))
    }
}

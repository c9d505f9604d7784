//! `fix-request`: the corrected call, which only the scenario's author knows.

use super::work::Work;
use crate::driver::DriverError;
use crate::model::Api;
use crate::plan::{Operation, Step};

/// Executes the remedy. Each step must succeed; a backup among them is awaited, at the latest
/// at the end, restored and compared.
pub(super) fn execute(work: &mut Work<'_, '_>, remedy: &[Step]) -> Result<(), DriverError> {
    if remedy.is_empty() {
        work.claim("corrected request", "the scenario gives no remedy", false);
        return Ok(());
    }
    let mut unproven = false;
    for step in remedy {
        if matches!(step.operation, Operation::AwaitBackup) {
            work.prove_last_backup()?;
            unproven = false;
            continue;
        }
        if !work.perform(step)? {
            work.claim("corrected request", "refused", false);
            return Ok(());
        }
        unproven |= begins_backup(step);
    }
    if unproven {
        work.prove_last_backup()?;
    }
    work.claim("corrected request", "accepted", true);
    Ok(())
}

fn begins_backup(step: &Step) -> bool {
    let Operation::Call(planned) = &step.operation else {
        return false;
    };
    planned.call.api == Api::DomainBackupBegin
}

//! `fix-request`: the corrected call, which only the scenario's author knows.

use super::work::Work;
use crate::driver::DriverError;
use crate::model::{Action, Api};
use crate::plan::{Operation, Step};

/// Executes the remedy. Each step must succeed; a backup among them is restored and compared.
pub(super) fn execute(work: &mut Work<'_, '_>, remedy: &[Step]) -> Result<(), DriverError> {
    let mut accepted = !remedy.is_empty();
    for step in remedy {
        let record = work.session.perform(step)?;
        accepted &= work.keep(record);
        if !accepted {
            break;
        }
        if let Operation::Call(planned) = &step.operation
            && planned.call.api == Api::DomainBackupBegin
        {
            let disks = work.session.ledger().last_backup().into_iter();
            let disks = disks
                .flat_map(|backup| &backup.disks)
                .map(|disk| disk.disk.clone());
            let action = Action::AwaitBackup {
                domain: work.session.place().domain.clone(),
                disks: disks.collect(),
            };
            let record = work.session.act("await-backup", &action)?;
            work.keep(record);
            work.prove_last_backup()?;
        }
    }
    let found = if accepted { "accepted" } else { "refused" };
    work.claim("corrected request", found, accepted);
    Ok(())
}

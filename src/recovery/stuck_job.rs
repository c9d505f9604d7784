//! `clear-stuck-backup-job`: a backup that runs though no job API sees it.

use super::work::Work;
use crate::driver::DriverError;
use crate::model::{Action, Api, Call};
use crate::plan::{Operation, Step};

impl Work<'_, '_> {
    /// Ends the block jobs of the disks, which ends the backup as long as libvirt has it registered.
    /// Otherwise its NBD server is stopped by QEMU's monitor, and its files are removed.
    pub(super) fn clear_stuck_job(&mut self, disks: &[String]) -> Result<bool, DriverError> {
        let was_registered = self.session.has_backup()?;
        let domain = self.session.place().domain.clone();
        for disk in disks {
            if self
                .session
                .block_jobs(std::slice::from_ref(disk))?
                .is_empty()
            {
                continue;
            }
            let abort = Call {
                disk: Some(disk.clone()),
                ..Call::new(Api::DomainBlockJobAbort, &domain)
            };
            if !self.call(&format!("block-job-abort {disk}"), &abort)? {
                return Ok(false);
            }
            let wait = Action::AwaitBlockJob {
                domain: domain.clone(),
                disk: disk.clone(),
            };
            self.perform(&Step::of(
                format!("await-block-job {disk}"),
                Operation::Act(wait),
            ))?;
            // As long as libvirt has the backup registered, it ends the other disks' jobs itself.
            self.session.settle_backup()?;
        }
        let request = self.facts().map(|facts| &facts.request);
        let has_server = request.is_some_and(|request| request.server.is_some());
        if !was_registered && has_server {
            let stop = Action::StopNbdServer { domain };
            self.perform(&Step::of("nbd-server-stop", Operation::Act(stop)))?;
        }
        self.remove_own_files()?;
        let registered = self.session.has_backup()?;
        let jobs = self.session.block_jobs(disks)?;
        let found = match (registered, jobs.keys().next()) {
            (true, _) => "still registered".to_owned(),
            (false, Some(disk)) => format!("{disk} still has a block job"),
            (false, None) => "none registered, no block job".to_owned(),
        };
        self.claim("stuck backup", found, !registered && jobs.is_empty());
        Ok(!registered && jobs.is_empty())
    }

    /// What libvirt has not removed of the attempt's own files would be in the way of the next one.
    fn remove_own_files(&mut self) -> Result<(), DriverError> {
        let request = self.facts().map(|facts| &facts.request).into_iter();
        let paths = request
            .flat_map(|request| request.files().map(str::to_owned))
            .collect();
        for path in self.session.find_files(paths)? {
            let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
            let remove = Action::RemoveFile { path };
            self.perform(&Step::of(
                format!("remove-file {name}"),
                Operation::Act(remove),
            ))?;
        }
        Ok(())
    }
}

//! `clear-stuck-backup-job`: a backup that runs though no job API sees it.

use super::probe::running;
use super::work::Work;
use crate::driver::DriverError;
use crate::judge::{BLOCK_JOB_TYPE_BACKUP, RunningJob};
use crate::model::{Action, Api, Call, ErrorCode};
use crate::plan::{Operation, Step};
use crate::session::Attempt;

impl Work<'_, '_> {
    /// Ends the block jobs of the disks, which ends the backup as long as libvirt has it registered.
    /// Otherwise its NBD server is stopped by QEMU's monitor, and its files are removed.
    pub(super) fn clear_stuck_job(
        &mut self,
        checkpoint: &str,
        disks: &[String],
    ) -> Result<bool, DriverError> {
        let was_registered = self.session.has_backup()?;
        let domain = self.session.place().domain.clone();
        let (job, text) = running(&self.session.job_stats(false)?);
        if job != RunningJob::None {
            // A job that is seen has begun since, and ends by itself.
            self.claim("stuck backup", format!("the domain job is {text}"), false);
            return Ok(false);
        }
        for disk in disks {
            let jobs = self.session.block_jobs(std::slice::from_ref(disk))?;
            if jobs.get(disk) != Some(&BLOCK_JOB_TYPE_BACKUP) {
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
        let attempt = self.stuck_attempt(checkpoint);
        let server = attempt.as_ref().and_then(|own| own.request.server.clone());
        if let Some(server) = server.filter(|_| !was_registered) {
            let stop = Action::StopNbdServer { domain };
            self.perform(&Step::of("nbd-server-stop", Operation::Act(stop)))?;
            let reason = self.session.probe_server(&server, false)?;
            if let Some(reason) = reason {
                self.claim("NBD server of the stuck backup", reason, false);
            }
        }
        if let Some(attempt) = attempt {
            self.remove_files_of(&attempt)?;
        }
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

    /// The own attempt that runs on without a job: libvirt has refused it by
    /// `VIR_ERR_INTERNAL_ERROR`, when its checkpoint's metadata could not be stored.
    fn stuck_attempt(&self, checkpoint: &str) -> Option<Attempt> {
        let attempts = self.session.ledger().attempts().iter().rev();
        let is_it = |attempt: &&Attempt| {
            attempt.is_refused_with(ErrorCode::INTERNAL_ERROR)
                && attempt.request.checkpoint.as_deref() == Some(checkpoint)
        };
        attempts.into_iter().find(is_it).cloned()
    }

    /// What libvirt has not removed of the attempt's own files would be in the way of the next one.
    /// A file that was there before the attempt stays.
    fn remove_files_of(&mut self, attempt: &Attempt) -> Result<(), DriverError> {
        let is_own = |path: &&str| !attempt.found.iter().any(|found| found == path);
        let paths = attempt.request.files().filter(is_own);
        let paths: Vec<String> = paths.map(str::to_owned).collect();
        for path in self.session.find_files(paths.clone())? {
            let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
            let remove = Action::RemoveFile { path };
            self.perform(&Step::of(
                format!("remove-file {name}"),
                Operation::Act(remove),
            ))?;
        }
        if let Some(left) = self.session.find_files(paths)?.first() {
            self.claim(
                "files of the stuck backup",
                format!("{left} is left"),
                false,
            );
        }
        Ok(())
    }
}

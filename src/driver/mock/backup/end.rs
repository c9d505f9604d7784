//! The calls about a backup that runs: what it is, how far it is, and its end.

use std::collections::BTreeMap;

use crate::driver::mock::Mock;
use crate::driver::mock::answer::{Ruled, check_flags, not_running, refuse, unknown_procedure};
use crate::driver::mock::dump;
use crate::model::{Api, Call, ErrorCode, ErrorDomain, JobEnd, Param, Value, flags};
use crate::world::{Active, Cancelling, Standing};

const COMPLETED: u32 = flags::JOB_STATS_COMPLETED;

/// `VIR_DOMAIN_JOB_OPERATION_BACKUP`.
const OPERATION_BACKUP: u64 = 9;

impl Mock {
    /// `src/qemu/qemu_backup.c:qemuBackupGetXMLDesc`.
    pub(in crate::driver::mock) fn backup_get_xml_desc(&self, call: &Call) -> Ruled {
        let functions = ["qemuDomainBackupGetXMLDesc", "qemuBackupGetXMLDesc"];
        let domain = self.domain_and_flags(call, 0, functions)?;
        let active = domain.active.as_ref();
        let job = active.and_then(|active| active.job.as_ref());
        let Some(job) = job.filter(|job| job.standing != Standing::Forgotten) else {
            let text = "no domain backup job present";
            return refuse(ErrorCode::NO_DOMAIN_BACKUP, ErrorDomain::QEMU, text);
        };
        Ok(Value::Xml(dump::backup(job)))
    }

    /// `src/qemu/qemu_driver.c:qemuDomainAbortJobFlags`. Flags come before the domain. The job is
    /// over when the call returns; on a real host it takes some milliseconds more.
    pub(in crate::driver::mock) fn abort_job(&mut self, call: &Call) -> Ruled {
        const POSTCOPY: u32 = 1;
        const PROCEDURE: u32 = 442;
        if call.api == Api::DomainAbortJobFlags && !self.rules.aborts_with_flags {
            return unknown_procedure(PROCEDURE);
        }
        let flags = if call.api == Api::DomainAbortJobFlags {
            call.flags
        } else {
            0
        };
        check_flags(flags, POSTCOPY, "qemuDomainAbortJobFlags")?;
        let Some(active) = &self.domain(call)?.active else {
            return not_running();
        };
        if flags & POSTCOPY != 0 {
            let text = "current job is not outgoing migration in post-copy mode";
            return refuse(ErrorCode::OPERATION_INVALID, ErrorDomain::QEMU, text);
        }
        if !holds_the_domain(active) {
            let text = "no job is active on the domain";
            return refuse(ErrorCode::OPERATION_INVALID, ErrorDomain::QEMU, text);
        }
        self.world
            .cancel_backup(&call.domain, Cancelling::Aborted)?;
        Ok(Value::Nothing)
    }

    /// `src/qemu/qemu_driver.c:qemuDomainGetJobStats`. A job's times are nobody's to foretell, so
    /// of a job that runs only its kind is modelled.
    pub(in crate::driver::mock) fn get_job_stats(&mut self, call: &Call) -> Ruled {
        check_flags(call.flags, 3, "qemuDomainGetJobStats")?;
        let domain = self.domain(call)?;
        if call.flags & COMPLETED != 0 {
            return self.completed_job_stats(call);
        }
        let Some(active) = &domain.active else {
            return not_running();
        };
        let mut params = BTreeMap::from([running_type(active)]);
        if holds_the_domain(active) {
            let operation = Param::Unsigned(OPERATION_BACKUP);
            params.insert("operation".to_owned(), operation);
        }
        Ok(Value::Params(params))
    }
}

impl Mock {
    /// `src/qemu/qemu_driver.c:qemuDomainGetJobInfo`. The type of a backup is told; it has no end that
    /// libvirt knows.
    pub(in crate::driver::mock) fn get_job_info(&self, call: &Call) -> Ruled {
        const UNBOUNDED: u64 = 2;
        let Some(active) = &self.domain(call)?.active else {
            return not_running();
        };
        let kind = if holds_the_domain(active) {
            UNBOUNDED
        } else {
            0
        };
        let kind = ("type".to_owned(), Param::Unsigned(kind));
        Ok(Value::Params(BTreeMap::from([kind])))
    }

    /// How the last job has ended; none while one runs. It is forgotten when it was asked for,
    /// unless that is said otherwise (`qemu_domain.c`, `src/qemu/qemu_driver.c:
    /// qemuDomainGetJobStatsInternal`). How long it took and what it copied is nobody's to foretell.
    fn completed_job_stats(&mut self, call: &Call) -> Ruled {
        let domain = self.domain_mut(call)?;
        let runs = domain.active.as_ref().is_some_and(holds_the_domain);
        let ended = if runs {
            None
        } else if call.flags & flags::JOB_STATS_KEEP_COMPLETED == 0 {
            domain.ended_job.take()
        } else {
            domain.ended_job
        };
        let Some(end) = ended else {
            let none = ("type".to_owned(), Param::Unsigned(0));
            return Ok(Value::Params(BTreeMap::from([none])));
        };
        let number = match end {
            JobEnd::Completed => 3,
            JobEnd::Failed => 4,
            JobEnd::Cancelled => 5,
        };
        let params = [
            ("type".to_owned(), Param::Unsigned(number)),
            ("operation".to_owned(), Param::Unsigned(OPERATION_BACKUP)),
        ];
        Ok(Value::Params(BTreeMap::from(params)))
    }
}

/// The type of the domain's job: a backup has no end that libvirt knows
/// (`VIR_DOMAIN_JOB_UNBOUNDED`).
fn running_type(active: &Active) -> (String, Param) {
    let kind = if holds_the_domain(active) { 2 } else { 0 };
    ("type".to_owned(), Param::Unsigned(kind))
}

/// Whether a backup's job holds the domain; that of an orphan does not.
pub(in crate::driver::mock) fn holds_the_domain(active: &Active) -> bool {
    let standing = active.job.as_ref().map(|job| job.standing);
    standing == Some(Standing::Job)
}

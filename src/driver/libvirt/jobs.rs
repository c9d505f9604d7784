//! Waits for jobs to end: backups, and the block jobs of single disks.
//!
//! No wait has a limit of its own where libvirt says that the job runs: the deadline of the
//! scenario ends it.

use std::path::Path;
use std::time::{Duration, Instant};

use roxmltree::Document;
use virt::domain::Domain;

use super::calls::{Session, failed};
use super::pause::pause;
use super::{bitmaps, emulator, ffi, images};
use crate::driver::DriverError;
use crate::model::{DiskFormat, ErrorCode, ImageRef, JobEvent};

/// How long the events of a job may be on their way when its domain says that it is over.
const EVENTS_LIMIT: Duration = Duration::from_secs(1);

/// For how long a backup that libvirt is ending may stay registered.
const SETTLING_LIMIT: Duration = Duration::from_secs(1);

/// How often the domain is asked whether its job still runs.
const JOB_PAUSE: Duration = Duration::from_millis(100);

/// Waits until the domain's last backup has ended and its targets can be opened; its events.
pub(super) fn await_backup(
    session: &mut Session,
    domain: &str,
    disks: &[String],
) -> Result<Vec<JobEvent>, DriverError> {
    let events = await_events(session, domain, disks)?;
    for target in targets(session.last_backup(domain).unwrap_or_default()) {
        images::await_release(&target)?;
    }
    Ok(events)
}

/// Waits until no backup is registered; one that nobody ends is let be.
pub(super) fn settle_backup(domain: &Domain) -> Result<(), DriverError> {
    let until = Instant::now() + SETTLING_LIMIT;
    while job_runs(domain)? && Instant::now() < until {
        pause();
    }
    Ok(())
}

/// Waits until a disk has no block job, or one that is ready to pivot.
///
/// That a copy has `cur` equal to `end` is not enough: libvirt refuses to pivot before QEMU's
/// event `BLOCK_JOB_READY` has come, which the live XML tells
/// (`docs/formatdomain.rst`, `<mirror ready=>`).
pub(super) fn await_block_job(domain: &Domain, disk: &str) -> Result<(), DriverError> {
    let target = std::ffi::CString::new(disk)
        .map_err(|_| DriverError::Failed("a disk's name holds a NUL byte".to_owned()))?;
    loop {
        let info = ffi::block_job_info(domain, Some(&target), 0);
        let info =
            info.map_err(|error| failed(&format!("cannot ask disk {disk} for its job"), &error))?;
        if info.is_none() || bitmaps::mirror_is_ready(&emulator::live_xml(domain)?, disk)? {
            return Ok(());
        }
        pause();
    }
}

/// The events of a domain's last backup, once it has ended. libvirt emits `JOB_COMPLETED` before
/// the last disk's event; a domain that has died meanwhile emits no more.
fn await_events(
    session: &mut Session,
    name: &str,
    disks: &[String],
) -> Result<Vec<JobEvent>, DriverError> {
    let queue = session.events();
    let ended = |events: &[JobEvent]| {
        let completed = |event: &JobEvent| matches!(event, JobEvent::JobCompleted { .. });
        events.iter().any(completed)
    };
    let complete = |events: &[JobEvent]| {
        let ended_on = |disk: &String| {
            let same = |event: &JobEvent| matches!(event, JobEvent::BlockJob { disk: found, .. } if found == disk);
            events.iter().any(same)
        };
        ended(events) && disks.iter().all(ended_on)
    };
    loop {
        if let Some(events) = queue.take_when(name, JOB_PAUSE, complete) {
            return Ok(events);
        }
        let domain = session.handle(name)?;
        if job_runs(&domain)? {
            continue;
        }
        if let Some(events) = queue.take_when(name, EVENTS_LIMIT, complete) {
            return Ok(events);
        }
        let rest = queue.take_when(name, Duration::ZERO, ended);
        return rest.ok_or_else(|| {
            let message = format!("domain {name} runs no backup and has told of none that ended");
            DriverError::Failed(message)
        });
    }
}

/// True while the domain says that it has a backup job.
fn job_runs(domain: &Domain) -> Result<bool, DriverError> {
    match ffi::backup_xml(domain, 0) {
        Ok(_) => Ok(true),
        Err(error)
            if [
                ErrorCode::NO_DOMAIN_BACKUP,
                ErrorCode::OPERATION_INVALID,
                ErrorCode::NO_DOMAIN,
            ]
            .contains(&error.code) =>
        {
            Ok(false)
        }
        Err(error) => Err(failed("cannot tell whether the backup still runs", &error)),
    }
}

/// The target files that a push backup's document names.
fn targets(document: &str) -> Vec<ImageRef> {
    let Ok(document) = Document::parse(document) else {
        return Vec::new();
    };
    let disks = document
        .descendants()
        .filter(|node| node.has_tag_name("disk"));
    let targets = disks.filter_map(|disk| {
        let child = |name| disk.children().find(|node| node.has_tag_name(name));
        let path = child("target")?.attribute("file")?.to_owned();
        let format = child("driver").and_then(|driver| driver.attribute("type"));
        let format = format.and_then(|format| format.parse().ok());
        let format = format.unwrap_or(DiskFormat::Qcow2);
        Some(ImageRef { path, format })
    });
    targets
        .filter(|target| Path::new(&target.path).is_file())
        .collect()
}

//! What a scenario does to the real host, and sees of it, beside libvirt.

use std::fs;
use std::path::Path;
use std::time::Duration;

use roxmltree::Document;
use serde_json::Value;
use virt::domain::Domain;
use virt_sys as sys;

use super::calls::{Session, failed};
use super::ffi::{self, told};
use super::{bitmaps, content, tools};
use crate::driver::DriverError;
use crate::model::{Action, DiskFormat, ErrorCode, ImageRef, JobEvent, Observation, Size};

/// How long the events of a job may be on their way when its domain says that it is over.
const EVENTS_LIMIT: Duration = Duration::from_secs(1);

/// How often the domain is asked whether its job still runs.
const JOB_PAUSE: Duration = Duration::from_millis(100);

/// Does one action; `scratch` is a directory for passing files.
pub(super) fn act(
    session: &mut Session,
    scratch: &Path,
    action: &Action,
) -> Result<Observation, DriverError> {
    match action {
        Action::CreateImage { image, size } => create_image(image, *size),
        Action::GuestWrite {
            domain,
            disk,
            offset,
            length,
            pattern,
        } => {
            let domain = handle(session, domain)?;
            guest_write(&domain, disk, (*offset, *length), *pattern)
        }
        Action::LiveBitmaps { domain } => {
            let domain = handle(session, domain)?;
            let xml = live_xml(&domain)?;
            let reply = monitor(&domain, bitmaps::QUERY, 0)?;
            bitmaps::live(&xml, &reply).map(Observation::Bitmaps)
        }
        Action::StoredBitmaps { disks } => bitmaps::stored(disks).map(Observation::Bitmaps),
        Action::AwaitBackup { domain, disks } => {
            let events = await_events(session, domain, disks)?;
            for target in targets(session.last_backup(domain).unwrap_or_default()) {
                await_release(&target)?;
            }
            Ok(Observation::Events(events))
        }
        Action::ReadChain { layers } => {
            content::read_chain(layers, scratch).map(Observation::Content)
        }
        Action::CheckImage { image } => check_image(image).map(Observation::Check),
        Action::KillEmulator { .. }
        | Action::ChangeBitmap { .. }
        | Action::StartNbdServer { .. }
        | Action::StopNbdServer { .. }
        | Action::ReadExport { .. }
        | Action::AwaitBlockJob { .. }
        | Action::ProbeServer { .. }
        | Action::MakeDirectory { .. }
        | Action::RemoveDirectory { .. }
        | Action::MakeFile { .. }
        | Action::RemoveFile { .. }
        | Action::OccupyPort { .. }
        | Action::ReleasePort { .. } => {
            Err(DriverError::Failed(format!("not executed yet: {action:?}")))
        }
        Action::ListFiles { directory } => list_files(directory).map(Observation::Files),
    }
}

fn create_image(image: &ImageRef, size: Size) -> Result<Observation, DriverError> {
    let size = size.bytes().to_string();
    let format = image.format.as_str();
    let arguments = ["create", "-q", "-f", format, &image.path, &size];
    tools::qemu_img(&arguments)?.succeeded()?;
    Ok(Observation::Done)
}

/// Writes through QEMU's block layer with forced unit access, which for qcow2 is a flush: the
/// data, though no bitmap, is then in the image.
///
/// The monitor command `qemu-io` prints what became of a write into QEMU's log, not into its
/// reply. So the write is one of the asynchronous kind, which alone the device's statistics
/// count, and they tell whether it succeeded.
fn guest_write(
    domain: &Domain,
    disk: &str,
    (offset, length): (Size, Size),
    pattern: u8,
) -> Result<Observation, DriverError> {
    let device = bitmaps::device_path(&live_xml(domain)?, disk)?;
    let (offset, length) = (offset.bytes(), length.bytes());
    let write = format!("aio_write -f -P {pattern:#04x} {offset} {length}");
    let before = Writes::of(domain, &device)?;
    for command in [&write, "aio_flush"] {
        let command = format!("qemu-io -d {device} \"{command}\"");
        let reply = monitor(domain, &command, sys::VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP)?;
        if !reply.trim().is_empty() {
            let message = format!("monitor command `{command}` answered: {}", reply.trim());
            return Err(DriverError::Failed(message));
        }
    }
    let after = Writes::of(domain, &device)?;
    if after.failed != before.failed || after.bytes < before.bytes + length {
        let message = format!("QEMU could not write: qemu-io -d {device} \"{write}\"");
        return Err(DriverError::Failed(message));
    }
    Ok(Observation::Done)
}

/// What became of the writes to a device, counted by QEMU since it started.
struct Writes {
    bytes: u64,
    failed: u64,
}

impl Writes {
    fn of(domain: &Domain, device: &str) -> Result<Self, DriverError> {
        let reply = monitor(domain, r#"{"execute":"query-blockstats"}"#, 0)?;
        let parsed: Value = serde_json::from_str(&reply).unwrap_or_default();
        let mut devices = parsed["return"].as_array().into_iter().flatten();
        let found = devices.find(|found| found["qdev"] == device);
        let count = |key: &str| found?["stats"][key].as_u64();
        let writes = || {
            Some(Self {
                bytes: count("wr_bytes")?,
                failed: count("failed_wr_operations")? + count("invalid_wr_operations")?,
            })
        };
        writes().ok_or_else(|| {
            DriverError::Failed(format!("QEMU tells no statistics of {device}: {reply}"))
        })
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
        let domain = handle(session, name)?;
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

/// Waits until QEMU has let go of an image: opening it fails until then.
fn await_release(image: &ImageRef) -> Result<(), DriverError> {
    let output = tools::qemu_img(&["info", &tools::alone(image)])?;
    if output.is_locked() {
        return Err(output.failure());
    }
    Ok(())
}

/// What `qemu-img check` finds in an image by itself (a backup's backing file may be the live
/// disk); an image that it cannot open is a finding, one that is not there
/// is a failure. A raw image has nothing to check.
fn check_image(image: &ImageRef) -> Result<Option<String>, DriverError> {
    fs::File::open(&image.path)
        .map_err(|error| DriverError::Failed(format!("cannot read {}: {error}", image.path)))?;
    if image.format == DiskFormat::Raw {
        return Ok(None);
    }
    let output = tools::qemu_img(&["check", "--output=json", &tools::alone(image)])?;
    match output.status {
        Some(0) => Ok(None),
        // Corruption is 2, leaked clusters are 3 (docs/tools/qemu-img.rst).
        Some(2 | 3) => {
            let found = output.json()?;
            let count = |key: &str| found[key].as_u64().unwrap_or(0);
            let (corruptions, leaks) = (count("corruptions"), count("leaks"));
            Ok(Some(format!(
                "{corruptions} corruptions, {leaks} leaked clusters"
            )))
        }
        Some(1) if !output.is_locked() => Ok(Some(output.stderr)),
        _ => Err(output.failure()),
    }
}

fn list_files(directory: &str) -> Result<Vec<String>, DriverError> {
    let unreadable = |error| DriverError::Failed(format!("cannot list {directory}: {error}"));
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        names.push(name.to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn handle(session: &mut Session, name: &str) -> Result<Domain, DriverError> {
    let domain = session.domain(name);
    domain.map_err(|error| failed(&format!("no domain {name}"), &error))
}

fn live_xml(domain: &Domain) -> Result<String, DriverError> {
    let xml = told(domain.xml_desc(0));
    xml.map_err(|error| failed("cannot dump the live domain", &error))
}

fn monitor(domain: &Domain, command: &str, flags: u32) -> Result<String, DriverError> {
    let reply = told(domain.qemu_monitor_command(command, flags));
    reply.map_err(|error| failed(&format!("monitor command `{command}`"), &error))
}

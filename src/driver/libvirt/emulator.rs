//! A domain's QEMU: its monitor, writes through its block layer, its sudden end.

use std::fs;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill as send};
use nix::unistd::Pid;
use serde_json::{Value, json};
use virt::domain::Domain;
use virt_sys as sys;

use super::calls::failed;
use super::ffi::{self, told};
use super::pause::pause;
use super::{bitmaps, proc};
use crate::driver::DriverError;
use crate::model::{BitmapChange, DomainState, ErrorCode, Size};

/// For how long libvirt may take a domain for running whose QEMU was killed.
const END_LIMIT: Duration = Duration::from_secs(10);

/// Kills the domain's QEMU, and waits until libvirt knows.
pub(super) fn kill(domain: &Domain) -> Result<(), DriverError> {
    let name = told(domain.name());
    let name = name.map_err(|error| failed("cannot tell the domain's name", &error))?;
    let uuid = told(domain.uuid_string());
    let uuid = uuid.map_err(|error| failed(&format!("cannot tell the UUID of {name}"), &error))?;
    let pid = match find(&name, &uuid)[..] {
        [pid] => pid,
        [] => {
            return Err(DriverError::Failed(format!(
                "domain {name} has no QEMU process"
            )));
        }
        ref several => {
            let message = format!("domain {name} has several QEMU processes: {several:?}");
            return Err(DriverError::Failed(message));
        }
    };
    match send(pid, Signal::SIGKILL) {
        // It may have ended by itself.
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => {
            let message = format!("cannot kill the QEMU of domain {name}: {error}");
            return Err(DriverError::Failed(message));
        }
    }
    await_end(domain, "QEMU was killed")
}

/// Waits until libvirt says that the domain is off, as it must be after `cause`.
fn await_end(domain: &Domain, cause: &str) -> Result<(), DriverError> {
    let until = Instant::now() + END_LIMIT;
    while !is_over(domain)? {
        if Instant::now() >= until {
            let message = format!("{cause}, yet libvirt says that the domain runs");
            return Err(DriverError::Failed(message));
        }
        pause();
    }
    Ok(())
}

/// Does what a guest does that switches itself off by ACPI: it sets `SLP_EN` in the register
/// `PM1a_CNT`, with the type of a soft off (QEMU `hw/acpi/core.c:acpi_pm1_cnt_write`). Firmware has
/// put the register there (`SeaBIOS`, `src/fw/dev-piix.h:PIIX_PMBASE`).
pub(super) fn power_off(domain: &Domain) -> Result<(), DriverError> {
    // QEMU 11.1 takes only the second, whose byte is the upper one of the same register.
    const WRITES: [&str; 2] = ["o/w 0x604 0x2000", "o/b 0x605 0x20"];
    let until = Instant::now() + END_LIMIT;
    loop {
        for write in WRITES {
            let written = monitor(domain, write, sys::VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP);
            if shuts_down(domain)? {
                return await_end(domain, "the guest has switched itself off");
            }
            written?;
        }
        if Instant::now() >= until {
            let message = "the guest's firmware has made no ACPI to switch it off by";
            return Err(DriverError::Failed(message.to_owned()));
        }
        pause();
    }
}

/// Waits until a disk that was detached has left the domain.
pub(super) fn await_detach(domain: &Domain, disk: &str) -> Result<(), DriverError> {
    let until = Instant::now() + END_LIMIT;
    while bitmaps::device_path(&live_xml(domain)?, disk).is_ok() {
        if Instant::now() >= until {
            let message = format!("disk {disk} was detached, and has not left the domain");
            return Err(DriverError::Failed(message));
        }
        pause();
    }
    Ok(())
}

/// Issues a QMP command; what it returns.
pub(super) fn qmp(domain: &Domain, command: &str, arguments: &Value) -> Result<Value, DriverError> {
    let line = json!({"execute": command, "arguments": arguments}).to_string();
    let reply = monitor(domain, &line, 0)?;
    let unread = || DriverError::Failed(format!("monitor command `{command}` answered: {reply}"));
    let reply: Value = serde_json::from_str(&reply).map_err(|_| unread())?;
    if let Some(refusal) = reply["error"]["desc"].as_str() {
        let message = format!("QEMU refused the monitor command `{command}`: {refusal}");
        return Err(DriverError::Failed(message));
    }
    reply.get("return").cloned().ok_or_else(unread)
}

/// Changes one bitmap of a block node (`qapi/block-core.json`).
pub(super) fn change_bitmap(
    domain: &Domain,
    node: &str,
    bitmap: &str,
    change: BitmapChange,
) -> Result<(), DriverError> {
    let mut arguments = json!({"node": node, "name": bitmap});
    let command = match change {
        BitmapChange::Add { granularity } => {
            arguments["persistent"] = json!(true);
            if let Some(granularity) = granularity {
                arguments["granularity"] = json!(granularity.bytes());
            }
            "add"
        }
        BitmapChange::Remove => "remove",
        BitmapChange::Clear => "clear",
        BitmapChange::Enable => "enable",
        BitmapChange::Disable => "disable",
    };
    qmp(domain, &format!("block-dirty-bitmap-{command}"), &arguments)?;
    Ok(())
}

/// Writes through QEMU's block layer with forced unit access, which for qcow2 is a flush: the
/// data, though no bitmap, is then in the image.
///
/// The monitor command `qemu-io` prints what became of a write into QEMU's log, not into its
/// reply. So the write is one of the asynchronous kind, which alone the device's statistics
/// count, and they tell whether it succeeded.
pub(super) fn guest_write(
    domain: &Domain,
    disk: &str,
    range: (Size, Size),
    pattern: u8,
) -> Result<(), DriverError> {
    if succeeds(domain, disk, range, pattern)? {
        return Ok(());
    }
    let (offset, length) = range;
    let message = format!("QEMU could not write {length} at {offset} of disk {disk}");
    Err(DriverError::Failed(message))
}

/// The same for a write that must fail.
pub(super) fn fail_guest_write(
    domain: &Domain,
    disk: &str,
    range: (Size, Size),
) -> Result<(), DriverError> {
    const PATTERN: u8 = 0xEE;
    if !succeeds(domain, disk, range, PATTERN)? {
        return Ok(());
    }
    let (offset, length) = range;
    let message = format!("QEMU has written {length} at {offset} of disk {disk}");
    Err(DriverError::Failed(message))
}

/// Writes, and tells whether QEMU could.
fn succeeds(
    domain: &Domain,
    disk: &str,
    (offset, length): (Size, Size),
    pattern: u8,
) -> Result<bool, DriverError> {
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
    Ok(after.failed == before.failed && after.bytes >= before.bytes + length)
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
        // A device with a name of its own is told by that, and its parts by their paths.
        let is_it = |found: &&Value| {
            let told = found["qdev"].as_str().unwrap_or_default();
            told == device || device.strip_prefix("/machine/peripheral/") == Some(told)
        };
        let found = devices.find(is_it);
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

/// The XML of a live domain.
pub(super) fn live_xml(domain: &Domain) -> Result<String, DriverError> {
    let xml = told(domain.xml_desc(0));
    xml.map_err(|error| failed("cannot dump the live domain", &error))
}

/// Passes a command to QEMU's monitor; its reply as it is.
pub(super) fn monitor(domain: &Domain, command: &str, flags: u32) -> Result<String, DriverError> {
    let reply = told(domain.qemu_monitor_command(command, flags));
    reply.map_err(|error| failed(&format!("monitor command `{command}`"), &error))
}

/// The processes whose command line starts a QEMU for this domain. libvirt passes both
/// (`src/qemu/qemu_command.c:qemuBuildNameCommandLine`, `qemuBuildCommandLine`); a comma is
/// written twice in QEMU's options.
fn find(name: &str, uuid: &str) -> Vec<Pid> {
    let guest = format!("guest={},", name.replace(',', ",,"));
    let is_pair = |pair: &[&[u8]]| pair[0] == b"-name" && pair[1].starts_with(guest.as_bytes());
    let is_uuid = |pair: &[&[u8]]| pair[0] == b"-uuid" && pair[1] == uuid.as_bytes();
    let found = proc::all().filter(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let arguments: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        arguments.windows(2).any(is_pair) && arguments.windows(2).any(is_uuid)
    });
    found.collect()
}

/// Whether the domain is on its way out, or out.
fn shuts_down(domain: &Domain) -> Result<bool, DriverError> {
    match ffi::state(domain, 0) {
        Ok((state, _)) => {
            let running = i32::try_from(sys::VIR_DOMAIN_RUNNING).unwrap_or_default();
            Ok(state != running)
        }
        Err(error) if error.code == ErrorCode::NO_DOMAIN => Ok(true),
        Err(error) => Err(failed("cannot tell the domain's state", &error)),
    }
}

/// Whether libvirt says that the domain is shut off; one that was transient is gone.
fn is_over(domain: &Domain) -> Result<bool, DriverError> {
    match ffi::state(domain, 0) {
        Ok((state, _)) => Ok(DomainState::from_number(state) == DomainState::Shutoff),
        Err(error) if error.code == ErrorCode::NO_DOMAIN => Ok(true),
        Err(error) => Err(failed("cannot tell the domain's state", &error)),
    }
}

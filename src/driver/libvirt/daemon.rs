//! A `libvirtd` for one worker: its own configuration, sockets, state and log.
//!
//! It is the worker's child, so that the worker knows how it ended; when the worker itself has
//! ended, the reaper ends the daemon.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use uuid::Uuid;

use super::availability::{self, DAEMON};
use super::connection::escaped;
use super::log;
use super::pause::pause;
use super::root::SYSTEM_DIRECTORIES;
use crate::driver::DriverError;

/// For how long a daemon may come up: it asks QEMU nothing before it serves.
const START_LIMIT: Duration = Duration::from_secs(15);

/// For how long a daemon whose connection is gone may take to end.
const END_LIMIT: Duration = Duration::from_secs(2);

/// The drivers that a daemon loads: no other may find networks or devices of the host to manage.
const MODULES: [&str; 3] = ["qemu", "secret", "storage"];

/// A daemon that runs.
pub(super) struct Daemon {
    child: Child,
    socket: PathBuf,
    /// Held, never used: the daemon would log its end as an error.
    _first: UnixStream,
}

impl Daemon {
    /// Starts one on the root in this directory, and waits until its socket takes connections.
    ///
    /// Fails with [`DriverError::Unavailable`] where it does not come up.
    pub(super) fn start(directory: &Path) -> Result<Self, DriverError> {
        let child = spawn(directory);
        let mut child = child.map_err(|error| unavailable(&error.to_string(), directory))?;
        let socket = directory.join("run/libvirt/libvirt-sock");
        let until = Instant::now() + START_LIMIT;
        loop {
            if let Ok(first) = UnixStream::connect(&socket) {
                return Ok(Self {
                    child,
                    socket,
                    _first: first,
                });
            }
            if let Some(end) = end_within(&mut child, Duration::ZERO) {
                return Err(unavailable(&format!("it ended with {end}"), directory));
            }
            if Instant::now() >= until {
                let seconds = START_LIMIT.as_secs();
                let text = format!("it opened no socket within {seconds} s");
                return Err(unavailable(&text, directory));
            }
            pause();
        }
    }

    /// Ends it, by SIGKILL or as a service manager does, and starts it again on the same root.
    ///
    /// Fails with [`DriverError::Unavailable`] where it does not come up.
    pub(super) fn restart(&mut self, directory: &Path, kills: bool) -> Result<(), DriverError> {
        let signal = if kills {
            Signal::SIGKILL
        } else {
            Signal::SIGTERM
        };
        // It cannot be another process: it was not waited for yet.
        let _ = kill(Pid::from_raw(self.child.id().cast_signed()), signal);
        if end_within(&mut self.child, START_LIMIT).is_none() {
            let seconds = START_LIMIT.as_secs();
            let text = format!("{DAEMON} does not end within {seconds} s after {signal}");
            return Err(DriverError::Failed(text));
        }
        *self = Self::start(directory)?;
        Ok(())
    }

    /// The URI by which it is reached.
    pub(super) fn uri(&self) -> String {
        let mode = if geteuid().is_root() {
            "system"
        } else {
            "session"
        };
        format!("qemu+unix:///{mode}?socket={}", escaped(&self.socket))
    }

    /// How it ended: `signal 11 (SIGSEGV) in libvirtd`; `None` while it runs. One whose connection
    /// is gone is on its way out and is waited for.
    pub(super) fn end(&mut self) -> Option<String> {
        let end = end_within(&mut self.child, END_LIMIT)?;
        Some(format!("{end} in {DAEMON}"))
    }
}

fn end_within(child: &mut Child, limit: Duration) -> Option<String> {
    let until = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(described(status)),
            Ok(None) if Instant::now() < until => pause(),
            Ok(None) => return None,
            Err(error) => return Some(format!("an unknown status ({error})")),
        }
    }
}

fn spawn(directory: &Path) -> io::Result<Child> {
    let program = availability::daemon();
    let program = program.ok_or_else(|| io::Error::other("it is not installed"))?;
    let configuration = directory.join("c/libvirt/libvirtd.conf");
    // Nobody but the owner of the directory reaches the sockets. What the machine's firmware says
    // of its UUID is neither asked nor shared.
    let settings = format!(
        "auth_unix_ro = \"none\"\nauth_unix_rw = \"none\"\nhost_uuid = \"{}\"\n",
        Uuid::new_v4()
    );
    fs::write(&configuration, settings)?;
    let mut command = Command::new(program);
    command
        .arg("--config")
        .arg(&configuration)
        .arg("--pid-file")
        .arg(directory.join("run/libvirtd.pid"))
        .current_dir(directory)
        .env("LIBVIRT_LOG_OUTPUTS", log::outputs())
        .stdin(Stdio::null());
    if let Some(modules) = modules(directory)? {
        command.env("LIBVIRT_DRIVER_DIR", modules);
    }
    if !geteuid().is_root() {
        for (name, (_, own)) in [
            "XDG_CONFIG_HOME",
            "XDG_RUNTIME_DIR",
            "XDG_DATA_HOME",
            "XDG_STATE_HOME",
            "XDG_CACHE_HOME",
        ]
        .into_iter()
        .zip(SYSTEM_DIRECTORIES)
        {
            // libvirt adds its own name, which the directory has already.
            let own = directory.join(own);
            command.env(name, own.parent().unwrap_or(&own));
        }
    }
    command.spawn()
}

/// A directory with the drivers that shall be loaded, where it is known in which they are.
fn modules(directory: &Path) -> io::Result<Option<PathBuf>> {
    let Some(installed) = availability::driver_directory() else {
        return Ok(None);
    };
    let own = directory.join("m");
    if own.is_dir() {
        return Ok(Some(own));
    }
    fs::create_dir(&own)?;
    for name in MODULES {
        let file = format!("libvirt_driver_{name}.so");
        if installed.join(&file).is_file() {
            symlink(installed.join(&file), own.join(&file))?;
        }
    }
    Ok(Some(own))
}

fn described(status: ExitStatus) -> String {
    let signal = status.signal();
    let name = signal.and_then(|signal| Signal::try_from(signal).ok());
    match (status.code(), signal, name) {
        (Some(code), _, _) => format!("exit status {code}"),
        (None, Some(number), Some(name)) => format!("signal {number} ({name})"),
        (None, Some(number), None) => format!("signal {number}"),
        (None, None, _) => "an unknown status".to_owned(),
    }
}

fn unavailable(why: &str, directory: &Path) -> DriverError {
    let mut text = format!("{DAEMON} does not come up: {why}");
    for line in log::last_lines(directory) {
        text += "\n  ";
        text += &line;
    }
    DriverError::Unavailable(text)
}

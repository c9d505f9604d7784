//! The tiny process above each worker: it outlives the worker and cleans up behind it.
//!
//! ```text
//! backup-tck reaper DIRECTORY PID
//! ```
//!
//! PID is the supervisor's. It makes `DIRECTORY`, which must not exist, and starts the one worker in it (`backup-tck
//! worker DIRECTORY PID`, PID being its own). QEMU detaches itself from the worker; as
//! sub-reaper this process becomes its parent, collects it the moment it ends (libvirt waits for
//! zombies: a destroy takes 0.4 s instead of 2.0 s where process 1 is slow), and in the end
//! kills whatever is left. Then it removes `DIRECTORY`, tells on its standard output how the
//! worker ended and what its log said last, and ends.
//!
//! The end comes when the worker has ended; at once on SIGTERM, SIGINT or SIGHUP; and
//! five seconds after the other end of its standard input was closed, which is how it notices that
//! the supervisor has died. (`PR_SET_PDEATHSIG` will not do for that: it fires when the
//! *thread* ends that started the process.) Both pipes are shared with the worker, which alone
//! reads requests and writes replies.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid, getppid};

use super::namespace;
use super::protocol::{Reply, Told, write_line};

/// Name of the worker's log in its directory: libvirt's log and the worker's standard error.
pub(super) const LOG: &str = "libvirt.log";

/// For how long a worker may put things in order after the supervisor has gone.
const GRACE: Duration = Duration::from_secs(5);

/// How many lines of the log are told.
const LOG_LINES: usize = 8;

/// The subcommand `reaper`; see the module's text.
pub fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let (Some(directory), Some(supervisor), None) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return ExitCode::from(2);
    };
    let supervisor = supervisor.to_str().and_then(|pid| pid.parse().ok());
    let directory = PathBuf::from(directory);
    // Made here, so that nothing is ever removed that was there before.
    let body = match fs::create_dir(&directory) {
        Ok(()) => serve_and_remove(&directory, supervisor.map(Pid::from_raw)),
        Err(error) => Told::Failed(format!("cannot make {}: {error}", directory.display())),
    };
    let mut stdout = io::stdout().lock();
    // The worker may have died in the middle of a line. Nobody listens if the supervisor died.
    let _ = stdout.write_all(b"\n");
    let _ = write_line(&mut stdout, &Reply { id: 0, body });
    ExitCode::SUCCESS
}

fn serve_and_remove(directory: &Path, supervisor: Option<Pid>) -> Told {
    let body = match serve(directory) {
        Ok(end) => {
            let log = last_lines(&directory.join(LOG));
            Told::Ended { end, log }
        }
        Err(error) => Told::Failed(format!("cannot start a worker: {error}")),
    };
    let removed = fs::remove_dir_all(directory);
    // Who has lost its parent gets another one.
    if Some(getppid()) != supervisor
        && let Some(run) = directory.parent()
    {
        // The run's directory was the supervisor's to remove; the last reaper finds it empty.
        let _ = fs::remove_dir(run);
    }
    match removed {
        Ok(()) => body,
        Err(error) => Told::Failed(format!("cannot remove {}: {error}", directory.display())),
    }
}

/// Runs the worker until the end, and says how it ended.
fn serve(directory: &Path) -> io::Result<String> {
    let mut signals = SigSet::empty();
    for signal in [
        Signal::SIGCHLD,
        Signal::SIGTERM,
        Signal::SIGINT,
        Signal::SIGHUP,
    ] {
        signals.add(signal);
    }
    signals.thread_block()?;
    let signals = SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
    prctl::set_child_subreaper(true)?;
    // Without the privilege the worker sees the host as it is.
    let _ = namespace::hide_host(directory);
    let worker = start_worker(directory)?;
    let mut end = None;
    wait(&signals, worker, &mut end)?;
    kill_all(&signals, worker, &mut end)?;
    Ok(end.unwrap_or_else(|| "an unknown status".to_owned()))
}

fn start_worker(directory: &Path) -> io::Result<Pid> {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(directory.join(LOG))?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("worker")
        .arg(directory)
        .arg(getpid().to_string())
        .current_dir(directory)
        .env("LC_ALL", "C")
        // Where libvirt, run by an ordinary user, would find and leave things of the session.
        .env("XDG_RUNTIME_DIR", directory)
        // Relative to the worker's directory: libvirt splits the value at spaces.
        .env("LIBVIRT_LOG_OUTPUTS", format!("3:file:{LOG}"))
        .env_remove("LIBVIRT_LOG_FILTERS")
        .env_remove("LIBVIRT_DEBUG")
        .stderr(log);
    // Collected by `collect`, along with the processes it leaves behind.
    let worker = command.spawn()?;
    Ok(Pid::from_raw(worker.id().cast_signed()))
}

/// Returns when the end has come, collecting every process that ends meanwhile.
fn wait(signals: &SignalFd, worker: Pid, end: &mut Option<String>) -> nix::Result<()> {
    let stdin = io::stdin();
    let mut limit: Option<Instant> = None;
    loop {
        let mut sources = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        if limit.is_none() {
            // No event is asked for: only the hang-up is told, which always is.
            sources.push(PollFd::new(stdin.as_fd(), PollFlags::empty()));
        }
        let timeout = match limit.map(|limit| limit.saturating_duration_since(Instant::now())) {
            None => PollTimeout::NONE,
            Some(Duration::ZERO) => return Ok(()),
            Some(left) => PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX),
        };
        match poll(&mut sources, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
        let hung_up = sources.get(1).and_then(PollFd::any) == Some(true);
        if hung_up {
            limit = Some(Instant::now() + GRACE);
        }
        let told_to_end = drain(signals)?;
        collect(worker, end)?;
        if told_to_end || end.is_some() {
            return Ok(());
        }
    }
}

/// Kills every child, and the children that are inherited from them, until none is left.
fn kill_all(signals: &SignalFd, worker: Pid, end: &mut Option<String>) -> nix::Result<()> {
    while collect(worker, end)? {
        for child in children() {
            // It may have ended by itself.
            let _ = kill(child, Signal::SIGKILL);
        }
        // The end of a child wakes it; the limit covers one that was born after the look.
        let mut sources = [PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        match poll(&mut sources, PollTimeout::from(50_u8)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
        drain(signals)?;
    }
    Ok(())
}

/// Takes the signals that have come; true when one of them asks for the end.
fn drain(signals: &SignalFd) -> nix::Result<bool> {
    let mut told_to_end = false;
    while let Some(signal) = signals.read_signal()? {
        told_to_end |= signal.ssi_signo.cast_signed() != Signal::SIGCHLD as i32;
    }
    Ok(told_to_end)
}

/// Collects the children that have ended; true while there are others.
fn collect(worker: Pid, end: &mut Option<String>) -> nix::Result<bool> {
    loop {
        let status = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return Ok(true),
            Err(Errno::ECHILD) => return Ok(false),
            Err(Errno::EINTR) => continue,
            status => status?,
        };
        if status.pid() != Some(worker) {
            continue;
        }
        if let WaitStatus::Exited(_, code) = status {
            *end = Some(format!("exit status {code}"));
        } else if let WaitStatus::Signaled(_, signal, _) = status {
            *end = Some(format!("signal {} ({signal})", signal as i32));
        }
    }
}

/// The processes whose parent is this one.
fn children() -> Vec<Pid> {
    let own = getpid().as_raw();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_child = |pid: &i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
        stat.is_ok_and(|stat| parent(&stat) == Some(own))
    };
    pids.filter(is_child).map(Pid::from_raw).collect()
}

/// The parent in a line of `/proc/PID/stat`; the name before it may hold anything.
fn parent(stat: &str) -> Option<i32> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

fn last_lines(log: &Path) -> Vec<String> {
    let log = fs::read(log).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<_> = log.lines().map(str::to_owned).collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_hide_the_parent() {
        assert_eq!(parent("12 (a) S (b) R 34 12 12 0"), Some(34));
        assert_eq!(parent("garbage"), None);
    }
}

//! The tiny process above each worker: it outlives the worker and cleans up behind it.
//!
//! ```text
//! backup-tck reaper DIRECTORY PID CONNECTION
//! ```
//!
//! PID is the supervisor's. It makes `DIRECTORY`, which must not exist, moves into a mount
//! namespace, and starts the one worker in it (`backup-tck worker DIRECTORY PID CONNECTION MOUNTS`,
//! PID being its own). QEMU detaches itself from the worker or its daemon; as sub-reaper this process
//! becomes its parent, collects it the moment it ends (libvirt waits for zombies: a destroy takes
//! 0.4 s instead of 2.0 s where process 1 is slow), and in the end kills whatever is left. What is
//! left on a daemon that was there before, another process removes ([`super::clear`]). Then it
//! removes `DIRECTORY`, tells on its standard output how the worker ended and what its log said
//! last, and ends.
//!
//! The end comes when the worker has ended; at once on SIGTERM, SIGINT or SIGHUP; and
//! five seconds after the other end of its standard input was closed, which is how it notices that
//! the supervisor has died. (`PR_SET_PDEATHSIG` will not do for that: it fires when the
//! *thread* ends that started the process.) Both pipes are shared with the worker, which alone
//! reads requests and writes replies.

use std::ffi::OsString;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
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

use super::clear::{clear, note};
use super::connection::Connection;
use super::log::{LOG, NO_OUTPUTS, last_lines, outputs};
use super::protocol::{Reply, Told, write_line};
use super::worker::{HOST_MOUNTS, OWN_MOUNTS};
use super::{namespace, proc};
use crate::driver::RUN_MARK;

/// This program, even if its file was replaced meanwhile, as a build does: then the path leads to
/// another program, or to none (`proc_pid_exe(5)`).
const THIS_PROGRAM: &str = "/proc/self/exe";

/// For how long a worker may put things in order after the supervisor has gone.
const GRACE: Duration = Duration::from_secs(5);

/// The subcommand `reaper`; see the module's text.
pub fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let (Some(directory), Some(supervisor), Some(connection), None) = (
        arguments.next(),
        arguments.next(),
        arguments.next(),
        arguments.next(),
    ) else {
        return ExitCode::from(2);
    };
    let Ok(connection) = connection.to_string_lossy().parse();
    let supervisor = supervisor.to_str().and_then(|pid| pid.parse().ok());
    let directory = PathBuf::from(directory);
    // Made here, so that nothing is ever removed that was there before.
    let body = match fs::create_dir(&directory) {
        Ok(()) => serve_and_remove(&directory, supervisor.map(Pid::from_raw), &connection),
        Err(error) => Told::Failed(format!("cannot make {}: {error}", directory.display())),
    };
    let mut stdout = io::stdout().lock();
    // The worker may have died in the middle of a line. Nobody listens if the supervisor died.
    let _ = stdout.write_all(b"\n");
    let _ = write_line(&mut stdout, &Reply { id: 0, body });
    ExitCode::SUCCESS
}

fn serve_and_remove(directory: &Path, supervisor: Option<Pid>, connection: &Connection) -> Told {
    let body = match serve(directory, connection) {
        Ok(end) => {
            let log = last_lines(directory);
            Told::Ended { end, log }
        }
        Err(error) => Told::Unavailable(format!("cannot start a worker: {error}")),
    };
    clear(Path::new(THIS_PROGRAM), directory);
    let removed = fs::remove_dir_all(directory);
    // Who has lost its parent gets another one.
    if Some(getppid()) != supervisor
        && let Some(run) = directory.parent()
    {
        remove_empty(run);
    }
    match removed {
        Ok(()) => body,
        Err(error) => Told::Failed(format!("cannot remove {}: {error}", directory.display())),
    }
}

/// Removes a run's directory, which was the supervisor's to remove, if this was the last worker
/// in it.
fn remove_empty(run: &Path) {
    let mut entries = fs::read_dir(run).into_iter().flatten().flatten();
    if entries.all(|entry| entry.file_name() == RUN_MARK) {
        // Another reaper may be doing the same.
        let _ = fs::remove_file(run.join(RUN_MARK));
        let _ = fs::remove_dir(run);
    }
}

/// Runs the worker until the end, and says how it ended.
fn serve(directory: &Path, connection: &Connection) -> io::Result<String> {
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
    // A daemon that is not the worker's alone may still have been started by its client, as a
    // session's is. It and its domains have to outlive the worker.
    prctl::set_child_subreaper(connection.is_private())?;
    note(directory, connection)?;
    share(directory, connection)?;
    let own_mounts = namespace::enter(directory, connection)?;
    let worker = start_worker(directory, connection, own_mounts)?;
    let mut end = None;
    wait(&signals, worker, &mut end)?;
    kill_all(&signals, worker, &mut end, connection)?;
    Ok(end.unwrap_or_else(|| "an unknown status".to_owned()))
}

/// Lets a daemon's QEMU, which may run as another user, through to the scenarios' directories.
fn share(directory: &Path, connection: &Connection) -> io::Result<()> {
    if connection.is_private() {
        return Ok(());
    }
    fs::set_permissions(directory, Permissions::from_mode(0o711))
}

fn start_worker(directory: &Path, connection: &Connection, own_mounts: bool) -> io::Result<Pid> {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(directory.join(LOG))?;
    let outputs = match connection {
        Connection::Libvirtd => NO_OUTPUTS.to_owned(),
        Connection::Embed | Connection::Uri(_) => outputs(),
    };
    let mut command = Command::new(THIS_PROGRAM);
    command
        .arg0("backup-tck")
        .arg("worker")
        .arg(directory)
        .arg(getpid().to_string())
        .arg(connection.to_string())
        .arg(if own_mounts { OWN_MOUNTS } else { HOST_MOUNTS })
        .current_dir(directory)
        .env("LC_ALL", "C")
        .env("LIBVIRT_LOG_OUTPUTS", outputs)
        .env_remove("LIBVIRT_LOG_FILTERS")
        .env_remove("LIBVIRT_DEBUG")
        .stderr(log);
    if connection.is_private() {
        // libvirt would have systemd's daemons register its domains, and hold up a shutdown.
        command.env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent");
        // Where libvirt, run by an ordinary user, would find and leave things of the session.
        command.env("XDG_RUNTIME_DIR", directory);
    }
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

/// Kills every child, and the children that are inherited from them, until none is left. Where
/// none is inherited, kills those that have stayed in this process's group, as tools do.
fn kill_all(
    signals: &SignalFd,
    worker: Pid,
    end: &mut Option<String>,
    connection: &Connection,
) -> nix::Result<()> {
    loop {
        let has_children = collect(worker, end)?;
        let left = if connection.is_private() {
            proc::children(getpid())
        } else {
            proc::others_in_group(getpid())
        };
        if !has_children && left.is_empty() {
            return Ok(());
        }
        for process in left {
            // It may have ended by itself.
            let _ = kill(process, Signal::SIGKILL);
        }
        // The end of a child wakes it; the limit covers one that was born after the look.
        let mut sources = [PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        match poll(&mut sources, PollTimeout::from(50_u8)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
        drain(signals)?;
    }
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

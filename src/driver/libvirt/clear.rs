//! Removes the domains that a worker has left on a daemon which outlives it.
//!
//! ```text
//! backup-tck clear URI DIRECTORY
//! ```
//!
//! With a private daemon, or none, the processes of a worker's domains end with the worker. A
//! daemon of somebody else's keeps them; so, behind a worker that used one, its reaper starts this
//! process, or whoever sweeps behind a reaper that was killed. It is a process of its own because
//! the daemon may hang or libvirt crash, and it ends by itself in time.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::{fs, io};

use nix::sys::signal::SigSet;
use nix::unistd::alarm;

use super::calls::Session;
use super::connection::{Connection, domain_prefix};

/// Seconds that it may take.
const LIMIT: u32 = 8;

/// Name of the file, in a worker's directory, that holds its daemon's URI.
const URI: &str = "uri";

/// The subcommand `clear`; see the module's text.
pub fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let (Some(uri), Some(directory), None) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return ExitCode::from(2);
    };
    // The reaper, which starts this process, blocks signals.
    if SigSet::empty().thread_set_mask().is_err() {
        return ExitCode::FAILURE;
    }
    // SIGALRM ends a process that has not asked for another reaction.
    alarm::set(LIMIT);
    let removed = Session::open(&uri.to_string_lossy())
        .and_then(|session| session.remove_domains(&domain_prefix(Path::new(&directory))));
    match removed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Notes in a worker's directory whose daemon it uses, for whoever has to clean up.
pub(super) fn note(directory: &Path, connection: &Connection) -> io::Result<()> {
    match connection {
        Connection::Uri(uri) => fs::write(directory.join(URI), uri),
        Connection::Embed | Connection::Libvirtd => Ok(()),
    }
}

/// Removes what a worker has left on the daemon that its directory names, if it names one.
/// Returns when that is done or cannot be done.
pub(super) fn clear(program: &Path, directory: &Path) {
    let Ok(uri) = fs::read_to_string(directory.join(URI)) else {
        return;
    };
    let mut command = Command::new(program);
    command.arg("clear").arg(uri).arg(directory);
    let silent = command
        // Where no daemon runs, none holds a domain.
        .env("LIBVIRT_AUTOSTART", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // What it could not remove is told before the next run.
    let _ = silent.status();
}

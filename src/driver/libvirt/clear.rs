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
use crate::driver::LocalUri;

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
    // A file names it, and a URI can name a command.
    let uri = match LocalUri::parse(&uri.to_string_lossy()) {
        Ok(uri) => uri,
        Err(problem) => {
            eprintln!("cannot use {}: {problem}", uri.display());
            return ExitCode::from(2);
        }
    };
    // The reaper, which starts this process, blocks signals.
    if SigSet::empty().thread_set_mask().is_err() {
        return ExitCode::FAILURE;
    }
    // SIGALRM ends a process that has not asked for another reaction.
    alarm::set(LIMIT);
    let prefix = domain_prefix(Path::new(&directory));
    let removed = Session::open(uri.as_str(), Some(prefix.clone()))
        .and_then(|session| session.remove_domains(&prefix));
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

/// Removes what a worker has left on the daemon that its directory names, if it names one and a
/// driver could use it. Returns when that is done or cannot be done.
pub(super) fn clear(program: &Path, directory: &Path) {
    let uri = fs::read_to_string(directory.join(URI)).unwrap_or_default();
    let Ok(uri) = LocalUri::parse(&uri) else {
        return;
    };
    let mut command = Command::new(program);
    command.arg("clear").arg(uri.as_str()).arg(directory);
    let silent = command
        // Where no daemon runs, none holds a domain.
        .env("LIBVIRT_AUTOSTART", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // What it could not remove is told before the next run.
    let _ = silent.status();
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_a_drivers_uri_is_opened() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("program");
        fs::write(&program, "#!/bin/sh\necho \"$2\" >>\"$3/opened\"\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        for uri in [
            "qemu+ext:///system?command=/planted",
            "qemu+ssh:///system?command=/planted",
            "test:///default",
            "",
            "qemu:///system",
        ] {
            fs::write(directory.path().join(URI), uri).unwrap();
            clear(&program, directory.path());
        }
        let opened = fs::read_to_string(directory.path().join("opened")).unwrap();
        assert_eq!(opened, "qemu:///system\n");
    }

    #[test]
    fn nobody_can_have_another_uri_opened() {
        let text = |text: &str| OsString::from(text);
        let arguments = ["qemu+ext:///system?command=/planted", "/nowhere"].map(text);
        assert_eq!(main(arguments.into_iter()), ExitCode::from(2));
    }
}

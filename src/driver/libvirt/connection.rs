//! The ways to libvirt's QEMU driver, and what each has of its own: names, sockets, domains.

use std::convert::Infallible;
use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;

use nix::unistd::geteuid;
use uuid::Uuid;

/// How a worker reaches libvirt's QEMU driver.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Connection {
    /// In the worker itself, in a root of its own (`qemu:///embed?root=DIR`).
    Embed,
    /// In a daemon of the worker's own.
    Libvirtd,
    /// In a daemon that was there before, by its URI, which must be a local one.
    Uri(String),
}

impl Connection {
    /// True when the daemon, and all that it keeps, is there for the worker alone.
    pub(super) const fn is_private(&self) -> bool {
        matches!(self, Self::Embed | Self::Libvirtd)
    }

    /// The most bytes that the address of a socket has behind the worker's directory: QEMU's
    /// monitor, `domain-ID-NAME/monitor.sock`, the name cut after 20 characters, where libvirt
    /// keeps it below that directory; else about what a scenario needs for a socket of its own.
    pub(super) fn socket_suffix(&self) -> usize {
        match self {
            Self::Embed => "/r/lib/qemu/".len() + MONITOR,
            Self::Libvirtd if !geteuid().is_root() => "/c/libvirt/qemu/lib/".len() + MONITOR,
            Self::Libvirtd | Self::Uri(_) => MONITOR,
        }
    }
}

/// Bytes of `domain-ID-NAME/monitor.sock`, with the longest ID.
const MONITOR: usize = 46;

/// The argument of `--driver`, and of the processes that a driver starts.
impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embed => "embed",
            Self::Libvirtd => "libvirtd",
            Self::Uri(uri) => uri,
        })
    }
}

impl FromStr for Connection {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "embed" => Self::Embed,
            "libvirtd" => Self::Libvirtd,
            uri => Self::Uri(uri.to_owned()),
        })
    }
}

/// The longest address of a unix socket, without the NUL at its end (unix(7)).
pub(super) const SOCKET_LIMIT: usize = 107;

/// Hexadecimal digits in the name of a worker's directory.
pub(super) const DIGITS: usize = 6;

/// A name for a new worker's directory, which is used once.
pub(super) fn worker_directory() -> String {
    let name = Uuid::new_v4().simple().to_string();
    format!("w{}", &name[..DIGITS])
}

/// Whether this is a directory, and has the name of a worker's.
pub(super) fn is_worker_directory(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let has_name = name.strip_prefix('w').is_some_and(|digits| {
        digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    });
    has_name && fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

/// What every domain's name begins with. On a daemon that was there before no other domain is ever
/// touched, and of those only the worker's own ([`domain_prefix`]).
pub(super) const DOMAIN_PREFIX: &str = "backup-tck-";

/// What the names of one worker's domains begin with. Its directory's name is used once.
pub(super) fn domain_prefix(directory: &Path) -> String {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    format!("{DOMAIN_PREFIX}{}-", name.trim_start_matches('w'))
}

/// A path as the value of a URI's parameter.
pub(super) fn escaped(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let escaped = bytes.map(|byte| {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(byte) {
            char::from(*byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    escaped.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_fits_into_a_uri() {
        assert_eq!(escaped(Path::new("/a b/c&d")), "/a%20b/c%26d");
    }

    #[test]
    fn a_connection_survives_a_command_line() {
        for connection in [
            Connection::Embed,
            Connection::Libvirtd,
            Connection::Uri("qemu:///system".to_owned()),
        ] {
            assert_eq!(connection.to_string().parse(), Ok(connection));
        }
    }

    #[test]
    fn a_workers_directory_is_known_by_its_name() {
        let run = tempfile::tempdir().unwrap();
        let name = worker_directory();
        let path = |name: &str| run.path().join(name);
        assert!(!is_worker_directory(&path(&name)));
        for other in [&name, "w0af31", "w0af31cd", "x0af31c", "w0af31z"] {
            fs::create_dir(path(other)).unwrap();
            assert_eq!(is_worker_directory(&path(other)), other == name, "{other}");
        }
        std::os::unix::fs::symlink(path(&name), path("w0af31c")).unwrap();
        assert!(!is_worker_directory(&path("w0af31c")));
    }

    #[test]
    fn domains_are_known_by_the_directory() {
        let prefix = domain_prefix(Path::new("/tmp/backup-tck-x/w0af31c"));
        assert_eq!(prefix, "backup-tck-0af31c-");
    }
}

//! The ways to libvirt's QEMU driver, and what each has of its own: names, sockets, domains.

use std::convert::Infallible;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use nix::unistd::geteuid;

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

/// What every domain's name begins with; no other domain is ever touched.
pub(super) const PREFIX: &str = "backup-tck-";

/// What the names of one worker's domains begin with. Its directory's name is used once.
pub(super) fn domain_prefix(directory: &Path) -> String {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    format!("{PREFIX}{}-", name.trim_start_matches('w'))
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
    fn domains_are_known_by_the_directory() {
        let prefix = domain_prefix(Path::new("/tmp/backup-tck-x/w0af31c"));
        assert_eq!(prefix, "backup-tck-0af31c-");
    }
}

//! Where a daemon that was there before keeps the metadata of checkpoints.
//!
//! No function of libvirt tells. The daemon's process does: it is at the other end of the socket that
//! the URI leads to, and what it sees below `/var/lib` is below its root directory in `/proc`.

use std::env;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};

/// The names of the sockets of the daemons that hold the QEMU driver (`docs/daemons.rst`).
const SOCKETS: [&str; 2] = ["libvirt-sock", "virtqemud-sock"];

/// The directory of the checkpoints of a daemon's domains, by the daemon's URI; `None` where it is
/// not known, or not this user's to look at.
pub(super) fn checkpoints_of(uri: &str) -> Option<PathBuf> {
    let is_system = uri.split('?').next()?.ends_with("/system");
    let folder = if is_system {
        PathBuf::from("/run/libvirt")
    } else {
        PathBuf::from(env::var_os("XDG_RUNTIME_DIR")?).join("libvirt")
    };
    let named = socket_in(uri).map(PathBuf::from);
    let usual = SOCKETS.iter().map(|name| folder.join(name));
    let root = named
        .into_iter()
        .chain(usual)
        .find_map(|socket| root_of_peer(&socket))?;
    // `src/qemu/qemu_conf.c:virQEMUDriverConfigNew`.
    let own = if is_system {
        PathBuf::from("var/lib/libvirt/qemu/checkpoint")
    } else {
        let config = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
        let config = config.or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".config")))?;
        let config = config.strip_prefix("/").ok()?.to_owned();
        config.join("libvirt/qemu/lib/checkpoint")
    };
    // libvirt makes the directory itself, with the first checkpoint; the one above is always there.
    let place = root.join(own);
    place.parent()?.is_dir().then_some(place)
}

/// The parameter `socket` of a URI (`docs/uri.rst`).
fn socket_in(uri: &str) -> Option<&str> {
    let (_, query) = uri.split_once('?')?;
    let mut parameters = query.split(['&', ';', '#']);
    parameters.find_map(|parameter| parameter.strip_prefix("socket="))
}

/// The root directory of the process that listens on a socket.
fn root_of_peer(socket: &Path) -> Option<PathBuf> {
    let stream = UnixStream::connect(socket).ok()?;
    let peer = getsockopt(&stream, PeerCredentials).ok()?;
    Some(PathBuf::from(format!("/proc/{}/root", peer.pid())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_socket_leads_to_the_root_of_its_process() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("libvirt-sock");
        assert_eq!(root_of_peer(&socket), None, "nobody listens");
        let _listener = UnixListener::bind(&socket).unwrap();
        let root = root_of_peer(&socket).unwrap();
        assert_eq!(
            root,
            PathBuf::from(format!("/proc/{}/root", std::process::id()))
        );
    }

    #[test]
    fn the_uri_may_name_the_socket() {
        assert_eq!(socket_in("qemu:///system"), None);
        let uri = "qemu+unix:///system?mode=legacy&socket=/s/libvirt-sock";
        assert_eq!(socket_in(uri), Some("/s/libvirt-sock"));
    }
}

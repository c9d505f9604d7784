//! What libvirt's QEMU driver is told in a root or a daemon of our own.

use std::path::{Path, PathBuf};
use std::{fs, io};

use nix::unistd::geteuid;

use super::connection::{Connection, escaped};

/// The files of a private libvirt in a worker's directory.
///
/// A daemon has them where the environment of an ordinary user's one can name them, each with
/// `libvirt` behind it; for root they are bound over the system's. The names are short, since
/// 108 bytes must hold the address of a socket below them.
pub(super) struct Root<'a> {
    directory: &'a Path,
    is_daemon: bool,
}

impl<'a> Root<'a> {
    /// The root of a connection that is private.
    pub(super) const fn of(directory: &'a Path, connection: &Connection) -> Self {
        let is_daemon = !matches!(connection, Connection::Embed);
        Self {
            directory,
            is_daemon,
        }
    }

    /// Makes the directories, and `qemu.conf`: no daemon beside it, no confinement, nothing
    /// remembered in the files.
    pub(super) fn make(&self) -> io::Result<()> {
        if self.is_daemon {
            for (_, own) in SYSTEM_DIRECTORIES {
                fs::create_dir_all(self.directory.join(own))?;
            }
        }
        let configuration = self.configuration();
        fs::create_dir_all(&configuration)?;
        let mut settings = "stdio_handler = \"file\"\n\
                            security_driver = \"none\"\n\
                            namespaces = [ ]\n\
                            cgroup_controllers = [ ]\n\
                            dynamic_ownership = 0\n\
                            remember_owner = 0\n"
            .to_owned();
        if geteuid().is_root() {
            settings += "user = \"root\"\ngroup = \"root\"\n";
        }
        fs::write(configuration.join("qemu.conf"), settings)
    }

    /// Where `qemu.conf` is.
    pub(super) fn configuration(&self) -> PathBuf {
        let name = if self.is_daemon { "c/libvirt" } else { "r/etc" };
        self.directory.join(name)
    }

    /// Where QEMU's capabilities are kept (`src/qemu/qemu_conf.c:virQEMUDriverConfigNew`).
    pub(super) fn capabilities(&self) -> PathBuf {
        let cache = match (self.is_daemon, geteuid().is_root()) {
            (false, _) => "r/cache/qemu",
            (true, true) => "cache/libvirt/qemu",
            (true, false) => "cache/libvirt/qemu/cache",
        };
        self.directory.join(cache).join("capabilities")
    }

    /// Where the metadata of checkpoints is stored, in a directory for each domain
    /// (`src/qemu/qemu_conf.c:virQEMUDriverConfigNew`).
    pub(super) fn checkpoints(&self) -> PathBuf {
        let name = match (self.is_daemon, geteuid().is_root()) {
            (false, _) => "r/lib/qemu/checkpoint",
            (true, true) => "lib/libvirt/qemu/checkpoint",
            (true, false) => "c/libvirt/qemu/checkpoint",
        };
        self.directory.join(name)
    }

    /// Where the metadata of snapshots is stored, likewise.
    fn snapshots(&self) -> PathBuf {
        self.checkpoints().with_file_name("snapshot")
    }

    /// Removes what libvirt leaves of a domain that was renamed and removed: it has stored the
    /// checkpoints where the snapshots of the new name have theirs
    /// (`src/qemu/qemu_driver.c:qemuDomainRenameCallback`, seen on 7.0 to 12.8).
    pub(super) fn remove_left_of(&self, domain: &str) -> io::Result<()> {
        for entry in fs::read_dir(self.snapshots()).into_iter().flatten() {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(domain) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    /// The directories in which libvirt keeps what belongs to a domain. Its log of each domain,
    /// which it never removes, is not among them.
    pub(super) fn state(&self) -> Vec<PathBuf> {
        let names: &[&str] = if self.is_daemon {
            &["c", "run", "lib"]
        } else {
            &["r/etc", "r/run", "r/lib"]
        };
        let paths = names.iter().map(|name| self.directory.join(name));
        paths.collect()
    }
}

/// The system's directories that libvirt has to itself, and what stands for each in a worker's.
pub(super) const SYSTEM_DIRECTORIES: [(&str, &str); 5] = [
    ("/etc/libvirt", "c/libvirt"),
    ("/run/libvirt", "run/libvirt"),
    ("/var/lib/libvirt", "lib/libvirt"),
    ("/var/log/libvirt", "log/libvirt"),
    ("/var/cache/libvirt", "cache/libvirt"),
];

/// The URI of the QEMU driver in a root, without a daemon.
pub(super) fn embed_uri(directory: &Path) -> String {
    format!("qemu:///embed?root={}", escaped(&directory.join("r")))
}

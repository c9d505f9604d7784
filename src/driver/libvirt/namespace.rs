//! A mount namespace in which the machine's own libvirt, KVM and cgroups are not to be seen.
//!
//! The QEMU driver asks the host's secret daemon where its socket exists, and with KVM in sight
//! its capability cache records the processor's CPUID, which differs from core to core, so that
//! the cache is dropped at random. As root it gives each QEMU a cgroup, where it sees one mounted:
//! first it asks systemd, whatever `cgroup_controllers` says (`src/util/vircgroup.c`,
//! `virCgroupNewMachine`), and what it makes by itself outlives the domain. All three are hidden.
//! A daemon that runs as root takes its directories from no setting, so those of the worker are
//! bound over the system's.
//!
//! Nothing is made on the host for it: a mount point that is missing gets a parent that holds
//! the same and the mount point too, in this namespace alone.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::Path;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

use super::connection::Connection;
use super::root::SYSTEM_DIRECTORIES;

/// Where a system libvirt has its sockets.
const HOST_LIBVIRT: &str = "/run/libvirt";

/// What makes KVM usable.
const KVM: &str = "/dev/kvm";

/// Whether `AppArmor` restricts user namespaces of ordinary users.
const RESTRICTION: &str = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";

const NONE: Option<&str> = None;

/// Moves this process, which must have no second thread, into such a namespace; `directory` is
/// the worker's.
///
/// Where the kernel allows it to nobody but a privileged process, and this is none, all stays in
/// sight. That is an error only where a daemon could then not be private: where it runs as root.
/// True where the mounts are this process's own.
pub(super) fn enter(directory: &Path, connection: &Connection) -> io::Result<bool> {
    let binds = match connection {
        // That daemon is looked for where it is.
        Connection::Uri(_) => return Ok(false),
        Connection::Libvirtd if geteuid().is_root() => true,
        Connection::Embed | Connection::Libvirtd => false,
    };
    let entered = unshare_mounts()?;
    let is_own = entered.is_ok();
    let hidden = entered
        .map_err(io::Error::from)
        .and_then(|()| hide(directory, !binds));
    if !binds {
        return Ok(is_own);
    }
    hidden.map_err(|error| {
        io::Error::other(format!(
            "libvirtd, as root, needs a mount namespace to be private: {error}"
        ))
    })?;
    for (system, own) in SYSTEM_DIRECTORIES {
        let own = directory.join(own);
        fs::create_dir_all(&own)?;
        bind_over(&own, Path::new(system)).map_err(|error| {
            io::Error::other(format!("cannot bind a directory over {system}: {error}"))
        })?;
    }
    Ok(true)
}

/// A mount namespace, by way of a user namespace where it takes one. The user stays the same. The
/// inner result tells whether there is one; the outer error is of a process that is of no use.
fn unshare_mounts() -> io::Result<nix::Result<()>> {
    match unshare(CloneFlags::CLONE_NEWNS) {
        Err(Errno::EPERM) => {
            let (user, group) = (geteuid(), getegid());
            // Ubuntu gives a user namespace to anybody, and no rights in it.
            let restricted = fs::read_to_string(RESTRICTION).unwrap_or_default();
            if restricted.trim() == "1" {
                return Ok(Err(Errno::EPERM));
            }
            if let Err(error) = unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS) {
                return Ok(Err(error));
            }
            // Without it the kernel lets nobody but root map a group (user_namespaces(7)).
            fs::write("/proc/self/setgroups", "deny")?;
            fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
            fs::write("/proc/self/gid_map", format!("{group} {group} 1"))?;
        }
        Err(error) => return Ok(Err(error)),
        Ok(()) => {}
    }
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    Ok(mount(NONE, "/", NONE, private, NONE))
}

fn hide(directory: &Path, host_libvirt: bool) -> io::Result<()> {
    let host = Path::new(HOST_LIBVIRT);
    // libvirt makes it, where root's is missing, for devices that it passes through.
    if host_libvirt && (host.exists() || geteuid().is_root()) {
        provide(host)?;
        mount_tmpfs(host)?;
    }
    if geteuid().is_root() {
        hide_cgroups();
    }
    if Path::new(KVM).exists() {
        // A regular file, read-only: libvirt asks whether it may write there, and root may write
        // anywhere but on a read-only file system.
        let empty = directory.join("empty");
        let mut options = OpenOptions::new();
        options.write(true).create(true).mode(0o444).open(&empty)?;
        mount(Some(&empty), KVM, NONE, MsFlags::MS_BIND, NONE)?;
        if geteuid().is_root() {
            let read_only = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
            mount(NONE, KVM, NONE, read_only, NONE)?;
        }
    }
    Ok(())
}

/// Unmounts the cgroup file systems. Where one stays, libvirt uses it.
fn hide_cgroups() {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    for line in mounts.lines() {
        let mut fields = line.split(' ').skip(1);
        if let (Some(point), Some("cgroup" | "cgroup2")) = (fields.next(), fields.next()) {
            let _ = umount2(point, MntFlags::MNT_DETACH);
        }
    }
}

/// Binds a directory over another.
fn bind_over(own: &Path, point: &Path) -> io::Result<()> {
    provide(point)?;
    mount(Some(own), point, NONE, MsFlags::MS_BIND, NONE)?;
    Ok(())
}

/// Makes a mount point that is missing, in this namespace alone.
fn provide(point: &Path) -> io::Result<()> {
    let (Some(parent), Some(name)) = (point.parent(), point.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    if point.is_dir() {
        return Ok(());
    }
    replace_by_copy(parent)?;
    fs::create_dir(parent.join(name))
}

/// Puts a file system in memory over a directory, and in it everything that the directory holds.
fn replace_by_copy(directory: &Path) -> io::Result<()> {
    // By this handle what is covered can still be named.
    let covered = File::open(directory)?;
    // Where a file system does not tell the type along with the name, the path is asked for it.
    let entries = fs::read_dir(directory)?.map(|entry| {
        let entry = entry?;
        Ok((entry.file_name(), entry.file_type()?))
    });
    let entries: Vec<_> = entries.collect::<io::Result<_>>()?;
    mount_tmpfs(directory)?;
    for (name, kind) in entries {
        let to = directory.join(&name);
        let from = Path::new("/proc/self/fd")
            .join(covered.as_raw_fd().to_string())
            .join(&name);
        if kind.is_symlink() {
            symlink(fs::read_link(&from)?, &to)?;
            continue;
        }
        if kind.is_dir() {
            fs::create_dir(&to)?;
        } else {
            File::create(&to)?;
        }
        mount(
            Some(&from),
            &to,
            NONE,
            MsFlags::MS_BIND | MsFlags::MS_REC,
            NONE,
        )?;
    }
    Ok(())
}

fn mount_tmpfs(point: &Path) -> nix::Result<()> {
    let mode = Some("mode=755");
    mount(NONE, point, Some("tmpfs"), MsFlags::empty(), mode)
}

//! Hides what the machine would bring into the answers: KVM and the host's own libvirt.
//!
//! The QEMU driver asks the host's secret daemon where its socket exists, and with KVM in sight
//! its capability cache records the processor's CPUID, which differs from core to core, so that
//! the cache is dropped at random. Both are hidden in a mount namespace of our own.

use std::fs::File;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// Where a system libvirt has its sockets.
const HOST_LIBVIRT: &str = "/run/libvirt";

/// What makes KVM usable.
const KVM: &str = "/dev/kvm";

const NONE: Option<&str> = None;

/// Moves this process into a mount namespace without KVM and without the host's libvirt, where
/// it may; `directory` is a place for an empty file. Without the privilege nothing is hidden.
pub(super) fn hide_host(directory: &Path) -> nix::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    if Path::new(HOST_LIBVIRT).exists() {
        mount(
            NONE,
            HOST_LIBVIRT,
            Some("tmpfs"),
            MsFlags::empty(),
            Some("mode=755"),
        )?;
    }
    if Path::new(KVM).exists() {
        // A regular file, read-only: libvirt asks whether it may write there, and root may write
        // anywhere but on a read-only file system.
        let empty = directory.join("empty");
        File::create(&empty).map_err(|_| nix::errno::Errno::EIO)?;
        mount(Some(&empty), KVM, NONE, MsFlags::MS_BIND, NONE)?;
        let read_only = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(NONE, KVM, NONE, read_only, NONE)?;
    }
    Ok(())
}

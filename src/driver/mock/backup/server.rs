//! The NBD server of a pull backup: where it listens, and what it exports.

use crate::driver::mock::answer::{Ruled, not_modelled, refuse, refuse_monitor};
use crate::driver::mock::intake::{ServerElement, ServerPlace};
use crate::driver::mock::version::{Descriptors, Rules};
use crate::model::{ErrorCode, ErrorDomain, NbdServer};
use crate::world::{JobDisk, PullServer, World};

/// The longest text of the NBD protocol (QEMU `include/block/nbd.h:NBD_MAX_STRING_SIZE`).
const LONGEST_EXPORT: usize = 4096;

/// The first port that libvirt chooses, which is that of NBD (measured on 12.8.0).
const FIRST_CHOSEN_PORT: u16 = 10_809;

/// `qemu_backup.c:qemuBackupPrepare`. No client of the mock passes descriptors.
pub(super) fn listening(server: ServerElement, rules: Rules, world: &World) -> Ruled<PullServer> {
    let ServerElement { place, name, .. } = server;
    match place {
        ServerPlace::At(place) => Ok(PullServer { place, name }),
        ServerPlace::NoPort if rules.chooses_port => match world.free_port(FIRST_CHOSEN_PORT) {
            Some(port) => Ok(PullServer {
                place: NbdServer::Port(port),
                name,
            }),
            None => not_modelled("a host without a free port"),
        },
        ServerPlace::NoPort => {
            let text = "<domainbackup> must specify TCP port for now";
            refuse(ErrorCode::OPERATION_UNSUPPORTED, ErrorDomain::QEMU, text)
        }
        ServerPlace::Descriptors(group) if rules.descriptors == Descriptors::Served => {
            let text =
                format!("file descriptor group '{group}' was not associated with the domain");
            refuse(ErrorCode::INVALID_ARG, ErrorDomain::QEMU, &text)
        }
        ServerPlace::Descriptors(_) => {
            let text = "unexpected transport in <domainbackup>";
            refuse(ErrorCode::INTERNAL_ERROR, ErrorDomain::QEMU, text)
        }
    }
}

/// The simulated host has no certificates (QEMU `crypto/tlscredsx509.c`).
pub(super) fn no_certificates<T>() -> Ruled<T> {
    let text = "Unable to access credentials /etc/pki/qemu/ca-cert.pem: No such file or directory";
    refuse_monitor("object-add", text)
}

/// What QEMU says to the first export that it does not take
/// (QEMU `nbd/server.c:nbd_export_create`).
pub(super) fn bad_export(disks: &[JobDisk]) -> Option<String> {
    let mut seen = Vec::new();
    for name in disks.iter().map(JobDisk::export_name) {
        if name.len() > LONGEST_EXPORT {
            return Some(format!("export name '{name}' too long"));
        }
        if seen.contains(&name) {
            return Some(format!("NBD server already has export named '{name}'"));
        }
        seen.push(name);
    }
    None
}

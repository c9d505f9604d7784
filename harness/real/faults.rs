//! Faults on the mock and on real libvirt: what other hands do to images, QEMU and the host, and
//! what is left of data, bitmaps and files.

use backup_tck::driver::libvirt::Connection;
use backup_tck::model::{
    Action, Api, BitmapChange, DiskFormat, ImageRef, NbdServer, Place, Size, flags,
};

use crate::agreement::{CP1, CP2, CP9, FROM_CP1, agree};
use crate::jobs::Turn::{self, Await, Bitmaps, Do, Files, OnDisk};
use crate::jobs::{COPY, PULL, SIZES, about, begin, plain, told_of};

pub(crate) fn mock_and_real_libvirt_bear_faults_alike(connection: &Connection) {
    agree(connection, |driver| told_of(driver, FAULTS));
}

const ON_PORT: &str = "<domainbackup mode='pull'><server transport='tcp' name='127.0.0.1' port='[PORT]'/>\
    <disks><disk name='vda' type='file'><scratch file='[DIR]/scratch'/></disk></disks></domainbackup>";
const ON_DIRECTORY: &str = "<domainbackup mode='pull'><server transport='unix' socket='[DIR]/dir'/>\
    <disks><disk name='vda' type='file'><scratch file='[DIR]/scratch'/></disk></disks></domainbackup>";
const ON_FILE: &str = "<domainbackup mode='pull'><server transport='unix' socket='[DIR]/file'/>\
    <disks><disk name='vda' type='file'><scratch file='[DIR]/dir/scratch'/></disk></disks></domainbackup>";
const PULL_CP1: &str = "<domainbackup mode='pull'><incremental>cp1</incremental>\
    <server transport='unix' socket='[DIR]/nbd'/><disks><disk name='vda' type='file'>\
    <scratch file='[DIR]/scratch'/></disk></disks></domainbackup>";

const MIB: u64 = 1 << 20;

fn path(place: &Place, name: &str) -> String {
    format!("{}/{name}", place.directory)
}

fn image(place: &Place, name: &str) -> ImageRef {
    ImageRef {
        path: path(place, name),
        format: DiskFormat::Qcow2,
    }
}

fn write(place: &Place, offset: u64, length: u64, pattern: u8) -> Action {
    Action::GuestWrite {
        domain: place.domain.clone(),
        disk: "vda".to_owned(),
        offset: Size(offset),
        length: Size(length),
        pattern,
    }
}

fn bitmap(place: &Place, name: &str, change: BitmapChange) -> Action {
    Action::ChangeBitmap {
        image: image(place, "vda"),
        bitmap: name.to_owned(),
        change,
    }
}

fn add(granularity: Option<u64>) -> BitmapChange {
    BitmapChange::Add {
        granularity: granularity.map(Size),
    }
}

fn stored(place: &Place) -> Action {
    let disks = vec![("vda".to_owned(), image(place, "vda"))];
    Action::StoredBitmaps { disks }
}

fn read(place: &Place, names: &[&str]) -> Action {
    let layers = names.iter().map(|name| image(place, name)).collect();
    Action::ReadChain { layers }
}

fn export(place: &Place, bitmap: Option<&str>, name: &str) -> Action {
    Action::ReadExport {
        server: NbdServer::Socket(path(place, "nbd")),
        export: "vda".to_owned(),
        bitmap: bitmap.map(str::to_owned),
        image: image(place, name),
    }
}

fn probe(place: &Place, name: &str) -> Action {
    let server = NbdServer::Socket(path(place, name));
    Action::ProbeServer { server, tls: false }
}

fn probe_port(place: &Place) -> Action {
    let server = NbdServer::Port(place.ports[0]);
    Action::ProbeServer { server, tls: false }
}

fn kill(place: &Place) -> Action {
    let domain = place.domain.clone();
    Action::KillEmulator { domain }
}

fn start_server(place: &Place) -> Action {
    Action::StartNbdServer {
        domain: place.domain.clone(),
        server: NbdServer::Socket(path(place, "own")),
    }
}

fn stop_server(place: &Place) -> Action {
    let domain = place.domain.clone();
    Action::StopNbdServer { domain }
}

fn await_copy(place: &Place) -> Action {
    Action::AwaitBlockJob {
        domain: place.domain.clone(),
        disk: "vda".to_owned(),
    }
}

/// What other hands do, and what is left of data, bitmaps and files.
const FAULTS: &[Turn] = &[
    // Bitmaps of a closed image.
    Do(|place| bitmap(place, "b", add(None))),
    Do(|place| bitmap(place, "b", add(None))),
    Do(|place| bitmap(place, "c", add(Some(4096)))),
    Do(|place| bitmap(place, "d", add(Some(256)))),
    Do(|place| bitmap(place, "d", add(Some(1000)))),
    Do(|place| bitmap(place, "b", BitmapChange::Disable)),
    Do(|place| bitmap(place, "d", BitmapChange::Remove)),
    Do(stored),
    plain(Api::DomainCreate, flags::START_PAUSED, None),
    Do(|place| bitmap(place, "b", BitmapChange::Enable)),
    Do(|place| write(place, 4096, 1, 1)),
    Bitmaps,
    plain(Api::CheckpointCreate, 0, Some(CP1)),
    plain(Api::DomainDestroy, 0, None),
    Do(stored),
    Do(|place| bitmap(place, "c", BitmapChange::Clear)),
    Do(|place| bitmap(place, "b", BitmapChange::Enable)),
    plain(Api::DomainCreate, flags::START_PAUSED, None),
    Bitmaps,
    // A kill.
    plain(Api::CheckpointCreate, 0, Some(CP2)),
    Do(|place| write(place, MIB, MIB, 2)),
    about(Api::CheckpointGetXmlDesc, "cp1", SIZES),
    about(Api::CheckpointDelete, "cp9", 0),
    Do(kill),
    Do(kill),
    Do(stored),
    Do(|place| bitmap(place, "b", BitmapChange::Enable)),
    Do(|place| bitmap(place, "b", BitmapChange::Disable)),
    Do(|place| bitmap(place, "b", BitmapChange::Clear)),
    Do(|place| bitmap(place, "b", BitmapChange::Remove)),
    Do(stored),
    plain(Api::DomainListAllCheckpoints, 0, None),
    plain(Api::DomainCreate, flags::START_PAUSED, None),
    Bitmaps,
    begin(PULL_CP1, None),
    begin(FROM_CP1, None),
    about(Api::CheckpointGetXmlDesc, "cp1", SIZES),
    about(Api::CheckpointGetXmlDesc, "cp2", SIZES),
    plain(Api::DomainDestroy, 0, None),
    Do(stored),
    plain(Api::DomainCreate, flags::START_PAUSED, None),
    Bitmaps,
    about(Api::CheckpointDelete, "cp1", 0),
    about(Api::CheckpointDelete, "cp2", 0),
    about(Api::CheckpointDelete, "cp2", 2),
    Do(kill),
    Do(stored),
    plain(Api::DomainCreate, flags::START_PAUSED, None),
    // Data over NBD, and a kill meanwhile.
    begin(PULL, Some(CP1)),
    Do(|place| write(place, MIB, 2 * MIB, 3)),
    Do(|place| export(place, Some("backup-vda"), "no-bitmap")),
    Do(|place| export(place, None, "full")),
    plain(Api::DomainAbortJob, 0, None),
    Await(&["vda"]),
    Do(|place| read(place, &["full"])),
    begin(PULL_CP1, Some(CP2)),
    Do(|place| write(place, 0, 4 * MIB, 4)),
    Do(|place| export(place, Some("backup-vda"), "delta")),
    Do(|place| read(place, &["delta"])),
    Do(|place| read(place, &["delta", "full"])),
    Do(kill),
    Await(&["vda"]),
    Files,
    plain(Api::DomainListAllCheckpoints, 0, None),
    plain(Api::DomainCreate, flags::START_PAUSED, None),
    Bitmaps,
    // Places for a server.
    Do(|place| Action::MakeDirectory {
        path: path(place, "dir"),
    }),
    Do(|place| Action::MakeFile {
        path: path(place, "file"),
    }),
    Do(|place| Action::MakeFile {
        path: path(place, "dir"),
    }),
    Do(|place| Action::OccupyPort {
        port: place.ports[0],
    }),
    Do(|place| probe(place, "nbd")),
    Do(|place| probe(place, "new")),
    Do(|place| probe(place, "file")),
    Do(|place| probe(place, "dir")),
    Do(|place| probe(place, "dir/new")),
    Do(|place| probe(place, "none/new")),
    Do(|place| probe(place, "file/new")),
    Do(probe_port),
    begin(ON_PORT, None),
    begin(ON_DIRECTORY, None),
    Do(|place| Action::ReleasePort {
        port: place.ports[0],
    }),
    Do(probe_port),
    begin(ON_PORT, None),
    Do(probe_port),
    plain(Api::DomainAbortJob, 0, None),
    Await(&["vda"]),
    begin(ON_FILE, None),
    Do(|place| Action::RemoveDirectory {
        path: path(place, "dir"),
    }),
    Files,
    plain(Api::DomainAbortJob, 0, None),
    Await(&["vda"]),
    Do(|place| Action::RemoveDirectory {
        path: path(place, "dir"),
    }),
    Do(|place| Action::RemoveFile {
        path: path(place, "file"),
    }),
    Do(start_server),
    Do(start_server),
    begin(PULL, None),
    Files,
    Do(stop_server),
    Do(stop_server),
    begin(PULL, None),
    Do(stop_server),
    Files,
    plain(Api::DomainAbortJob, 0, None),
    Await(&["vda"]),
    // A copy takes the disk's place, in the definition too.
    Do(await_copy),
    plain(Api::CheckpointCreate, 0, Some(CP9)),
    OnDisk(Api::DomainBlockCopy, "vda", 4, Some(COPY)),
    Do(await_copy),
    OnDisk(Api::DomainGetBlockJobInfo, "vda", 0, None),
    Do(|place| write(place, 8 * MIB, MIB, 5)),
    OnDisk(Api::DomainBlockJobAbort, "vda", 2, None),
    Bitmaps,
    begin(PULL, None),
    plain(Api::DomainBackupGetXmlDesc, 0, None),
    OnDisk(Api::DomainBlockJobAbort, "vda", 2, None),
    plain(Api::DomainAbortJob, 0, None),
    Await(&["vda"]),
    Do(stored),
    Do(|place| write(place, 9 * MIB, MIB, 6)),
    plain(Api::DomainDestroy, 0, None),
    Do(|place| read(place, &["vda"])),
    Do(|place| read(place, &["copy"])),
    plain(Api::DomainCreate, flags::START_PAUSED, None),
    Bitmaps,
    plain(Api::DomainDestroy, 0, None),
    plain(Api::DomainUndefine, 0x13, None),
    Files,
];

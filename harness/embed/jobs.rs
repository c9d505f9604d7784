//! Jobs from their begin to their end on the mock and on real libvirt: the answers, the events,
//! the files and the bitmaps must agree.

use std::cell::RefCell;

use backup_tck::driver::Driver;
use backup_tck::model::{
    Action, Api, BitmapChange, Call, DiskFormat, ImageRef, NbdServer, Place, Size, flags,
};
use backup_tck::plan::{PlannedDisk, domain_xml};
use backup_tck::transcript::Redactions;

use crate::agreement::{CP1, CP2, CP9, FROM_CP1, FULL, Row, SIZE, agree, call, words};

pub(crate) fn mock_and_real_libvirt_run_jobs_alike() {
    agree(|driver| told_of(driver, JOBS));
}

pub(crate) fn mock_and_real_libvirt_bear_faults_alike() {
    agree(|driver| told_of(driver, FAULTS));
}

/// One more thing to do, and to hold the answers of both against each other.
enum Turn {
    /// A call.
    Call(Row),
    /// A call about one disk: function, disk, flags, document.
    OnDisk(Api, &'static str, u32, Option<&'static str>),
    /// The end of the backup of these disks: its events.
    Await(&'static [&'static str]),
    /// The names in the directory.
    Files,
    /// The bitmaps in memory.
    Bitmaps,
    /// The domain's definition, as it was.
    Define,
    /// Something done to the host; that it fails is told, not why.
    Do(fn(&Place) -> Action),
}

use Turn::{Await, Bitmaps, Define, Do, Files, OnDisk};

/// A call without checkpoint.
const fn plain(api: Api, flags: u32, xml: Option<&'static str>) -> Turn {
    Turn::Call((api, None, flags, xml, None))
}

const fn about(api: Api, checkpoint: &'static str, flags: u32) -> Turn {
    Turn::Call((api, Some(checkpoint), flags, None, None))
}

/// A backup, perhaps with a checkpoint.
const fn begin(xml: &'static str, checkpoint: Option<&'static str>) -> Turn {
    Turn::Call((Api::DomainBackupBegin, None, 0, Some(xml), checkpoint))
}

const NO_DIRECTORY: &str = "<domainbackup mode='pull'><server transport='unix' socket='[DIR]/none/nbd'/>\
    <disks><disk name='vda' type='file'><scratch file='[DIR]/scratch'/></disk></disks></domainbackup>";
const NO_SCRATCH: &str = "<domainbackup mode='pull'><server transport='unix' socket='[DIR]/nbd'/>\
    <disks><disk name='vda' type='file'><scratch file='[DIR]/none/scratch'/></disk></disks></domainbackup>";
const UNDER_A_FILE: &str = "<domainbackup mode='pull'><server transport='unix' socket='[DIR]/nbd'/>\
    <disks><disk name='vda' type='file'><scratch file='[DIR]/vdb/scratch'/></disk></disks></domainbackup>";
const SOCKET_UNDER_A_FILE: &str = "<domainbackup mode='pull'><server transport='unix' socket='[DIR]/vdb/nbd'/>\
    <disks><disk name='vda' type='file'><scratch file='[DIR]/scratch'/></disk></disks></domainbackup>";
const SOCKET_IS_A_DIRECTORY: &str = "<domainbackup mode='pull'><server transport='unix' socket='[DIR]'/>\
    <disks><disk name='vda' type='file'><scratch file='[DIR]/scratch'/></disk></disks></domainbackup>";
const NO_PORT: &str = "<domainbackup mode='pull'><server transport='tcp' name='127.0.0.1'/>\
    <disks><disk name='vda' type='file'><scratch file='[DIR]/scratch'/></disk></disks></domainbackup>";
const PULL: &str = "<domainbackup mode='pull'><server transport='unix' socket='[DIR]/nbd'/>\
    <disks><disk name='vda' type='file'><scratch file='[DIR]/scratch'/></disk></disks></domainbackup>";
const MADE_UP: &str = "<domainbackup mode='pull'><server transport='unix' socket='[DIR]/nbd'/>\
    <disks><disk name='vda'/></disks></domainbackup>";
const NAMELESS_BITMAP: &str = "<domainbackup mode='pull'><incremental>cp1</incremental>\
    <server transport='unix' socket='[DIR]/nbd'/><disks><disk name='vda' type='file' exportbitmap=''>\
    <scratch file='[DIR]/scratch'/></disk></disks></domainbackup>";
const EMPTY_BASE: &str = "<domainbackup mode='pull'><server transport='unix' socket='[DIR]/nbd'/>\
    <disks><disk name='vda' type='file' incremental=''><scratch file='[DIR]/scratch'/></disk></disks></domainbackup>";
const NO_BASE: &str = "<domainbackup mode='pull'><server transport='unix' socket='[DIR]/nbd'/>\
    <disks><disk name='vda' type='file' backupmode='incremental'><scratch file='[DIR]/scratch'/></disk></disks></domainbackup>";
const UNKNOWN_BASE: &str = "<domainbackup mode='pull'><incremental>cp8</incremental>\
    <server transport='unix' socket='[DIR]/nbd'/><disks><disk name='vdb' type='file' backupmode='full'>\
    <scratch file='[DIR]/scratch-b'/></disk><disk name='vda' type='file'><scratch file='[DIR]/scratch'/></disk></disks></domainbackup>";
const MIXED: &str = "<domainbackup mode='pull'><incremental>cp1</incremental>\
    <server transport='unix' socket='[DIR]/nbd'/><disks><disk name='vdb' type='file' backupmode='full' exportname='b' exportbitmap='x'>\
    <scratch file='[DIR]/scratch-b'/></disk><disk name='vda' type='file'><scratch file='[DIR]/scratch'/></disk></disks></domainbackup>";
const SAME_EXPORT: &str = "<domainbackup mode='pull'><server transport='unix' socket='[DIR]/nbd'/>\
    <disks><disk name='vda' type='file' exportname='q'><scratch file='[DIR]/scratch'/></disk>\
    <disk name='vdb' type='file' exportname='q'><scratch file='[DIR]/scratch-b'/></disk></disks></domainbackup>";
const RAW_REDEFINED: &str = "<domaincheckpoint><name>cpr</name><creationTime>5</creationTime>\
    <disks><disk name='vdb'/><disk name='vdz' checkpoint='no'/></disks></domaincheckpoint>";
const FROM_RAW: &str = "<domainbackup mode='pull'><incremental>cpr</incremental>\
    <server transport='unix' socket='[DIR]/nbd'/><disks><disk name='vdb' type='file'>\
    <scratch file='[DIR]/scratch'/></disk></disks></domainbackup>";
const WRONG_BITMAP: &str = "<domaincheckpoint><name>cp1</name><creationTime>7</creationTime>\
    <disks><disk name='vda' checkpoint='bitmap' bitmap='wrong'/></disks></domaincheckpoint>";
const CYCLE: &str = "<domaincheckpoint><name>cp1</name><parent><name>cp3</name></parent>\
    <creationTime>7</creationTime><disks><disk name='vda'/></disks></domaincheckpoint>";
const CP3: &str =
    "<domaincheckpoint><name>cp3</name><disks><disk name='vda'/></disks></domaincheckpoint>";
const COPY: &str = "<disk type='file'><driver type='qcow2'/><source file='[DIR]/copy'/></disk>";
const NO_DOMAIN: u32 = flags::CHECKPOINT_XML_NO_DOMAIN;
const SIZES: u32 = NO_DOMAIN | flags::CHECKPOINT_XML_SIZE;

/// Jobs from their begin to their end. Nothing is asked that depends on how far a job has come.
const JOBS: &[Turn] = &[
    plain(Api::DomainCreate, flags::START_PAUSED, None),
    plain(Api::CheckpointCreate, 0, Some(CP1)),
    begin(NO_DIRECTORY, Some(CP2)),
    begin(NO_SCRATCH, Some(CP2)),
    begin(UNDER_A_FILE, None),
    begin(SOCKET_UNDER_A_FILE, None),
    begin(SOCKET_IS_A_DIRECTORY, None),
    begin(NO_PORT, Some(CP2)),
    begin(NAMELESS_BITMAP, Some(CP2)),
    begin(EMPTY_BASE, None),
    begin(NO_BASE, None),
    begin(UNKNOWN_BASE, None),
    Files,
    Bitmaps,
    plain(Api::DomainAbortJob, 0, None),
    plain(Api::DomainAbortJobFlags, 2, None),
    plain(Api::DomainAbortJobFlags, 1, None),
    plain(Api::DomainGetJobStats, 0, None),
    plain(Api::DomainGetJobStats, 8, None),
    OnDisk(Api::DomainGetBlockJobInfo, "vda", 0, None),
    OnDisk(Api::DomainGetBlockJobInfo, "vda", 2, None),
    OnDisk(Api::DomainGetBlockJobInfo, "vdz", 0, None),
    OnDisk(Api::DomainBlockJobAbort, "vda", 0, None),
    OnDisk(Api::DomainBlockJobAbort, "vda", 8, None),
    OnDisk(Api::DomainBlockJobAbort, "vdz", 0, None),
    begin(PULL, Some(CP2)),
    plain(Api::DomainBackupGetXmlDesc, 0, None),
    Files,
    Bitmaps,
    OnDisk(Api::DomainGetBlockJobInfo, "vda", 0, None),
    OnDisk(Api::DomainGetBlockJobInfo, "vdb", 0, None),
    OnDisk(Api::DomainBlockCopy, "vda", 4, Some(COPY)),
    OnDisk(Api::DomainBlockJobAbort, "vda", 2, None),
    plain(Api::DomainAbortJobFlags, 1, None),
    begin(FULL, None),
    begin("<foo/>", None),
    plain(Api::CheckpointCreate, 0, Some(CP3)),
    plain(Api::DomainAbortJob, 0, None),
    Await(&["vda"]),
    Files,
    plain(Api::DomainBackupGetXmlDesc, 0, None),
    plain(Api::DomainAbortJob, 0, None),
    begin(MIXED, None),
    plain(Api::DomainBackupGetXmlDesc, 0, None),
    Files,
    Bitmaps,
    OnDisk(Api::DomainBlockJobAbort, "vdb", 2, None),
    OnDisk(Api::DomainBlockJobAbort, "vdb", 0, None),
    Await(&["vdb", "vda"]),
    Files,
    begin(FULL, None),
    Await(&["vda"]),
    begin(FROM_CP1, None),
    Await(&["vda"]),
    Files,
    Bitmaps,
    plain(Api::CheckpointCreate, 1, Some(RAW_REDEFINED)),
    plain(Api::CheckpointCreate, 5, Some(RAW_REDEFINED)),
    about(Api::CheckpointGetXmlDesc, "cpr", SIZES),
    begin(FROM_RAW, None),
    about(Api::CheckpointDelete, "cpr", 0),
    about(Api::CheckpointDelete, "cpr", 2),
    OnDisk(Api::DomainBlockCopy, "vdz", 4, Some(COPY)),
    OnDisk(Api::DomainBlockCopy, "vda", 0, Some(COPY)),
    OnDisk(Api::DomainBlockCopy, "vda", 4, Some(COPY)),
    OnDisk(Api::DomainBlockCopy, "vda", 4, Some(COPY)),
    begin(PULL, None),
    begin(NO_DIRECTORY, None),
    begin(MIXED, None),
    OnDisk(Api::DomainBlockJobAbort, "vda", 0, None),
    OnDisk(Api::DomainGetBlockJobInfo, "vda", 0, None),
    OnDisk(Api::DomainBlockCopy, "vda", 4, Some(COPY)),
    Files,
    begin(MADE_UP, Some(CP9)),
    plain(Api::DomainBackupGetXmlDesc, 0, None),
    Files,
    plain(Api::DomainAbortJob, 0, None),
    Await(&["vda"]),
    about(Api::CheckpointGetXmlDesc, "cp1", SIZES),
    plain(Api::CheckpointCreate, 1, Some(CYCLE)),
    plain(Api::CheckpointCreate, 5, Some(WRONG_BITMAP)),
    about(Api::CheckpointGetXmlDesc, "cp1", flags::CHECKPOINT_XML_SIZE),
    plain(Api::DomainListAllCheckpoints, 0, None),
    about(Api::CheckpointDelete, "cp1", 0),
    about(Api::CheckpointGetXmlDesc, "cp2", NO_DOMAIN),
    about(Api::CheckpointGetXmlDesc, "cp1", NO_DOMAIN),
    about(Api::CheckpointDelete, "cp2", 0),
    about(Api::CheckpointGetXmlDesc, "cp3", NO_DOMAIN),
    Bitmaps,
    begin(PULL, None),
    plain(Api::DomainDestroy, 0, None),
    Await(&["vda"]),
    Files,
    plain(Api::DomainBackupGetXmlDesc, 0, None),
    plain(Api::DomainAbortJob, 0, None),
    plain(Api::DomainGetJobStats, 0, None),
    OnDisk(Api::DomainGetBlockJobInfo, "vda", 0, None),
    OnDisk(Api::DomainBlockJobAbort, "vda", 0, None),
    OnDisk(Api::DomainBlockCopy, "vda", 4, Some(COPY)),
    about(Api::CheckpointGetXmlDesc, "cp3", SIZES),
    plain(Api::DomainCreate, flags::START_PAUSED, None),
    Bitmaps,
    begin(PULL, None),
    plain(Api::DomainBackupGetXmlDesc, 0, None),
    plain(Api::DomainAbortJob, 0, None),
    Await(&["vda"]),
    // What is left of the socket when such a job ends differs from run to run.
    begin(SAME_EXPORT, Some(CP2)),
    plain(Api::DomainListAllCheckpoints, 0, None),
    plain(Api::DomainDestroy, 0, None),
    plain(Api::DomainUndefine, 0, None),
    plain(Api::DomainUndefine, 1, None),
    plain(Api::DomainUndefine, 0x80, None),
    Define,
    plain(Api::DomainListAllCheckpoints, 0, None),
    plain(Api::DomainUndefine, 0x13, None),
    plain(Api::DomainListAllCheckpoints, 0, None),
    plain(Api::DomainAbortJobFlags, 2, None),
    plain(Api::DomainAbortJob, 0, None),
    Define,
    plain(Api::DomainListAllCheckpoints, 0, None),
    plain(Api::CheckpointCreate, 0, Some(CP1)),
    plain(Api::DomainUndefine, 0, None),
];

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
    Action::ProbeServer { server }
}

fn probe_port(place: &Place) -> Action {
    let server = NbdServer::Port(place.ports[0]);
    Action::ProbeServer { server }
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

/// What comes of these turns, in words, with what belongs to the place redacted.
fn told_of(driver: &mut dyn Driver, turns: &[Turn]) -> Vec<String> {
    let place = driver.open_scenario().unwrap();
    let disk = |target: &str, format: DiskFormat| PlannedDisk {
        target: target.to_owned(),
        image: ImageRef {
            path: format!("{}/{target}", place.directory),
            format,
        },
        size: SIZE,
    };
    let disks = [disk("vda", DiskFormat::Qcow2), disk("vdb", DiskFormat::Raw)];
    for PlannedDisk { image, size, .. } in disks.clone() {
        driver.act(&Action::CreateImage { image, size }).unwrap();
    }
    let define = Call::new(Api::DomainDefine, &place.domain).xml(domain_xml(&place, &disks));
    driver.call(&define).unwrap();
    let redactions = Redactions::of(&place);
    let told = RefCell::new(Vec::new());
    let seen = |driver: &mut dyn Driver, number: u32, action: &Action| {
        let seen = driver.act(action);
        let text = format!("{number} {:?}", seen.map_err(|_failed| "failed"));
        told.borrow_mut().push(redactions.apply(&text));
    };
    for (number, turn) in (1..).zip(turns) {
        let domain = place.domain.clone();
        let call = match turn {
            Turn::Call(row) => call(row, &place),
            OnDisk(api, disk, flags, xml) => Call {
                disk: Some((*disk).to_owned()),
                ..call(&(*api, None, *flags, *xml, None), &place)
            },
            Define => define.clone(),
            Await(disks) => {
                let disks = disks.iter().map(|disk| (*disk).to_owned()).collect();
                seen(driver, number, &Action::AwaitBackup { domain, disks });
                continue;
            }
            Files => {
                let directory = place.directory.clone();
                seen(driver, number, &Action::ListFiles { directory });
                continue;
            }
            Bitmaps => {
                seen(driver, number, &Action::LiveBitmaps { domain });
                continue;
            }
            Do(action) => {
                seen(driver, number, &action(&place));
                continue;
            }
        };
        let answer = driver
            .call(&call)
            .unwrap_or_else(|error| panic!("{number} {call:?}: {error}"));
        let text = format!("{number} {} {}", call.api, words(answer));
        told.borrow_mut().push(redactions.apply(&text));
    }
    driver.close_scenario(&place).unwrap();
    told.into_inner()
}

//! Jobs from their begin to their end on the mock and on real libvirt: the answers, the events,
//! the files and the bitmaps must agree.

use std::cell::RefCell;

use backup_tck::driver::Driver;
use backup_tck::driver::libvirt::Connection;
use backup_tck::model::{Action, Api, Call, Place, flags};
use backup_tck::plan::{PlannedDisk, domain_xml};
use backup_tck::transcript::Redactions;

use crate::agreement::{CP1, CP2, CP9, FROM_CP1, FULL, Row, agree, call, two_disks, words};

pub(crate) fn mock_and_real_libvirt_run_jobs_alike(connection: &Connection) {
    agree(connection, |driver| told_of(driver, JOBS));
}

/// One more thing to do, and to hold the answers of both against each other.
pub(crate) enum Turn {
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
pub(crate) const fn plain(api: Api, flags: u32, xml: Option<&'static str>) -> Turn {
    Turn::Call((api, None, flags, xml, None))
}

pub(crate) const fn about(api: Api, checkpoint: &'static str, flags: u32) -> Turn {
    Turn::Call((api, Some(checkpoint), flags, None, None))
}

/// A backup, perhaps with a checkpoint.
pub(crate) const fn begin(xml: &'static str, checkpoint: Option<&'static str>) -> Turn {
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
pub(crate) const PULL: &str = "<domainbackup mode='pull'><server transport='unix' socket='[DIR]/nbd'/>\
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
pub(crate) const COPY: &str =
    "<disk type='file'><driver type='qcow2'/><source file='[DIR]/copy'/></disk>";
const NO_DOMAIN: u32 = flags::CHECKPOINT_XML_NO_DOMAIN;
pub(crate) const SIZES: u32 = NO_DOMAIN | flags::CHECKPOINT_XML_SIZE;

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

/// What comes of these turns, in words, with what belongs to the place redacted.
pub(crate) fn told_of(driver: &mut dyn Driver, turns: &[Turn]) -> Vec<String> {
    let place = driver.open_scenario().unwrap();
    let disks = two_disks(&place);
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

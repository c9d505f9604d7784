//! One list of calls, sent to the mock and to real libvirt: the answers must agree.

use std::time::{Duration, Instant};

use backup_tck::driver::Driver;
use backup_tck::driver::mock::Mock;
use backup_tck::model::{
    Action, Answer, Api, Call, DiskFormat, ImageRef, LibvirtError, Place, Size, flags,
};
use backup_tck::plan::{PlannedDisk, domain_xml};
use backup_tck::transcript::Redactions;

use crate::bench::start;

const SIZE: Size = Size(16 << 20);

/// Calls in an order in which each does something: function, checkpoint, flags, document, second
/// document. Most are refused; those that are not prepare the next.
type Row = (
    Api,
    Option<&'static str>,
    u32,
    Option<&'static str>,
    Option<&'static str>,
);

const CP1: &str =
    "<domaincheckpoint><name>cp1</name><disks><disk name='vda'/></disks></domaincheckpoint>";
const CP2: &str =
    "<domaincheckpoint><name>cp2</name><disks><disk name='vda'/></disks></domaincheckpoint>";
const RAW: &str =
    "<domaincheckpoint><name>cp9</name><disks><disk name='vdb'/></disks></domaincheckpoint>";
const NOWHERE: &str =
    "<domaincheckpoint><name>cp9</name><disks><disk name='vdz'/></disks></domaincheckpoint>";
const TWICE: &str = "<domaincheckpoint><name>cp9</name><disks><disk name='vda'/><disk name='vda'/></disks></domaincheckpoint>";
const FOREIGN: &str = "<domaincheckpoint><name>cp9</name><disks><disk name='vda' bitmap='x'/></disks></domaincheckpoint>";
const ALL_DISKS: &str = "<domaincheckpoint><name>cp9</name></domaincheckpoint>";
const REDEFINE: &str = "<domaincheckpoint><name>cp1</name><creationTime>1</creationTime>\
    <disks><disk name='vda'/></disks></domaincheckpoint>";
const TIMELESS: &str =
    "<domaincheckpoint><name>cp1</name><disks><disk name='vda'/></disks></domaincheckpoint>";
const ORPHAN: &str = "<domaincheckpoint><name>cp1</name><parent><name>cp0</name></parent>\
    <creationTime>1</creationTime><disks><disk name='vda'/></disks></domaincheckpoint>";
const FULL: &str = "<domainbackup><disks><disk name='vda' type='file'><target file='[DIR]/full'/></disk></disks></domainbackup>";
const FROM_CP1: &str = "<domainbackup><incremental>cp1</incremental><disks><disk name='vda' type='file'>\
    <target file='[DIR]/incremental'/></disk></disks></domainbackup>";
const NONE: &str = "<domainbackup><disks><disk name='vda' backup='no'/></disks></domainbackup>";
const UNKNOWN: &str = "<domainbackup><disks><disk name='vdz' type='file'><target file='[DIR]/x'/></disk></disks></domainbackup>";
const DOUBLE: &str = "<domainbackup><disks><disk name='vda' type='file'><target file='[DIR]/x'/></disk>\
    <disk name='vda' type='file'><target file='[DIR]/y'/></disk></disks></domainbackup>";

const CP9: &str =
    "<domaincheckpoint><name>cp9</name><disks><disk name='vda'/></disks></domaincheckpoint>";
const FROM_CP9: &str = "<domainbackup><incremental>cp9</incremental><disks><disk name='vda' type='file'>\
    <target file='[DIR]/x'/></disk></disks></domainbackup>";
const SAME_TARGET: &str = "<domainbackup><disks><disk name='vda' type='file'><target file='[DIR]/x'/></disk>\
    <disk name='vdb' type='file'><target file='[DIR]/x'/></disk></disks></domainbackup>";
const TEMPORARY: &str =
    "<domaincheckpoint><name>backup-vda</name><disks><disk name='vda'/></disks></domaincheckpoint>";
const FROM_TEMPORARY: &str = "<domainbackup><incremental>backup-vda</incremental><disks><disk name='vda' type='file'>\
    <target file='[DIR]/x'/></disk></disks></domainbackup>";

const OFF: &[Row] = &[
    (Api::CheckpointCreate, None, 0, Some(CP1), None),
    (Api::CheckpointCreate, None, 5, Some(REDEFINE), None),
    (Api::CheckpointCreate, None, 1, Some(TIMELESS), None),
    (Api::CheckpointCreate, None, 1, Some(ORPHAN), None),
    (Api::CheckpointCreate, None, 1, Some(REDEFINE), None),
    (Api::CheckpointDelete, Some("cp1"), 0, None, None),
    (
        Api::CheckpointDelete,
        Some("cp1"),
        flags::CHECKPOINT_DELETE_METADATA_ONLY,
        None,
        None,
    ),
    (Api::CheckpointDelete, Some("cp1"), 0, None, None),
    (Api::DomainBackupBegin, None, 0, Some(FULL), None),
    (Api::DomainBackupGetXmlDesc, None, 0, None, None),
    (Api::DomainDestroy, None, 0, None, None),
    (Api::DomainSuspend, None, 0, None, None),
];

const ON: &[Row] = &[
    (Api::DomainCreate, None, 0, None, None),
    (Api::CheckpointCreate, None, 0, None, None),
    (Api::CheckpointCreate, None, 2, Some(CP1), None),
    (Api::CheckpointCreate, None, 8, Some(CP1), None),
    (Api::CheckpointCreate, None, 3, Some(CP1), None),
    (Api::CheckpointCreate, None, 4, Some(CP1), None),
    (Api::CheckpointCreate, None, 0, Some("<foo/>"), None),
    (Api::CheckpointCreate, None, 0, Some(RAW), None),
    (Api::CheckpointCreate, None, 0, Some(NOWHERE), None),
    (Api::CheckpointCreate, None, 0, Some(TWICE), None),
    (Api::CheckpointCreate, None, 0, Some(FOREIGN), None),
    (Api::CheckpointCreate, None, 0, Some(ALL_DISKS), None),
    (Api::CheckpointLookupByName, Some("cp1"), 0, None, None),
    (Api::CheckpointLookupByName, Some("cp1"), 1, None, None),
    (Api::CheckpointGetXmlDesc, Some("cp1"), 0, None, None),
    (Api::CheckpointCreate, None, 0, Some(CP1), None),
    (Api::CheckpointCreate, None, 0, Some(CP1), None),
    (Api::CheckpointCreate, None, 0, Some(CP2), None),
    (
        Api::CheckpointGetXmlDesc,
        Some("cp2"),
        flags::CHECKPOINT_XML_NO_DOMAIN,
        None,
        None,
    ),
    (Api::CheckpointGetXmlDesc, Some("cp2"), 8, None, None),
    (Api::CheckpointCreate, None, 5, Some(REDEFINE), None),
    (Api::DomainListAllCheckpoints, None, 2, None, None),
    (Api::DomainListAllCheckpoints, None, 16, None, None),
    (Api::CheckpointDelete, Some("cp1"), 8, None, None),
    (
        Api::CheckpointDelete,
        Some("cp1"),
        flags::CHECKPOINT_DELETE_METADATA_ONLY,
        None,
        None,
    ),
    (
        Api::CheckpointGetXmlDesc,
        Some("cp1"),
        flags::CHECKPOINT_XML_NO_DOMAIN,
        None,
        None,
    ),
    (Api::DomainBackupBegin, None, 0, Some(FROM_CP1), None),
    (Api::CheckpointCreate, None, 0, Some(CP1), None),
    (Api::CheckpointCreate, None, 5, Some(REDEFINE), None),
    (Api::CheckpointDelete, Some("cp1"), 0, None, None),
    (Api::CheckpointCreate, None, 5, Some(REDEFINE), None),
    (Api::CheckpointCreate, None, 1, Some(REDEFINE), None),
    (Api::DomainBackupBegin, None, 0, Some(FROM_CP1), None),
    (Api::DomainBackupBegin, None, 0, None, None),
    (Api::DomainBackupBegin, None, 2, Some(FULL), None),
    (Api::DomainBackupBegin, None, 0, Some("<foo/>"), None),
    (Api::DomainBackupBegin, None, 0, Some(FULL), Some("<foo/>")),
    (Api::DomainBackupBegin, None, 0, Some(FULL), Some(RAW)),
    (Api::DomainBackupBegin, None, 0, Some(FULL), Some(CP2)),
    (Api::DomainBackupBegin, None, 0, Some(UNKNOWN), None),
    (Api::DomainBackupBegin, None, 0, Some(DOUBLE), None),
    (Api::DomainBackupBegin, None, 0, Some(NONE), None),
    (Api::DomainBackupGetXmlDesc, None, 0, None, None),
    (Api::DomainBackupGetXmlDesc, None, 1, None, None),
    (Api::DomainGetState, None, 0, None, None),
    (Api::DomainResume, None, 0, None, None),
    (Api::DomainSuspend, None, 0, None, None),
    (Api::DomainResume, None, 0, None, None),
    (Api::DomainBackupBegin, None, 0, Some(FROM_CP9), Some(CP9)),
    (Api::DomainBackupBegin, None, 0, Some(SAME_TARGET), None),
    (Api::CheckpointCreate, None, 0, Some(TEMPORARY), None),
    (Api::DomainBackupBegin, None, 0, Some(FROM_TEMPORARY), None),
    (Api::CheckpointCreate, None, 0, Some(CP9), None),
    (
        Api::CheckpointDelete,
        Some("cp9"),
        flags::CHECKPOINT_DELETE_METADATA_ONLY,
        None,
        None,
    ),
    (
        Api::DomainBackupBegin,
        None,
        0,
        Some(FROM_TEMPORARY),
        Some(CP9),
    ),
    (Api::DomainDestroy, None, 4, None, None),
    (Api::DomainListAllCheckpoints, None, 0, None, None),
];

pub(crate) fn mock_and_real_libvirt_refuse_alike() {
    agree(told);
}

pub(crate) fn mock_and_real_libvirt_run_jobs_alike() {
    agree(told_of_jobs);
}

fn agree(told: fn(&mut dyn Driver) -> Vec<String>) {
    let directory = crate::bench::directory();
    let mut embed = start(directory.path(), &std::sync::Arc::default());
    embed.set_deadline(Some(Instant::now() + Duration::from_mins(2)));
    let real = told(&mut embed);
    let mock = told(&mut Mock::newest());
    let differ = |(mock, real): &(&String, &String)| mock != real;
    let differences: Vec<_> = mock.iter().zip(&real).filter(differ).collect();
    assert_eq!(mock.len(), real.len());
    for (mock, real) in &differences {
        println!("mock  {mock}\nreal  {real}\n");
    }
    assert!(
        differences.is_empty(),
        "{} of {} differ",
        differences.len(),
        real.len()
    );
}

/// Every answer in words, with what belongs to the place redacted.
fn told(driver: &mut dyn Driver) -> Vec<String> {
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
    for disk in &disks {
        driver
            .act(&Action::CreateImage {
                image: disk.image.clone(),
                size: SIZE,
            })
            .unwrap();
    }
    let define = Call::new(Api::DomainDefine, &place.domain).xml(domain_xml(&place, &disks));
    let start = Call::new(Api::DomainCreate, &place.domain);
    let undefine = Call::new(Api::DomainUndefine, &place.domain);
    let redactions = Redactions::of(&place);
    let mut told = Vec::new();
    let mut send = |driver: &mut dyn Driver, call: &Call| {
        let answer = driver
            .call(call)
            .unwrap_or_else(|error| panic!("{call:?}: {error}"));
        let text = format!(
            "{} {:?} {:#x}: {}",
            call.api,
            call.checkpoint,
            call.flags,
            words(answer)
        );
        told.push(redactions.apply(&text));
    };
    send(driver, &define);
    for row in OFF {
        send(driver, &call(row, &place));
    }
    send(driver, &start);
    for row in ON {
        send(driver, &call(row, &place));
    }
    send(driver, &Call::new(Api::DomainDestroy, &place.domain));
    for name in ["cp1", "cp2", "backup-vda"] {
        let delete = Call::new(Api::CheckpointDelete, &place.domain).checkpoint(name);
        send(
            driver,
            &delete.flags(flags::CHECKPOINT_DELETE_METADATA_ONLY),
        );
    }
    send(driver, &undefine);
    // The handle outlives the domain.
    for row in &ON[..6] {
        send(driver, &call(row, &place));
    }
    driver.close_scenario(&place).unwrap();
    told
}

fn call(&(api, checkpoint, flags, xml, checkpoint_xml): &Row, place: &Place) -> Call {
    let placed = |text: &str| text.replace("[DIR]", &place.directory);
    Call {
        checkpoint: checkpoint.map(str::to_owned),
        xml: xml.map(placed),
        checkpoint_xml: checkpoint_xml.map(placed),
        flags,
        ..Call::new(api, &place.domain)
    }
}

/// Everything that a snapshot would compare.
fn words(answer: Answer) -> String {
    match answer {
        Answer::Returned(value) => format!("{value:?}"),
        Answer::Refused(LibvirtError {
            code,
            domain,
            level,
            message,
            int1,
            int2,
            ..
        }) => {
            format!("{code} domain {domain} level {level} int1 {int1} int2 {int2} {message}")
        }
    }
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
}

use Turn::{Await, Bitmaps, Define, Files, OnDisk};

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

/// What comes of [`JOBS`], in words, with what belongs to the place redacted.
fn told_of_jobs(driver: &mut dyn Driver) -> Vec<String> {
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
    let mut told = Vec::new();
    for (number, turn) in (1..).zip(JOBS) {
        let call = match turn {
            Turn::Call(row) => call(row, &place),
            OnDisk(api, disk, flags, xml) => Call {
                disk: Some((*disk).to_owned()),
                ..call(&(*api, None, *flags, *xml, None), &place)
            },
            Define => define.clone(),
            Await(_) | Files | Bitmaps => {
                let domain = place.domain.clone();
                let action = match turn {
                    Await(disks) => Action::AwaitBackup {
                        domain,
                        disks: disks.iter().map(|disk| (*disk).to_owned()).collect(),
                    },
                    Files => Action::ListFiles {
                        directory: place.directory.clone(),
                    },
                    _ => Action::LiveBitmaps { domain },
                };
                let seen = driver.act(&action);
                told.push(redactions.apply(&format!("{number} {seen:?}")));
                continue;
            }
        };
        let answer = driver
            .call(&call)
            .unwrap_or_else(|error| panic!("{number} {call:?}: {error}"));
        let text = format!("{number} {} {}", call.api, words(answer));
        told.push(redactions.apply(&text));
    }
    driver.close_scenario(&place).unwrap();
    told
}

//! One list of calls, sent to the mock and to real libvirt: the answers must agree.

use std::time::{Duration, Instant};

use backup_tck::driver::Driver;
use backup_tck::driver::libvirt::Connection;
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
pub(crate) type Row = (
    Api,
    Option<&'static str>,
    u32,
    Option<&'static str>,
    Option<&'static str>,
);

pub(crate) const CP1: &str =
    "<domaincheckpoint><name>cp1</name><disks><disk name='vda'/></disks></domaincheckpoint>";
pub(crate) const CP2: &str =
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
pub(crate) const FULL: &str = "<domainbackup><disks><disk name='vda' type='file'><target file='[DIR]/full'/></disk></disks></domainbackup>";
pub(crate) const FROM_CP1: &str = "<domainbackup><incremental>cp1</incremental><disks><disk name='vda' type='file'>\
    <target file='[DIR]/incremental'/></disk></disks></domainbackup>";
const NONE: &str = "<domainbackup><disks><disk name='vda' backup='no'/></disks></domainbackup>";
const UNKNOWN: &str = "<domainbackup><disks><disk name='vdz' type='file'><target file='[DIR]/x'/></disk></disks></domainbackup>";
const DOUBLE: &str = "<domainbackup><disks><disk name='vda' type='file'><target file='[DIR]/x'/></disk>\
    <disk name='vda' type='file'><target file='[DIR]/y'/></disk></disks></domainbackup>";

pub(crate) const CP9: &str =
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

pub(crate) fn mock_and_real_libvirt_refuse_alike(connection: &Connection) {
    agree(connection, told);
}

/// Lets both drivers tell, and compares what they told.
pub(crate) fn agree(connection: &Connection, told: impl Fn(&mut dyn Driver) -> Vec<String>) {
    let directory = crate::bench::directory();
    let mut driver = start(connection, directory.path(), &std::sync::Arc::default());
    driver.set_deadline(Some(Instant::now() + Duration::from_mins(2)));
    let real = told(&mut driver);
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

/// A disk that can have bitmaps, and one that cannot.
pub(crate) fn two_disks(place: &Place) -> [PlannedDisk; 2] {
    let disk = |target: &str, format: DiskFormat| PlannedDisk {
        target: target.to_owned(),
        image: ImageRef {
            path: format!("{}/{target}", place.directory),
            format,
        },
        below: Vec::new(),
        size: SIZE,
        compat: None,
    };
    [disk("vda", DiskFormat::Qcow2), disk("vdb", DiskFormat::Raw)]
}

/// Every answer in words, with what belongs to the place redacted.
fn told(driver: &mut dyn Driver) -> Vec<String> {
    let place = driver.open_scenario().unwrap();
    let disks = two_disks(&place);
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

pub(crate) fn call(&(api, checkpoint, flags, xml, checkpoint_xml): &Row, place: &Place) -> Call {
    let port = place.ports[0].to_string();
    let placed = |text: &str| {
        text.replace("[DIR]", &place.directory)
            .replace("[PORT]", &port)
    };
    Call {
        checkpoint: checkpoint.map(str::to_owned),
        xml: xml.map(placed),
        checkpoint_xml: checkpoint_xml.map(placed),
        flags,
        ..Call::new(api, &place.domain)
    }
}

/// Everything that a snapshot would compare.
pub(crate) fn words(answer: Answer) -> String {
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

//! What the versions answer otherwise: the three commits that `mock@6.9` does without, and what was
//! measured on the others.

use rstest::rstest;

use super::bench::{Bench, CP1, FROM_CP1, FULL, REDEFINE, assert_refusal};
use crate::driver::mock::Mock;
use crate::driver::{Driver, Libvirt};
use crate::model::{Action, Answer, Api, ErrorCode, ErrorDomain, NbdServer, Value, Version, flags};

fn before() -> Bench {
    let mut bench = Bench::defined_on(Mock::of(Version::new(6, 9, 0)).unwrap());
    bench.ok(&bench.call(Api::DomainCreate));
    bench
}

#[test]
fn a_version_knows_itself() {
    let identity = before().mock.identity().unwrap();
    assert_eq!(identity.driver, "mock@6.9");
    assert_eq!(identity.libvirt, Version::new(6, 9, 0));
    assert!(Mock::of(Version::new(6, 10, 0)).is_err());
}

#[rstest]
#[case::before(before(), ErrorCode::INVALID_ARG, "invalid argument: ")]
#[case::since(
    Bench::running(),
    ErrorCode::CHECKPOINT_INCONSISTENT,
    "checkpoint inconsistent: "
)]
fn a_broken_base(#[case] mut bench: Bench, #[case] code: ErrorCode, #[case] prefix: &str) {
    bench.ok(&bench.create(REDEFINE).flags(1));
    let error = bench.refused(&bench.backup(FROM_CP1, None));
    let message = format!("{prefix}missing or broken bitmap 'cp1' for disk 'vda'");
    assert_refusal(&error, code, ErrorDomain::QEMU, &message, -1);
}

#[test]
fn a_base_without_metadata_was_judged_by_its_bitmap_alone() {
    let mut bench = before();
    let error = bench.refused(&bench.backup(FROM_CP1, None));
    assert_eq!(error.code, ErrorCode::INVALID_ARG);
    bench.ok(&bench.create(CP1));
    let delete = bench.call(Api::CheckpointDelete).checkpoint("cp1");
    bench.ok(&delete.flags(flags::CHECKPOINT_DELETE_METADATA_ONLY));
    assert_eq!(bench.ok(&bench.backup(FROM_CP1, None)), Value::Nothing);
}

#[test]
fn validation_was_no_flag_of_the_driver() {
    let mut bench = before();
    let error = bench.refused(&bench.create(REDEFINE).flags(5));
    let message = "unsupported flags (0x4) in function qemuCheckpointCreateXML";
    assert_refusal(
        &error,
        ErrorCode::INVALID_ARG,
        ErrorDomain::QEMU,
        message,
        0,
    );
    // What the public function says of the flag alone came with another commit.
    let create = bench.create(REDEFINE).flags(4);
    let Answer::Refused(error) = bench.mock.call(&create).unwrap() else {
        panic!("validated")
    };
    assert_eq!(error.domain, ErrorDomain::DOMAIN_CHECKPOINT);
}

const BULLSEYE: Version = Version::new(7, 0, 0);
const BOOKWORM: Version = Version::new(9, 0, 0);
const REFERENCE: Version = Version::new(11, 3, 0);
const NEWEST: Version = Version::new(12, 8, 0);

fn running(version: Version) -> Bench {
    let mut bench = Bench::defined_on(Mock::of(version).unwrap());
    bench.ok(&bench.call(Api::DomainCreate));
    bench
}

#[rstest]
#[case::bullseye(BULLSEYE, ErrorDomain::DOMAIN, "XML error: domainbackup")]
#[case::bookworm(
    BOOKWORM,
    ErrorDomain::XML,
    "XML error: expecting root element of 'domainbackup', not 'a'"
)]
fn another_root(#[case] version: Version, #[case] domain: ErrorDomain, #[case] message: &str) {
    let mut bench = running(version);
    let error = bench.refused(&bench.backup("<a/>", None));
    assert_refusal(&error, ErrorCode::XML_ERROR, domain, message, -1);
}

#[rstest]
#[case::bookworm(BOOKWORM, ErrorCode::XML_INVALID_SCHEMA)]
#[case::reference(REFERENCE, ErrorCode::CONFIG_UNSUPPORTED)]
fn a_disk_of_which_nothing_is_said(#[case] version: Version, #[case] code: ErrorCode) {
    let mut bench = running(version);
    let plain = "<domainbackup><disks><disk name='vdz'/></disks></domainbackup>";
    assert_eq!(bench.refused(&bench.backup(plain, None)).code, code);
    // One that is left out needs no type.
    let left_out = "<domainbackup><disks><disk name='vda' backup='no'/></disks></domainbackup>";
    let error = bench.refused(&bench.backup(left_out, None));
    assert_eq!(error.code, ErrorCode::CONFIG_UNSUPPORTED);
}

#[test]
fn a_file_is_made_up() {
    let listed = "<domainbackup mode='pull'><server transport='unix' socket='DIR/nbd'/>\
        <disks><disk name='vda'/></disks></domainbackup>";
    let unlisted = "<domainbackup/>";
    for version in [BULLSEYE, BOOKWORM] {
        let mut bench = running(version);
        let error = bench.refused(&bench.backup(listed, Some(CP1)));
        let message = "internal error: argument key 'filename' must not have null value";
        let (code, domain) = (ErrorCode::INTERNAL_ERROR, ErrorDomain::NONE);
        assert_refusal(&error, code, domain, message, -1);
        bench.ok(&bench.backup(unlisted, Some(CP1)));
    }
    let mut bench = running(REFERENCE);
    bench.ok(&bench.backup(listed, Some(CP1)));
    assert!(bench.files().contains(&"vda.qcow2.cp1".to_owned()));
}

#[rstest]
#[case::bookworm(BOOKWORM, ErrorCode::XML_INVALID_SCHEMA)]
#[case::reference(REFERENCE, ErrorCode::INTERNAL_ERROR)]
#[case::newest(NEWEST, ErrorCode::INVALID_ARG)]
fn a_server_on_descriptors(#[case] version: Version, #[case] code: ErrorCode) {
    let mut bench = running(version);
    let xml = "<domainbackup mode='pull'><server transport='fd' fdgroup='g'/></domainbackup>";
    assert_eq!(bench.refused(&bench.backup(xml, None)).code, code);
}

const NO_PORT: &str = "<domainbackup mode='pull'><server name='localhost'/><disks>\
    <disk name='vda' type='file'><scratch file='DIR/scratch'/></disk></disks></domainbackup>";

#[test]
fn a_port_is_chosen_and_told() {
    let mut bench = running(REFERENCE);
    let error = bench.refused(&bench.backup(NO_PORT, None));
    assert_eq!(error.code, ErrorCode::OPERATION_UNSUPPORTED);
    let mut bench = running(NEWEST);
    bench.act(&Action::OccupyPort { port: 10_809 });
    bench.ok(&bench.backup(NO_PORT, None));
    let Value::Xml(dump) = bench.ok(&bench.call(Api::DomainBackupGetXmlDesc)) else {
        panic!("no dump")
    };
    assert_eq!(NbdServer::of_dump(&dump), Some(NbdServer::Port(10_810)));
}

#[rstest]
#[case::bullseye(BULLSEYE, ErrorCode::OPERATION_UNSUPPORTED)]
#[case::bookworm(BOOKWORM, ErrorCode::CONFIG_UNSUPPORTED)]
fn the_server_or_the_disks_first(#[case] version: Version, #[case] code: ErrorCode) {
    let mut bench = running(version);
    let xml = NO_PORT.replace("vda", "vdz");
    assert_eq!(bench.refused(&bench.backup(&xml, None)).code, code);
}

#[rstest]
#[case::reference(REFERENCE, ErrorCode::NO_DOMAIN)]
#[case::newest(NEWEST, ErrorCode::INVALID_ARG)]
fn the_domain_or_the_flags_first(#[case] version: Version, #[case] code: ErrorCode) {
    let mut bench = Bench::defined_on(Mock::of(version).unwrap());
    bench.ok(&bench.call(Api::DomainUndefine));
    let calls = [
        bench.backup(FULL, None),
        bench.call(Api::DomainBackupGetXmlDesc),
        bench.create(CP1),
    ];
    for call in calls {
        let error = bench.refused(&call.flags(0x10));
        assert_eq!(error.code, code, "{error}");
    }
}

#[test]
fn a_newer_flag() {
    let mut bench = running(REFERENCE);
    let flag = flags::BACKUP_BEGIN_PRESERVE_SHUTDOWN_DOMAIN;
    let error = bench.refused(&bench.backup(FULL, None).flags(flag));
    assert_eq!(
        error.message,
        "unsupported flags (0x2) in function qemuBackupBegin"
    );
    let mut bench = running(NEWEST);
    bench.ok(&bench.backup(FULL, None).flags(flag));
    let error = bench.refused(&bench.backup(FULL, None).flags(flag | 4));
    assert_eq!(
        error.message,
        "unsupported flags (0x4) in function qemuDomainBackupBegin"
    );
}

#[rstest]
#[case::reference(REFERENCE, "qemuCheckpoint")]
#[case::newest(NEWEST, "qemuDomainCheckpoint")]
fn who_looks_at_the_flags_of_a_checkpoint(#[case] version: Version, #[case] prefix: &str) {
    let mut bench = running(version);
    bench.ok(&bench.create(CP1));
    for (api, function) in [
        (Api::CheckpointDelete, "Delete"),
        (Api::CheckpointGetXmlDesc, "GetXMLDesc"),
    ] {
        let error = bench.refused(&bench.call(api).checkpoint("cp1").flags(0x10));
        let message = format!("unsupported flags (0x10) in function {prefix}{function}");
        assert_eq!(error.message, message);
    }
}

#[test]
fn a_function_that_the_daemon_does_not_know() {
    let mut bench = running(BULLSEYE);
    let error = bench.refused(&bench.call(Api::DomainAbortJobFlags));
    let message = "unknown procedure: 442";
    assert_refusal(&error, ErrorCode::NO_SUPPORT, ErrorDomain::RPC, message, -1);
    let error = bench.refused(&bench.call(Api::DomainAbortJob));
    assert_eq!(error.code, ErrorCode::OPERATION_INVALID);
}

#[test]
fn a_long_text_is_cut_off() {
    let xml = FULL.replace("vda", &format!("vd{}", "z".repeat(2000)));
    let mut bench = running(BOOKWORM);
    let whole = bench.refused(&bench.backup(&xml, None));
    let mut bench = running(BULLSEYE);
    let cut = bench.refused(&bench.backup(&xml, None));
    assert_eq!(cut.str2.as_ref().unwrap().len(), 1022);
    assert!(
        cut.message
            .starts_with("unsupported configuration: no disk")
    );
    assert!(whole.message.len() > 2000 && whole.message.starts_with(&cut.message));
}

/// A bitmap below the top layer cannot be removed where that layer is not opened for writing.
#[rstest]
#[case::bullseye(Version::new(7, 0, 0), false)]
#[case::bookworm(Version::new(9, 0, 0), true)]
fn a_bitmap_below_the_top_layer(#[case] version: Version, #[case] is_removed: bool) {
    let mut bench = Bench::defined_on(Mock::of(version).unwrap());
    bench.ok(&bench.call(Api::DomainCreate));
    bench.ok(&bench.create(CP1));
    let overlay = bench.path("overlay.qcow2");
    let document = format!(
        "<domainsnapshot><name>s1</name><disks><disk name='vda' snapshot='external'>\
         <source file='{overlay}'/></disk><disk name='vdb' snapshot='no'/></disks></domainsnapshot>"
    );
    let snapshot = bench.call(Api::DomainSnapshotCreate).xml(document);
    bench.ok(&snapshot.flags(flags::SNAPSHOT_CREATE_DISK_ONLY));
    let delete = bench.call(Api::CheckpointDelete).checkpoint("cp1");
    if is_removed {
        assert_eq!(bench.ok(&delete), Value::Nothing);
        assert!(
            bench
                .mock
                .world()
                .live_bitmaps(&bench.place.domain)
                .unwrap()
                .0
                .is_empty()
        );
        return;
    }
    let error = bench.refused(&delete);
    let message = "internal error: unable to execute QEMU command 'transaction': Bitmap 'cp1' is \
                   readonly and cannot be modified";
    assert_refusal(
        &error,
        ErrorCode::INTERNAL_ERROR,
        ErrorDomain::QEMU,
        message,
        -1,
    );
}

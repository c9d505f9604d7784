//! Refusals of the mock against libvirt 11.3's answers, as measured there.

use rstest::rstest;

use super::bench::{Bench, CP1, FROM_CP1, FULL, REDEFINE, assert_refusal};
use crate::driver::{DriverError, Host, Libvirt};
use crate::model::{
    Action, Api, DiskFormat, ErrorCode, ErrorDomain, ImageRef, Observation, Place, Value, flags,
};

#[rstest]
#[case::quiesce(
    2,
    ErrorDomain::QEMU,
    "unsupported flags (0x2) in function qemuCheckpointCreateXML"
)]
#[case::unknown(
    9,
    ErrorDomain::QEMU,
    "unsupported flags (0x8) in function qemuCheckpointCreateXML"
)]
#[case::exclusive(
    3,
    ErrorDomain::DOMAIN_CHECKPOINT,
    "Flags 'VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE' and 'VIR_DOMAIN_CHECKPOINT_CREATE_QUIESCE' are mutually exclusive"
)]
#[case::validate_alone(
    4,
    ErrorDomain::DOMAIN_CHECKPOINT,
    "Flag 'VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE' is required by flag 'VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE'"
)]
fn flags_of_a_create(#[case] flags: u32, #[case] domain: ErrorDomain, #[case] message: &str) {
    let mut bench = Bench::running();
    let error = bench.refused(&bench.create(CP1).flags(flags));
    assert_refusal(&error, ErrorCode::INVALID_ARG, domain, message, 0);
}

#[rstest]
#[case::unknown_disk(
    "<disk name='vdz'/>",
    ErrorDomain::DOMAIN_CHECKPOINT,
    "no disk named 'vdz'"
)]
#[case::raw(
    "<disk name='vdb'/>",
    ErrorDomain::QEMU,
    "checkpoint for disk vdb unsupported for storage type raw"
)]
#[case::twice(
    "<disk name='vda'/><disk name='vda'/>",
    ErrorDomain::DOMAIN_CHECKPOINT,
    "disk 'vda' specified twice"
)]
#[case::foreign_bitmap(
    "<disk name='vda' bitmap='x'/>",
    ErrorDomain::QEMU,
    "bitmap for disk 'vda' must match checkpoint name 'cp1'"
)]
fn disks_of_a_create(#[case] disks: &str, #[case] domain: ErrorDomain, #[case] text: &str) {
    let mut bench = Bench::running();
    let document = CP1.replace("<disk name='vda'/>", disks);
    let message = format!("unsupported configuration: {text}");
    let error = bench.refused(&bench.create(&document));
    assert_refusal(&error, ErrorCode::CONFIG_UNSUPPORTED, domain, &message, -1);
    // A backup meets the same checks, and leaves nothing either.
    let error = bench.refused(&bench.backup(FULL, Some(&document)));
    assert_refusal(&error, ErrorCode::CONFIG_UNSUPPORTED, domain, &message, -1);
    assert_eq!(
        bench.ok(&bench.call(Api::DomainListAllCheckpoints)),
        Value::Names(Vec::new())
    );
}

#[test]
fn without_disks_a_raw_one_is_chosen_too() {
    let mut bench = Bench::running();
    let error = bench.refused(&bench.create("<domaincheckpoint><name>c</name></domaincheckpoint>"));
    assert_eq!(error.code, ErrorCode::CONFIG_UNSUPPORTED);
}

#[rstest]
#[case(
    Api::CheckpointCreate,
    "Operation not supported: cannot create checkpoint for inactive domain"
)]
#[case(
    Api::DomainBackupBegin,
    "Operation not supported: cannot perform disk backup for inactive domain"
)]
fn an_inactive_domain_is_84(#[case] api: Api, #[case] message: &str) {
    let mut bench = Bench::defined();
    let call = if api == Api::CheckpointCreate {
        bench.create(CP1)
    } else {
        bench.backup(FULL, None)
    };
    let error = bench.refused(&call);
    assert_refusal(
        &error,
        ErrorCode::OPERATION_UNSUPPORTED,
        ErrorDomain::QEMU,
        message,
        -1,
    );
}

#[test]
fn a_name_is_unique_and_so_is_its_bitmap() {
    let mut bench = Bench::running();
    bench.ok(&bench.create(CP1));
    let error = bench.refused(&bench.create(CP1));
    let message = "operation failed: domain moment cp1 already exists";
    assert_refusal(
        &error,
        ErrorCode::OPERATION_FAILED,
        ErrorDomain::DOMAIN,
        message,
        -1,
    );

    let delete = bench.call(Api::CheckpointDelete).checkpoint("cp1");
    bench.ok(&delete.clone().flags(flags::CHECKPOINT_DELETE_METADATA_ONLY));
    let error = bench.refused(&bench.create(CP1));
    let message =
        "internal error: unable to execute QEMU command 'transaction': Bitmap already exists: cp1";
    assert_refusal(
        &error,
        ErrorCode::INTERNAL_ERROR,
        ErrorDomain::QEMU,
        message,
        -1,
    );

    let error = bench.refused(&delete);
    let message = "Domain checkpoint not found: no domain checkpoint with matching name 'cp1'";
    assert_refusal(
        &error,
        ErrorCode::NO_DOMAIN_CHECKPOINT,
        ErrorDomain::QEMU,
        message,
        -1,
    );
}

#[rstest]
#[case::good(false, None)]
#[case::gone(true, Some(ErrorCode::CHECKPOINT_INCONSISTENT))]
fn validation_looks_at_the_bitmap(#[case] delete_bitmap: bool, #[case] code: Option<ErrorCode>) {
    let mut bench = Bench::running();
    bench.ok(&bench.create(CP1));
    let metadata_only = if delete_bitmap {
        0
    } else {
        flags::CHECKPOINT_DELETE_METADATA_ONLY
    };
    bench.ok(&bench
        .call(Api::CheckpointDelete)
        .checkpoint("cp1")
        .flags(metadata_only));
    let redefine = bench.create(REDEFINE).flags(5);
    match code {
        None => assert_eq!(bench.ok(&redefine), Value::Name("cp1".to_owned())),
        Some(code) => assert_eq!(bench.refused(&redefine).code, code),
    }
}

#[test]
fn a_redefine_alone_needs_no_bitmap_and_no_running_domain() {
    let mut bench = Bench::defined();
    assert_eq!(
        bench.ok(&bench.create(REDEFINE).flags(1)),
        Value::Name("cp1".to_owned())
    );
    let error = bench.refused(&bench.create(REDEFINE).flags(5));
    let message = "Requested operation is not valid: domain is not running";
    assert_refusal(
        &error,
        ErrorCode::OPERATION_INVALID,
        ErrorDomain::DOMAIN,
        message,
        -1,
    );
}

#[test]
fn an_incremental_needs_metadata_first_and_then_the_bitmap() {
    let mut bench = Bench::running();
    let error = bench.refused(&bench.backup(FROM_CP1, None));
    let message = "Domain checkpoint not found: Checkpoint 'cp1' for incremental backup of disk 'vda' not found";
    assert_refusal(
        &error,
        ErrorCode::NO_DOMAIN_CHECKPOINT,
        ErrorDomain::QEMU,
        message,
        -1,
    );

    bench.ok(&bench.create(REDEFINE).flags(1));
    let error = bench.refused(&bench.backup(FROM_CP1, None));
    let message = "checkpoint inconsistent: missing or broken bitmap 'cp1' for disk 'vda'";
    assert_refusal(
        &error,
        ErrorCode::CHECKPOINT_INCONSISTENT,
        ErrorDomain::QEMU,
        message,
        -1,
    );
}

#[test]
fn an_existing_target_is_refused_and_kept() {
    let mut bench = Bench::running();
    bench.ok(&bench.backup(FULL, None));
    let await_backup = Action::AwaitBackup {
        domain: bench.place.domain.clone(),
        disks: vec!["vda".to_owned()],
    };
    bench.mock.act(&await_backup).unwrap();
    let error = bench.refused(&bench.backup(FULL, None));
    let target = format!("{}/t1", bench.place.directory);
    let message = format!("invalid argument: store '{target}' for backup of 'vda' exists");
    assert_refusal(
        &error,
        ErrorCode::INVALID_ARG,
        ErrorDomain::QEMU,
        &message,
        -1,
    );
    let image = ImageRef {
        path: target,
        format: DiskFormat::Qcow2,
    };
    let read = bench
        .mock
        .act(&Action::ReadChain {
            layers: vec![image],
        })
        .unwrap();
    assert!(matches!(read, Observation::Content(_)));
}

#[test]
fn an_unknown_secret_is_66() {
    let mut bench = Bench::running();
    let encryption = "<target file='DIR/t1'><encryption format='luks'>\
        <secret type='passphrase' usage='/luks/img'/></encryption></target>";
    let document = FULL.replace("<target file='DIR/t1'/>", encryption);
    let error = bench.refused(&bench.backup(&document, None));
    let message = "Secret not found: no secret with matching usage '/luks/img'";
    assert_refusal(
        &error,
        ErrorCode::NO_SECRET,
        ErrorDomain::SECRET,
        message,
        -1,
    );
}

#[test]
fn a_handle_outlives_its_domain() {
    let mut bench = Bench::defined();
    bench.ok(&bench.call(Api::DomainUndefine));
    let error = bench.refused(&bench.create(CP1));
    let Place { uuid, domain, .. } = &bench.place;
    let message = format!("Domain not found: no domain with matching uuid '{uuid}' ({domain})");
    assert_refusal(
        &error,
        ErrorCode::NO_DOMAIN,
        ErrorDomain::QEMU,
        &message,
        -1,
    );
}

#[rstest]
#[case::malformed("<domaincheckpoint>", ErrorCode::XML_DETAIL)]
#[case::other_root("<domainbackup/>", ErrorCode::XML_ERROR)]
#[case::foreign_element(
    "<domaincheckpoint><name>c</name><nonsense/></domaincheckpoint>",
    ErrorCode::XML_INVALID_SCHEMA
)]
fn a_document_is_read_before_it_is_understood(#[case] document: &str, #[case] code: ErrorCode) {
    let mut bench = Bench::running();
    let error = bench.refused(&bench.create(document));
    assert_eq!(error.code, code, "{}", error.message);
}

#[rstest]
#[case::with_document_type(
    "<!DOCTYPE domaincheckpoint><domaincheckpoint><name>c</name></domaincheckpoint>"
)]
#[case::nameless("<domaincheckpoint/>")]
fn an_answer_is_never_invented(#[case] document: &str) {
    let mut bench = Bench::running();
    let answer = bench.mock.call(&bench.create(document));
    assert!(
        matches!(answer, Err(DriverError::NotModelled(_))),
        "{answer:?}"
    );
}

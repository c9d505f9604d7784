//! What the three commits changed that `mock@6.9` does without.

use rstest::rstest;

use super::bench::{Bench, CP1, FROM_CP1, REDEFINE, assert_refusal};
use crate::driver::mock::Mock;
use crate::driver::{Driver, Libvirt};
use crate::model::{Answer, Api, ErrorCode, ErrorDomain, Value, Version, flags};

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

//! The numbers of `model` are those that libvirt's headers give the binding.

use rstest::rstest;
use virt_sys as sys;

use crate::model::{ErrorCode, ErrorDomain, flags};

/// Red Hat bug 1874846: libvirt commit facfa8262e brought the code, 9b54eb84c8 the flag, and
/// 2a917e6756 gave it the name it has.
#[rstest]
#[case::redefine_validate(
    flags::CHECKPOINT_CREATE_REDEFINE_VALIDATE,
    sys::VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE,
    4
)]
#[case::redefine(
    flags::CHECKPOINT_CREATE_REDEFINE,
    sys::VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE,
    1
)]
#[case::quiesce(
    flags::CHECKPOINT_CREATE_QUIESCE,
    sys::VIR_DOMAIN_CHECKPOINT_CREATE_QUIESCE,
    2
)]
#[case::reuse_external(
    flags::BACKUP_BEGIN_REUSE_EXTERNAL,
    sys::VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL,
    1
)]
#[case::children(
    flags::CHECKPOINT_DELETE_CHILDREN,
    sys::VIR_DOMAIN_CHECKPOINT_DELETE_CHILDREN,
    1
)]
#[case::metadata_only(
    flags::CHECKPOINT_DELETE_METADATA_ONLY,
    sys::VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY,
    2
)]
#[case::children_only(
    flags::CHECKPOINT_DELETE_CHILDREN_ONLY,
    sys::VIR_DOMAIN_CHECKPOINT_DELETE_CHILDREN_ONLY,
    4
)]
#[case::secure(flags::CHECKPOINT_XML_SECURE, sys::VIR_DOMAIN_CHECKPOINT_XML_SECURE, 1)]
#[case::no_domain(
    flags::CHECKPOINT_XML_NO_DOMAIN,
    sys::VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN,
    2
)]
#[case::size(flags::CHECKPOINT_XML_SIZE, sys::VIR_DOMAIN_CHECKPOINT_XML_SIZE, 4)]
#[case::topological(
    flags::CHECKPOINT_LIST_TOPOLOGICAL,
    sys::VIR_DOMAIN_CHECKPOINT_LIST_TOPOLOGICAL,
    2
)]
#[case::start_paused(flags::START_PAUSED, sys::VIR_DOMAIN_START_PAUSED, 1)]
#[case::transient_job(
    flags::BLOCK_COPY_TRANSIENT_JOB,
    sys::VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB,
    4
)]
#[case::pivot(flags::BLOCK_JOB_ABORT_PIVOT, sys::VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT, 2)]
#[case::undefine_managed_save(
    flags::UNDEFINE_MANAGED_SAVE,
    sys::VIR_DOMAIN_UNDEFINE_MANAGED_SAVE,
    1
)]
#[case::undefine_snapshots(
    flags::UNDEFINE_SNAPSHOTS_METADATA,
    sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA,
    2
)]
#[case::undefine_checkpoints(
    flags::UNDEFINE_CHECKPOINTS_METADATA,
    sys::VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA,
    16
)]
fn a_flag_has_its_number(#[case] ours: u32, #[case] binding: u32, #[case] number: u32) {
    assert_eq!((ours, binding), (number, number));
}

#[rstest]
#[case(
    ErrorCode::CHECKPOINT_INCONSISTENT,
    sys::VIR_ERR_CHECKPOINT_INCONSISTENT,
    109
)]
#[case(
    ErrorCode::NO_DOMAIN_CHECKPOINT,
    sys::VIR_ERR_NO_DOMAIN_CHECKPOINT,
    103
)]
#[case(ErrorCode::NO_DOMAIN_BACKUP, sys::VIR_ERR_NO_DOMAIN_BACKUP, 104)]
#[case(ErrorCode::CONFIG_UNSUPPORTED, sys::VIR_ERR_CONFIG_UNSUPPORTED, 67)]
#[case(ErrorCode::OPERATION_TIMEOUT, sys::VIR_ERR_OPERATION_TIMEOUT, 68)]
#[case(ErrorCode::OPERATION_INVALID, sys::VIR_ERR_OPERATION_INVALID, 55)]
#[case(ErrorCode::INVALID_ARG, sys::VIR_ERR_INVALID_ARG, 8)]
#[case(ErrorCode::INTERNAL_ERROR, sys::VIR_ERR_INTERNAL_ERROR, 1)]
fn a_code_has_its_number(#[case] ours: ErrorCode, #[case] binding: u32, #[case] number: i32) {
    assert_eq!((ours.0, binding.cast_signed()), (number, number));
}

#[rstest]
#[case(ErrorDomain::QEMU, sys::VIR_FROM_QEMU, 10)]
#[case(ErrorDomain::DOMAIN, sys::VIR_FROM_DOMAIN, 20)]
#[case(ErrorDomain::DOMAIN_CHECKPOINT, sys::VIR_FROM_DOMAIN_CHECKPOINT, 69)]
fn a_domain_has_its_number(#[case] ours: ErrorDomain, #[case] binding: u32, #[case] number: i32) {
    assert_eq!((ours.0, binding.cast_signed()), (number, number));
}

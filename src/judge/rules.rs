//! The rules, as data: one row per situation, in the order they are tried.

use super::facts::Facts;
use super::situations as when;
use super::situations::Step;
use crate::model::{Api, Decision, ErrorCode};

/// One situation and what it calls for.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Stable identifier.
    pub id: &'static str,
    /// The error code it is about.
    pub code: ErrorCode,
    /// The function it is about; `None` where the code alone tells.
    pub api: Option<Api>,
    /// Whether the facts are this situation.
    pub(super) applies: fn(&Facts) -> Step,
    /// What a client does then.
    pub decision: Decision,
    /// The situation in words.
    pub because: &'static str,
    /// Who says so: libvirt's documents, source or history.
    pub sources: &'static [&'static str],
}

/// Every rule, in the order they are tried.
#[must_use]
pub const fn rules() -> &'static [Rule] {
    RULES
}

const ERROR_HEADER: &str =
    "include/libvirt/virterror.h: VIR_ERR_CHECKPOINT_INCONSISTENT \"checkpoint can't be used\"";
const COMMIT_FACFA8262E: &str =
    "libvirt commit facfa8262e: do a full backup instead of an incremental one";
const CHAIN_IS_VALID: &str = "src/qemu/qemu_block.c:qemuBlockBitmapChainIsValid";
const RAW_DISK: &str = "Red Hat bug 1874846, description: incremental backup of a raw file";
const BACKUP_BEGIN: Option<Api> = Some(Api::DomainBackupBegin);

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "B27",
        code: ErrorCode::CONFIG_UNSUPPORTED,
        api: None,
        applies: when::always,
        decision: Decision::FixRequest,
        because: "the parameters of the call ask for what this domain cannot do",
        sources: &["Red Hat bug 1874846, comment 9: a hard error caused by wrong parameters"],
    },
    Rule {
        id: "B22",
        code: ErrorCode::INVALID_ARG,
        api: None,
        applies: when::flags_are_refused,
        decision: Decision::FixRequest,
        because: "the function does not take these flags, or wants a document that is NULL",
        sources: &[
            "measured on libvirt 7.0 to 12.8: int1 is 0 for these, and -1 for other errors of the code",
        ],
    },
    Rule {
        id: "B9",
        code: ErrorCode::OPERATION_TIMEOUT,
        api: None,
        applies: when::always,
        decision: Decision::RetryAfterJobEnds,
        because: "another job holds the domain, and libvirt has waited for 30 s",
        sources: &["docs/kbase/internals/qemu-threads.rst: asynchronous jobs exclude each other"],
    },
    Rule {
        id: "C3",
        code: ErrorCode::OPERATION_INVALID,
        api: Some(Api::CheckpointCreate),
        applies: when::domain_is_off,
        decision: Decision::ChangeDomainStateThenRetry,
        because: "the bitmaps of a domain that is shut off cannot be validated",
        sources: &[
            "include/libvirt/libvirt-domain-checkpoint.h: VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE",
            "libvirt commit a4d4d2bd5d",
        ],
    },
    Rule {
        id: "D8",
        code: ErrorCode::OPERATION_INVALID,
        api: Some(Api::CheckpointGetXmlDesc),
        applies: when::domain_is_off,
        decision: Decision::ChangeDomainStateThenRetry,
        because: "the size of a checkpoint is known while the domain runs only",
        sources: &[
            "libvirt commit 1bb33357ea: VIR_DOMAIN_CHECKPOINT_XML_SIZE may require a running VM",
        ],
    },
    Rule {
        id: "B8-raw",
        code: ErrorCode::NO_DOMAIN_CHECKPOINT,
        api: BACKUP_BEGIN,
        applies: when::raw_disk,
        decision: Decision::FixRequest,
        because: "a raw disk is in the request, and raw images have no bitmaps",
        sources: &[RAW_DISK],
    },
    Rule {
        id: "B7",
        code: ErrorCode::NO_DOMAIN_CHECKPOINT,
        api: BACKUP_BEGIN,
        applies: when::only_metadata_is_lost,
        decision: Decision::RedefineMissingCheckpointsThenRetry,
        because: "libvirt has lost the checkpoint, its bitmap is good, and its document is kept",
        sources: &[
            "docs/formatcheckpoint.rst: redefining a checkpoint",
            "libvirt commit 5ab8cc78c4",
        ],
    },
    Rule {
        id: "B8-some-disks",
        code: ErrorCode::NO_DOMAIN_CHECKPOINT,
        api: BACKUP_BEGIN,
        applies: when::base_is_unknown_and_bad_on_some_disks,
        decision: Decision::FullForAffectedDisks,
        because: "libvirt has lost the checkpoint, and its bitmap is good on some of the disks",
        sources: &[
            CHAIN_IS_VALID,
            "docs/formatbackup.rst: backupmode of each disk",
        ],
    },
    Rule {
        id: "B8-other-base",
        code: ErrorCode::NO_DOMAIN_CHECKPOINT,
        api: BACKUP_BEGIN,
        applies: when::base_is_unknown_and_another_good,
        decision: Decision::IncrementalFromOtherGoodCheckpoint,
        because: "the base does not exist, another one is good",
        sources: &["src/qemu/qemu_backup.c:qemuBackupDiskPrepareDataOne"],
    },
    Rule {
        id: "B8",
        code: ErrorCode::NO_DOMAIN_CHECKPOINT,
        api: BACKUP_BEGIN,
        applies: when::base_is_unknown,
        decision: Decision::FullBackupNewChain,
        because: "the base does not exist, and no other one is good",
        sources: &["src/qemu/qemu_backup.c:qemuBackupDiskPrepareDataOne"],
    },
    Rule {
        id: "B5a",
        code: ErrorCode::CHECKPOINT_INCONSISTENT,
        api: None,
        applies: when::restored_and_paused,
        decision: Decision::ChangeDomainStateThenRetry,
        because: "the domain was restored and is still paused: its bitmaps are not loaded yet",
        sources: &["measured on libvirt 11.3.0 with QEMU 10.0; not on 7.0, 9.0 and 12.8"],
    },
    Rule {
        id: "B6",
        code: ErrorCode::CHECKPOINT_INCONSISTENT,
        api: None,
        applies: when::raw_disk,
        decision: Decision::FixRequest,
        because: "a raw disk is in the request, and raw images have no bitmaps",
        sources: &[RAW_DISK],
    },
    Rule {
        id: "B3",
        code: ErrorCode::CHECKPOINT_INCONSISTENT,
        api: None,
        applies: when::some_disks_are_bad,
        decision: Decision::FullForAffectedDisks,
        because: "the bitmap is missing or broken on some of the disks",
        sources: &[
            CHAIN_IS_VALID,
            "docs/formatbackup.rst: backupmode of each disk",
        ],
    },
    Rule {
        id: "B1-other-base",
        code: ErrorCode::CHECKPOINT_INCONSISTENT,
        api: None,
        applies: when::no_disk_is_good_and_another_base_is,
        decision: Decision::IncrementalFromOtherGoodCheckpoint,
        because: "the bitmap is missing or broken on all disks, another base is good",
        sources: &[
            CHAIN_IS_VALID,
            "measured on libvirt 7.0 to 12.8: each checkpoint has a bitmap of its own",
        ],
    },
    Rule {
        id: "B2",
        code: ErrorCode::CHECKPOINT_INCONSISTENT,
        api: None,
        applies: when::no_disk_is_good_and_some_inconsistent,
        decision: Decision::FullBackupNewChain,
        because: "the bitmap is inconsistent, as after a crash, and no other base is good",
        sources: &[
            COMMIT_FACFA8262E,
            "docs/interop/bitmaps.rst of QEMU: an inconsistent bitmap can only be removed",
        ],
    },
    Rule {
        id: "B5",
        code: ErrorCode::CHECKPOINT_INCONSISTENT,
        api: None,
        applies: when::no_disk_is_good_and_some_disabled,
        decision: Decision::FullBackupNewChain,
        because: "the bitmap has stopped recording, and no other base is good",
        sources: &[COMMIT_FACFA8262E, CHAIN_IS_VALID],
    },
    Rule {
        id: "B1",
        code: ErrorCode::CHECKPOINT_INCONSISTENT,
        api: None,
        applies: when::no_disk_is_good,
        decision: Decision::FullBackupNewChain,
        because: "no disk has the bitmap in its top layer, and no other base is good",
        sources: &[COMMIT_FACFA8262E, ERROR_HEADER],
    },
    Rule {
        id: "B15",
        code: ErrorCode::INTERNAL_ERROR,
        api: BACKUP_BEGIN,
        applies: when::disk_has_a_block_job,
        decision: Decision::RetryAfterJobEnds,
        because: "a disk of the request has a block job, which excludes others",
        sources: &["src/qemu/qemu_blockjob.c:qemuBlockJobRegister"],
    },
    Rule {
        id: "B14",
        code: ErrorCode::INTERNAL_ERROR,
        api: BACKUP_BEGIN,
        applies: when::server_runs_already,
        decision: Decision::RetryAfterJobEnds,
        because: "QEMU runs an NBD server already; only the message tells, no query does",
        sources: &["blockdev-nbd.c:nbd_server_start of QEMU"],
    },
    Rule {
        id: "B12",
        code: ErrorCode::INTERNAL_ERROR,
        api: BACKUP_BEGIN,
        applies: when::server_cannot_listen,
        decision: Decision::RestoreEnvironmentThenRetry,
        because: "the NBD server cannot listen where the request wants it",
        sources: &["Red Hat bug 1874846, comment 9: failure to start the NBD server"],
    },
];

//! What differs between the versions whose rules the mock knows: one switch for each commit of
//! libvirt that changed an answer.
//!
//! `mock@6.9` is libvirt 11.3 without the three commits that answered Red Hat bug 1874846, and
//! nothing else of 6.9: the commits' effect can be seen alone. They came with libvirt 6.10
//! (`NEWS.rst`, v6.10.0). The others are whole versions, each with the QEMU it was measured with.

use crate::model::{ErrorCode, ErrorDomain, Version};

/// The default: the version whose answers snapshots hold.
pub(super) const REFERENCE: Version = Version::new(11, 3, 0);

/// The QEMU that its rules were measured with.
const REFERENCE_QEMU: &str = "10.0.2";

const BULLSEYE: Version = Version::new(7, 0, 0);
const BOOKWORM: Version = Version::new(9, 0, 0);
const NEWEST: Version = Version::new(12, 8, 0);

/// The last version before the commits.
const BEFORE: Version = Version::new(6, 9, 0);

/// The versions whose rules are known.
pub(super) const MODELLED: [Version; 5] = [BEFORE, BULLSEYE, BOOKWORM, REFERENCE, NEWEST];

/// The switches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Rules {
    /// The code of a backup whose base has a missing or broken bitmap. Commit e33e89d, "qemu:
    /// backup: Use `VIR_ERR_CHECKPOINT_INCONSISTENT` when starting a backup", changed it from
    /// `VIR_ERR_INVALID_ARG`; the text stayed.
    pub(super) broken_base: ErrorCode,
    /// Whether the QEMU driver knows `VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE`. Commit
    /// a4d4d2b, "qemu: checkpoint: Implement `VIR_DOMAIN_CHECKPOINT_REDEFINE_VALIDATE`".
    pub(super) validates: bool,
    /// Whether a backup looks for the metadata of its base before its bitmap. Commit 5ab8cc7,
    /// "qemu: backup: Add partial validation of incremental backup checkpoint".
    pub(super) looks_for_base: bool,
    /// Whether the images of a domain that was restored and is still paused stay inactive, so that
    /// QEMU has loaded no bitmaps. Measured on 11.3.0 with QEMU 10.0; not so on 9.0.0 with QEMU 7.2 and
    /// on 12.8.0 with QEMU 11.1.
    pub(super) restores_inactive_images: bool,
    /// In whose name the wait for the job lock is given up: the lock was the QEMU driver's before it
    /// became common to all drivers (`src/qemu/qemu_domainjob.c:qemuDomainObjBeginJobInternal`, 7.0.0;
    /// `src/conf/virdomainjob.c:virDomainObjBeginJobInternal`). Measured on 7.0.0 and 9.0.0.
    pub(super) lock_domain: ErrorDomain,
    /// The version of QEMU.
    pub(super) qemu: &'static str,
}

impl Rules {
    /// The rules of one modelled version.
    pub(super) fn of(version: Version) -> Self {
        let reference = Self {
            broken_base: ErrorCode::CHECKPOINT_INCONSISTENT,
            validates: true,
            looks_for_base: true,
            restores_inactive_images: true,
            lock_domain: ErrorDomain::NONE,
            qemu: REFERENCE_QEMU,
        };
        if version.same_series(BEFORE) {
            Self {
                broken_base: ErrorCode::INVALID_ARG,
                validates: false,
                looks_for_base: false,
                ..reference
            }
        } else if version.same_series(BULLSEYE) {
            Self {
                restores_inactive_images: false,
                lock_domain: ErrorDomain::QEMU,
                qemu: "5.2.0",
                ..reference
            }
        } else if version.same_series(BOOKWORM) {
            Self {
                restores_inactive_images: false,
                qemu: "7.2.22",
                ..reference
            }
        } else if version.same_series(NEWEST) {
            Self {
                restores_inactive_images: false,
                qemu: "11.1.3",
                ..reference
            }
        } else {
            reference
        }
    }
}

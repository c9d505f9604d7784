//! What differs between the versions whose rules the mock knows: one switch for each commit of
//! libvirt that changed an answer.
//!
//! `mock@6.9` is libvirt 11.3 without the three commits that answered Red Hat bug 1874846, and
//! nothing else of 6.9: the commits' effect can be seen alone. They came with libvirt 6.10
//! (`NEWS.rst`, v6.10.0). The others are whole versions, each with the QEMU it was measured with.

use crate::model::{ErrorCode, ErrorDomain, Version, flags};

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
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, and any of them may be on"
)]
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
    /// What is said of a document with another root element. Measured: 7.0.0 names only the element
    /// it looked for, in the name of the document's part of libvirt
    /// (`src/util/virxml.c:virXMLParseHelper`).
    pub(super) names_root: bool,
    /// Whether the schema of a push backup takes a disk of which nothing is said, or only that it is
    /// chosen. Measured: that of 9.0.0 wants a `type` (`src/conf/schemas/domainbackup.rng:backupDisksPush`).
    pub(super) takes_plain_disk: bool,
    /// Whether a file is made up for a disk that is listed without one, as for one that is not listed.
    /// Measured on 11.3.0; 7.0.0 and 9.0.0 fail (`src/conf/backup_conf.c:virDomainBackupDefAssignStore`).
    pub(super) names_file_of_listed: bool,
    /// How far it is with a server on a passed file descriptor.
    pub(super) descriptors: Descriptors,
    /// Whether the server's place is looked at before the disks (`qemu_backup.c:qemuBackupBegin` calls
    /// `qemuBackupPrepare` before `virDomainBackupAlignDisks`). Measured on 7.0.0, not so on 9.0.0.
    pub(super) server_before_disks: bool,
    /// Whether a TCP port that is not given is chosen. Measured on 12.8.0: the first free one from
    /// 10809 on.
    pub(super) chooses_port: bool,
    /// The flags of `virDomainBackupBegin`; `VIR_DOMAIN_BACKUP_BEGIN_PRESERVE_SHUTDOWN_DOMAIN` came with
    /// libvirt 11.10.
    pub(super) begin_flags: u32,
    /// Whether the entry points of backups and checkpoints in `src/qemu/qemu_driver.c` look at flags, so
    /// in their own names, and where there is no checkpoint yet, before the domain. Measured on 12.8.0.
    pub(super) flags_at_entry: bool,
    /// Whether the daemon knows `virDomainAbortJobFlags`, which came with libvirt 8.5. Measured on 7.0.0.
    pub(super) aborts_with_flags: bool,
    /// Whether the overlay of a transient disk is named after the domain too. Measured: not on 7.0.0
    /// (`src/qemu/qemu_snapshot.c`).
    pub(super) overlay_of_domain: bool,
    /// The longest text of an error in bytes, without what its code puts before. Measured on 7.0.0
    /// (`src/util/virerror.h:VIR_ERROR_MAX_LENGTH`); 9.0.0 has no such limit.
    pub(super) longest_text: Option<usize>,
    /// What QEMU says behind these of its reasons to refuse an image: the number of bytes that it had
    /// read, which it took for an error number. Measured on QEMU 5.2.0
    /// (`block/qcow2.c:qcow2_read_extensions`).
    pub(super) behind_reasons: &'static [(&'static str, &'static str)],
    /// Whether a domain that is off and has checkpoints may have snapshots inside its images. Measured: not
    /// on 7.0.0 and 9.0.0, where QEMU's capabilities are not known of a domain that is off
    /// (`src/qemu/qemu_domain.c:qemuDomainSupportsCheckpointsBlockjobs`).
    pub(super) offline_snapshots: bool,
    /// What a refused way back to a snapshot inside an image leaves of the domain.
    pub(super) refused_revert: RefusedRevert,
    /// What becomes of external snapshots.
    pub(super) external_snapshots: ExternalSnapshots,
    /// Whether bitmaps are followed over all layers. Measured, not so on 7.0.0: a bitmap in a lower layer
    /// cannot be removed, since that is not opened for writing; a commit below the top adds none to the
    /// lower layer; a pivot to a copy leaves them all behind.
    pub(super) layers_in_full: bool,
    /// Whether a commit looks for another job of the disk before it looks for the layers. Measured on
    /// 7.0.0.
    pub(super) job_before_layers: bool,
    /// Whether a migration that reaches nobody is told of as libvirt's own failure. Measured on 7.0.0.
    pub(super) wraps_migration_error: bool,
    /// Whether QEMU names the nodes that keep a disk from being resized. Measured: not QEMU 5.2 and 7.2.
    pub(super) tells_who_is_busy: bool,
    /// Whether a save waits for a backup, rather than being refused for the sake of its block jobs.
    /// Measured: not on 7.0.0 (`src/qemu/qemu_driver.c:qemuDomainSaveInternal`).
    pub(super) save_waits_for_backup: bool,
    /// Whether to set the speed of a block job waits for a backup, which it is a part of. Measured on
    /// 11.3.0; not so on 7.0.0, 9.0.0 and 12.8.0.
    pub(super) speed_waits_for_backup: bool,
    /// The version of QEMU.
    pub(super) qemu: &'static str,
}

/// What becomes of `<server transport='fd'>`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Descriptors {
    /// The schema does not know it (measured on 9.0.0).
    Unknown,
    /// The schema knows it, and `qemu_backup.c:qemuBackupPrepare` does not (measured on 11.3.0).
    Unserved,
    /// It is served, if the group of descriptors was passed (measured on 12.8.0).
    Served,
}

/// What is left of a running domain that cannot go back to a snapshot inside its image, for the bitmaps
/// there (`src/qemu/qemu_snapshot.c:qemuSnapshotRevertActive`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RefusedRevert {
    /// It is paused (measured on 7.0.0, where the monitor's `loadvm` refuses).
    Paused,
    /// A new QEMU has opened the image and died of it, so that the bitmaps are in use (measured on 9.0.0).
    Crashed,
    /// It was stopped (measured on 11.3.0).
    Stopped,
}

/// What becomes of external snapshots (`src/qemu/qemu_snapshot.c`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ExternalSnapshots {
    /// They stay until they are committed by hand (measured on 7.0.0).
    Stay,
    /// They can be deleted (measured on 9.0.0).
    Deleted,
    /// They can be gone back to as well (measured on 11.3.0).
    GoneBackTo,
}

impl ExternalSnapshots {
    pub(super) fn deletes(self) -> bool {
        self != Self::Stay
    }

    pub(super) fn reverts(self) -> bool {
        self == Self::GoneBackTo
    }
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
            names_root: true,
            takes_plain_disk: true,
            names_file_of_listed: true,
            descriptors: Descriptors::Unserved,
            server_before_disks: false,
            chooses_port: false,
            begin_flags: flags::BACKUP_BEGIN_REUSE_EXTERNAL,
            flags_at_entry: false,
            aborts_with_flags: true,
            overlay_of_domain: true,
            longest_text: None,
            behind_reasons: &[],
            offline_snapshots: true,
            refused_revert: RefusedRevert::Stopped,
            external_snapshots: ExternalSnapshots::GoneBackTo,
            layers_in_full: true,
            job_before_layers: false,
            wraps_migration_error: false,
            tells_who_is_busy: true,
            save_waits_for_backup: true,
            speed_waits_for_backup: true,
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
                names_root: false,
                takes_plain_disk: false,
                names_file_of_listed: false,
                descriptors: Descriptors::Unknown,
                server_before_disks: true,
                aborts_with_flags: false,
                overlay_of_domain: false,
                longest_text: Some(1022),
                behind_reasons: &[
                    (
                        "bitmaps_ext: Reserved field is not zero",
                        "Unknown error -24",
                    ),
                    ("bitmaps_ext: Invalid extension length", "Unknown error -8"),
                ],
                offline_snapshots: false,
                refused_revert: RefusedRevert::Paused,
                external_snapshots: ExternalSnapshots::Stay,
                layers_in_full: false,
                job_before_layers: true,
                wraps_migration_error: true,
                save_waits_for_backup: false,
                tells_who_is_busy: false,
                speed_waits_for_backup: false,
                qemu: "5.2.0",
                ..reference
            }
        } else if version.same_series(BOOKWORM) {
            Self {
                restores_inactive_images: false,
                takes_plain_disk: false,
                names_file_of_listed: false,
                descriptors: Descriptors::Unknown,
                offline_snapshots: false,
                refused_revert: RefusedRevert::Crashed,
                external_snapshots: ExternalSnapshots::Deleted,
                tells_who_is_busy: false,
                speed_waits_for_backup: false,
                qemu: "7.2.22",
                ..reference
            }
        } else if version.same_series(NEWEST) {
            Self {
                restores_inactive_images: false,
                descriptors: Descriptors::Served,
                chooses_port: true,
                begin_flags: flags::BACKUP_BEGIN_REUSE_EXTERNAL
                    | flags::BACKUP_BEGIN_PRESERVE_SHUTDOWN_DOMAIN,
                flags_at_entry: true,
                speed_waits_for_backup: false,
                qemu: "11.1.3",
                ..reference
            }
        } else {
            reference
        }
    }
}

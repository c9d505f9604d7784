//! Clean-up steps in words, and when they are due.

use crate::model::{CleanUpKind, CleanUpTime};

/// A clean-up step in words.
pub(super) struct CleanUpText {
    pub(super) when: &'static str,
    /// When it may be due: the word of the JSON answer, and why then.
    pub(super) due: &'static [(CleanUpTime, &'static str)],
    pub(super) steps: &'static [&'static str],
    pub(super) proof: &'static [&'static str],
    pub(super) care: &'static str,
}

/// A name that is free again, wherever that can be shown.
const FREE: &str = "a checkpoint of the same name can be made on every disk, and goes again";

/// The word of the JSON answer.
pub(super) const fn time_word(time: CleanUpTime) -> &'static str {
    match time {
        CleanUpTime::First => "first",
        CleanUpTime::BeforeRetry => "before-retry",
        CleanUpTime::AfterVerifiedBackup => "after-verified-backup",
    }
}

/// What the word means.
pub(super) const fn time_text(time: CleanUpTime) -> &'static str {
    match time {
        CleanUpTime::First => {
            "before the next attempt or backup; where the decision starts the domain, right after \
             that"
        }
        CleanUpTime::BeforeRetry => {
            "after the operator has repaired what was broken, and before the same call is made \
             again"
        }
        CleanUpTime::AfterVerifiedBackup => {
            "once the next backup was restored and found right, and what is older still restores"
        }
    }
}

pub(super) const fn clean_up_text(kind: CleanUpKind) -> CleanUpText {
    match kind {
        CleanUpKind::DiscardUncommittedCheckpoint => DISCARD_UNCOMMITTED_CHECKPOINT,
        CleanUpKind::DropCheckpointMetadata => DROP_CHECKPOINT_METADATA,
        CleanUpKind::PurgeStaleBitmapLive => PURGE_STALE_BITMAP_LIVE,
        CleanUpKind::PurgeStaleBitmapOffline => PURGE_STALE_BITMAP_OFFLINE,
        CleanUpKind::ClearStuckBackupJob => CLEAR_STUCK_BACKUP_JOB,
    }
}

const DISCARD_UNCOMMITTED_CHECKPOINT: CleanUpText = CleanUpText {
    when: "A backup asked for a checkpoint and did not come to a verified end, or its beginning \
           was refused and yet the checkpoint is there.",
    due: &[(
        CleanUpTime::First,
        "nothing may be built on it, and its name is needed again",
    )],
    steps: &["delete that checkpoint with its bitmaps, while the domain runs"],
    proof: &[
        FREE,
        "the next incremental backup, from a checkpoint with a verified backup, holds what was \
         written meanwhile",
    ],
    care: "It must be done before the next incremental backup. A checkpoint begins when the job \
           starts, not when the backup succeeds: from one without data behind it, a restore has \
           a hole and no error tells.",
};

const DROP_CHECKPOINT_METADATA: CleanUpText = CleanUpText {
    when: "The checkpoint is defined, and no disk carries its bitmap, or one of its disks lacks \
           it.",
    due: &[
        (
            CleanUpTime::First,
            "where to delete the checkpoint is what the caller wanted, or it is of an own attempt",
        ),
        (
            CleanUpTime::AfterVerifiedBackup,
            "where it is a part of the old chain",
        ),
    ],
    steps: &[
        "no disk carries the bitmap: delete the checkpoint with \
         VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY",
        "some disks do, and it is kept there: redefine it on exactly these, with validation",
    ],
    proof: &[
        FREE,
        "one that is kept is on exactly the disks that have its bitmap",
    ],
    care: "Where a disk still carries the bitmap, METADATA_ONLY leaves it behind without an \
           owner, and the name cannot be used again.",
};

const PURGE_STALE_BITMAP_LIVE: CleanUpText = CleanUpText {
    when: "A bitmap is there and must go, whatever its state, and the domain runs.",
    due: &[
        (
            CleanUpTime::First,
            "where the bitmap is in the way of the next attempt, or was to be deleted anyway",
        ),
        (
            CleanUpTime::BeforeRetry,
            "where libvirt cannot store metadata until the host is repaired: without a definition \
             no bitmap is deleted",
        ),
        (
            CleanUpTime::AfterVerifiedBackup,
            "where it is a part of the old chain",
        ),
    ],
    steps: &[
        "look at the bitmaps again: one that is no longer as it was decided on stays",
        "redefine the checkpoint without validation, listing exactly the disks that carry the \
         bitmap",
        "delete that checkpoint with its bitmaps",
        "where it is good on other disks, redefine it there, with validation",
        "a name of more than 247 bytes, which libvirt cannot store: redefine a checkpoint of \
         another name whose <disk> elements name the bitmap, and delete that one",
        "nobody may ask QEMU's monitor which disks carry it: redefine and delete disk by disk; \
         VIR_ERR_INTERNAL_ERROR says that this one does not, and only the metadata is dropped",
    ],
    proof: &[
        FREE,
        "one that is kept is on exactly the disks where it is good",
        "no bitmap is left without a checkpoint, neither while the domain runs nor in its images \
         after a clean stop; qemu-img check finds nothing",
    ],
    care: "List no disk without the bitmap: the deletion is then refused as a whole.",
};

const PURGE_STALE_BITMAP_OFFLINE: CleanUpText = CleanUpText {
    when: "A bitmap is there and must go, and the domain is off and stays so.",
    due: &[(
        CleanUpTime::First,
        "it comes before libvirt forgets the checkpoint, see drop-checkpoint-metadata",
    )],
    steps: &[
        "make sure that no QEMU has the image open",
        "qemu-img bitmap --remove IMAGE NAME, on each disk that carries it",
    ],
    proof: &[
        "the closed images store no bitmap that is inconsistent or without a checkpoint",
        "qemu-img check finds nothing",
        FREE,
    ],
    care: "Never on an image that a running domain has open: that can destroy it.",
};

const CLEAR_STUCK_BACKUP_JOB: CleanUpText = CleanUpText {
    when: "A backup runs, and the domain's statistics know no job: it is registered, or disks \
           have block jobs of a backup.",
    due: &[(
        CleanUpTime::First,
        "every other attempt would make libvirt forget the backup that runs",
    )],
    steps: &[
        "abort the block job of each disk that has one of a backup (virDomainBlockJobAbort), and \
         wait for its end; virDomainAbortJob sees no job here",
        "libvirt has forgotten a pull backup already: stop its NBD server by nbd-server-stop \
         through QEMU's monitor, since nothing else does but switching the domain off",
        "remove the target and scratch files of this attempt that are still there",
        "the bitmap of its checkpoint has no owner: see purge-stale-bitmap-live",
    ],
    proof: &[
        "no backup is registered: virDomainBackupGetXMLDesc says VIR_ERR_NO_DOMAIN_BACKUP",
        "no disk has a block job any more",
        "the same call, or the corrected one, is then accepted",
    ],
    care: "Begin no other backup before: that is refused as well, and makes libvirt drop its \
           record of the first one. From then on aborting the block jobs leaves the NBD server \
           running, and each later pull backup is refused.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_words_of_json() {
        for time in [
            CleanUpTime::First,
            CleanUpTime::BeforeRetry,
            CleanUpTime::AfterVerifiedBackup,
        ] {
            let json = serde_json::to_string(&time).unwrap();
            assert_eq!(json, format!("\"{}\"", time_word(time)));
        }
    }
}

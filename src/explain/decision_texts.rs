//! Decisions, clean-up steps and categories in words.

use crate::model::{Category, CleanUpKind, Decision};

/// A decision in words.
pub(super) struct DecisionText {
    pub(super) meaning: &'static str,
    /// What the client does, in order.
    pub(super) steps: &'static [&'static str],
    /// What shows that it worked.
    pub(super) proof: &'static [&'static str],
    /// Situations that look alike and call for something else.
    pub(super) wrong: &'static [&'static str],
}

/// A clean-up step in words.
pub(super) struct CleanUpText {
    pub(super) when: &'static str,
    pub(super) steps: &'static [&'static str],
    pub(super) proof: &'static [&'static str],
    pub(super) care: &'static str,
}

/// Every recovery that takes a backup shows the same at its end.
const RESTORED: &str = "the next incremental backup, restored on top of what it is based on, \
                        equals the guest's disk byte for byte";

pub(super) const fn category_text(category: Category) -> &'static str {
    match category {
        Category::InvalidRequest => {
            "The same call can never succeed. Nothing in storage is damaged; the caller changes \
             its request."
        }
        Category::Temporary => {
            "The same call may succeed later, or once something outside the chain of backups has \
             changed."
        }
        Category::Unrecoverable => {
            "This backup cannot be made: it refers to history that is not there. The guest and \
             its data are well, and another backup can be taken."
        }
        Category::AlreadyDone => "What the caller wanted to reach is already so.",
        Category::Undecidable => "What can be observed does not tell what is safe.",
    }
}

pub(super) const fn decision_text(decision: Decision) -> DecisionText {
    match decision {
        Decision::FixRequest => FIX_REQUEST,
        Decision::RetryAfterJobEnds => RETRY_AFTER_JOB_ENDS,
        Decision::ChangeDomainStateThenRetry => CHANGE_DOMAIN_STATE_THEN_RETRY,
        Decision::RestoreEnvironmentThenRetry => RESTORE_ENVIRONMENT_THEN_RETRY,
        Decision::RedefineMissingCheckpointsThenRetry => REDEFINE_MISSING_CHECKPOINTS_THEN_RETRY,
        Decision::IncrementalFromOtherGoodCheckpoint => INCREMENTAL_FROM_OTHER_GOOD_CHECKPOINT,
        Decision::FullForAffectedDisks => FULL_FOR_AFFECTED_DISKS,
        Decision::FullBackupNewChain => FULL_BACKUP_NEW_CHAIN,
        Decision::TreatAsDone => TREAT_AS_DONE,
        Decision::InvestigateEscalate => INVESTIGATE_ESCALATE,
    }
}

pub(super) const fn clean_up_text(kind: CleanUpKind) -> CleanUpText {
    match kind {
        CleanUpKind::DiscardUncommittedCheckpoint => CleanUpText {
            when: "A backup asked for a checkpoint and did not complete, or its beginning was \
                   refused and yet the checkpoint is there.",
            steps: &["delete that checkpoint with its bitmaps, while the domain runs"],
            proof: &[
                "neither the checkpoint nor a bitmap of its name is left",
                "the next incremental backup, from the last checkpoint with a verified backup, \
                 holds what was written meanwhile",
            ],
            care: "It must be done before the next incremental backup. A checkpoint begins when \
                   the job starts, not when the backup succeeds: from one without data behind it, \
                   a restore has a hole and no error tells.",
        },
        CleanUpKind::DropCheckpointMetadata => CleanUpText {
            when: "The checkpoint is defined, and no disk carries its bitmap, or one of its disks \
                   lacks it.",
            steps: &[
                "no disk carries it: delete the checkpoint with \
                 VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY",
                "some disks do: redefine the checkpoint, listing exactly these",
            ],
            proof: &[
                "the checkpoint is not listed",
                "a checkpoint of the same name can be created: no bitmap was left",
            ],
            care: "Where a disk still carries the bitmap, it stays behind without an owner, and \
                   the name cannot be used again.",
        },
        CleanUpKind::PurgeStaleBitmapLive => CleanUpText {
            when: "A bitmap is there and must go, good or not, and the domain runs.",
            steps: &[
                "redefine the checkpoint without validation, listing exactly the disks whose \
                 bitmap must go",
                "delete that checkpoint with its bitmaps",
                "where it is good on other disks, redefine it there",
            ],
            proof: &[
                "after a clean stop no layer of the images has the bitmap",
                "qemu-img check finds nothing",
                "a checkpoint of the same name can be created",
            ],
            care: "List no disk without the bitmap: the deletion is refused as a whole.",
        },
        CleanUpKind::PurgeStaleBitmapOffline => CleanUpText {
            when: "A bitmap is there and must go, and the domain is off.",
            steps: &["qemu-img bitmap --remove IMAGE NAME, on every layer that carries it"],
            proof: &[
                "no layer of the images has the bitmap",
                "qemu-img check finds nothing",
                "a checkpoint of the same name can be created",
            ],
            care: "Never on an image that a running domain has open: that can destroy it.",
        },
        CleanUpKind::ClearStuckBackupJob => CleanUpText {
            when: "libvirt refuses a backup since one runs, and the domain's statistics know no \
                   job.",
            steps: &[
                "before any other attempt, abort the block job of each disk that has one",
                "ask for the backup's XML: the answer is now VIR_ERR_NO_DOMAIN_BACKUP",
                "remove the bitmap of the half-made checkpoint, see purge-stale-bitmap-live",
            ],
            proof: &[
                "no backup is registered, and no disk has a block job",
                "a new pull backup starts, so the export server was stopped too",
            ],
            care: "A second attempt to begin a backup drops libvirt's record of the first one; \
                   then only QEMU's monitor, or switching the domain off, stops the export server.",
        },
    }
}

const FIX_REQUEST: DecisionText = DecisionText {
    meaning: "The caller's XML, flags or names do not fit this domain.",
    steps: &[
        "change the XML, the flags or the name",
        "make sure that the refused call has left no checkpoint and no file",
        "call again, once",
    ],
    proof: &[
        "the corrected call succeeds",
        "the refused call left no checkpoint, no bitmap, no file and no job",
    ],
    wrong: &[
        "the same XML worked on the same domain before: then the host or the bitmaps have \
                 changed, and not the request",
    ],
};

const RETRY_AFTER_JOB_ENDS: DecisionText = DecisionText {
    meaning: "Another job holds the domain or the disk.",
    steps: &[
        "ask which job it is: the domain's job first, then the block job of each disk",
        "wait for its completion event, or ask again at growing intervals",
        "call again with the same parameters",
    ],
    proof: &[
        "the same call succeeds after the event",
        "the other job's result is whole, and there is one checkpoint, not two",
    ],
    wrong: &[
        "no job is to be seen while the call says that there is one: that job is stuck, \
                 see clear-stuck-backup-job",
        "the job is a lost backup of one's own: abort it instead of waiting",
    ],
};

const CHANGE_DOMAIN_STATE_THEN_RETRY: DecisionText = DecisionText {
    meaning: "The domain is in the wrong state for the call, mostly switched off.",
    steps: &[
        "ask for the domain's state",
        "switched off: start it, paused is enough; or back up the closed images with \
                 qemu-img instead",
        "restored and still paused: resume it, so that its bitmaps are loaded",
        "call again, and bring the former state back",
    ],
    proof: &[
        "the call succeeds, and the domain is then in the state it had before",
        "the bitmaps are still good after the domain was stopped cleanly",
    ],
    wrong: &["the domain has to stay off: then no retry through libvirt can help"],
};

const RESTORE_ENVIRONMENT_THEN_RETRY: DecisionText = DecisionText {
    meaning: "The host lacks something: space, a directory, a permission, a port, a socket, \
                      TLS material.",
    steps: &[
        "mend what is named",
        "remove half-made files of this very job",
        "look for a checkpoint or a job that the refused call left, and clean it up",
        "call again with the same parameters",
    ],
    proof: &[
        "the same call succeeds, and its target is complete",
        RESTORED,
    ],
    wrong: &[
        "a bitmap is the cause: VIR_ERR_INTERNAL_ERROR is raised for both",
        "it is repeated without anything having been mended",
    ],
};

const REDEFINE_MISSING_CHECKPOINTS_THEN_RETRY: DecisionText = DecisionText {
    meaning: "libvirt has lost the checkpoint's metadata; the bitmap is still in the image.",
    steps: &[
        "take the checkpoint's saved XML, without its <domain>; keep the disks that carry \
                 the bitmap, and the <parent> only if that is defined",
        "redefine, oldest first, with VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE and \
                 …_REDEFINE_VALIDATE, while the domain runs",
        "call again for the same incremental backup",
    ],
    proof: &[
        "the list of checkpoints is the saved one, in its order",
        "validation succeeds for each disk",
        "the incremental backup holds a write that was made before the metadata was lost",
    ],
    wrong: &[
        "the image may have been rolled back or replaced since: its bitmap looks good and \
                 is not; see full-backup-new-chain",
    ],
};

const INCREMENTAL_FROM_OTHER_GOOD_CHECKPOINT: DecisionText = DecisionText {
    meaning: "The wanted base cannot serve. Another one, older or newer, is good, and its \
                      backup is stored.",
    steps: &[
        "find checkpoints whose bitmaps are good on all wanted disks and whose backups \
                 are in the store",
        "clean the bad checkpoint up",
        "take an incremental backup from the best of them, with a new checkpoint",
        "record that checkpoint as the parent: the chain to restore branches there",
    ],
    proof: &[
        "full backup up to that base, and the new increment on it, equal the disk",
        "the bad checkpoint and its bitmaps are gone; the others still serve",
    ],
    wrong: &[
        "the other checkpoint comes from a backup that failed: no data is behind it",
        "backups between that base and now are taken for a part of the new chain",
    ],
};

const FULL_FOR_AFFECTED_DISKS: DecisionText = DecisionText {
    meaning: "Some of the disks have lost the bitmap, and others have not.",
    steps: &[
        "find the affected disks",
        "begin one backup: incremental for the domain, with backupmode='full' on each \
                 affected disk, and a new checkpoint on all",
        "record which kind of backup each disk has got",
        "clean the old checkpoint up on the affected disks",
    ],
    proof: &[
        "each disk, restored from its own chain, equals the guest's",
        "the next incremental backup works on all disks",
    ],
    wrong: &[
        "the store cannot mix full and incremental backups in one run",
        "an affected disk has a format without bitmaps",
    ],
};

const FULL_BACKUP_NEW_CHAIN: DecisionText = DecisionText {
    meaning: "No base is left that can serve.",
    steps: &[
        "take a full backup with a checkpoint under a name that nothing bears yet",
        "verify it",
        "only then remove the old checkpoints and bitmaps, and retire the old chain",
    ],
    proof: &[
        "the full backup equals the guest's disk",
        RESTORED,
        "the old chain can be restored until the full backup is verified",
    ],
    wrong: &[
        "it is the answer to a time-out, a busy port or a target that exists: that costs \
                 a whole transfer",
        "old checkpoints are deleted first: that destroys a chain which may be good",
    ],
};

const TREAT_AS_DONE: DecisionText = DecisionText {
    meaning: "What the caller wanted to reach is already so.",
    steps: &["confirm it by a query", "go on"],
    proof: &[
        "the query shows the wanted state",
        "the same call again gives the same code",
    ],
    wrong: &["another backup or another checkpoint was meant than the one that is named"],
};

const INVESTIGATE_ESCALATE: DecisionText = DecisionText {
    meaning: "The facts select no decision, or contradict each other.",
    steps: &[
        "keep everything; delete nothing",
        "save the error, the job's statistics, the checkpoints' XML, the list of bitmaps \
                 and QEMU's log",
        "try once more only if the call has no side effect",
        "tell a person",
    ],
    proof: &["before and after, the host is the same: nothing was deleted"],
    wrong: &["a probe can still tell the cases apart: ask first"],
};

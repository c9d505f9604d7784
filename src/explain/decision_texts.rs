//! Decisions and categories in words: what a recovery executes, and how it is proven.

use crate::model::{Category, Decision};

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

/// Every backup that a recovery takes is shown to be right in this way.
const RESTORED: &str = "the backup, restored on top of what it is based on, equals the guest's \
                        disks byte for byte";

/// What must hold behind a checkpoint with a backup.
const CHAIN: &str =
    "the next incremental backup, which all disks of its base are asked for, restores as well";

const OLD_CHAIN: &str = "every earlier backup that was good still restores";

const WHOLE: &str = "every checkpoint has a usable bitmap on each of its disks, and every bitmap \
                     a checkpoint; after a clean stop the images store them, and qemu-img check \
                     finds nothing";

const CLEAN_FIRST: &str = "do the clean-up that is due `first`";

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

const FIX_REQUEST: DecisionText = DecisionText {
    meaning: "The caller's XML, flags or names do not fit this domain.",
    steps: &[
        "where the refused call has left a checkpoint, a bitmap, a job or a file, clean that up",
        "change the XML, the flags or the name",
        "call again, once",
    ],
    proof: &[
        "the host is as it was before the refused call",
        "the corrected call is accepted; where it is a backup, it is restored and compared",
        "where something was cleaned up, the newest checkpoint with a verified backup still \
         serves",
    ],
    wrong: &[
        "the same XML worked on the same domain before: then the host or the bitmaps have \
         changed, and not the request",
    ],
};

const RETRY_AFTER_JOB_ENDS: DecisionText = DecisionText {
    meaning: "Another job holds the domain or the disk.",
    steps: &[
        CLEAN_FIRST,
        "see which job it is: the domain's job, else the block job of each disk",
        "wait for its completion event, or ask again at growing intervals; where the clean-up \
         has ended it, there is nothing to wait for",
        "call again with the same parameters",
    ],
    proof: &[
        "the same call, byte for byte, is accepted after the job's end",
        RESTORED,
        CHAIN,
        OLD_CHAIN,
        WHOLE,
    ],
    wrong: &[
        "no job is to be seen while the call says that there is one: that job is stuck, see \
         clear-stuck-backup-job",
        "the job is a lost backup of one's own: abort it instead of waiting",
    ],
};

const CHANGE_DOMAIN_STATE_THEN_RETRY: DecisionText = DecisionText {
    meaning: "The domain is in the wrong state for the call, mostly switched off.",
    steps: &[
        "switched off: start it, paused is enough",
        "restored and still paused: resume it, so that its bitmaps are loaded",
        CLEAN_FIRST,
        "call again with the same parameters",
        "bring the former state back, where that is wanted",
    ],
    proof: &[
        "the same call, byte for byte, is accepted in the new state",
        RESTORED,
        CHAIN,
        OLD_CHAIN,
        WHOLE,
    ],
    wrong: &[
        "the domain has to stay off: then other rules decide, and its closed images are read by \
         qemu-img or qemu-nbd",
    ],
};

const RESTORE_ENVIRONMENT_THEN_RETRY: DecisionText = DecisionText {
    meaning: "The host, or an image, is not as the call needs it: space, a directory, a \
              permission, a port, a socket, TLS material, a secret, the connection, or a stale \
              bitmap in the way of a new one.",
    steps: &[
        CLEAN_FIRST,
        "repair what the rule names; where the clean-up is the repair, nothing is left to repair",
        "do the clean-up that is due `before-retry`: it needs what was just repaired",
        "call again with the same parameters",
    ],
    proof: &[
        "the same call, byte for byte, is accepted",
        RESTORED,
        CHAIN,
        OLD_CHAIN,
        WHOLE,
    ],
    wrong: &[
        "VIR_ERR_INTERNAL_ERROR alone made one think so: it is raised for much else, so ask the \
         probes",
        "it is repeated without anything having been repaired",
    ],
};

const REDEFINE_MISSING_CHECKPOINTS_THEN_RETRY: DecisionText = DecisionText {
    meaning: "libvirt has lost the checkpoint's metadata; the bitmap is still in the image.",
    steps: &[
        CLEAN_FIRST,
        "take the kept XML of each checkpoint that libvirt has lost, without its <domain>; keep \
         the disks that carry the bitmap, and the <parent> only if that is defined",
        "redefine them, parents first, with VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE and \
         …_REDEFINE_VALIDATE, while the domain runs; leave out one whose bitmap no disk carries",
        "call again with the same parameters; where the new checkpoint was to have a name that \
         is taken by what was redefined, with another name",
    ],
    proof: &[
        "libvirt validates the bitmaps of each",
        "each kept checkpoint whose bitmap is there is listed again, behind its parent",
        "the call is accepted, and its backup holds what was written before the metadata was lost",
        RESTORED,
        CHAIN,
        OLD_CHAIN,
        WHOLE,
    ],
    wrong: &[
        "the image may have been rolled back or replaced since: its bitmap looks good and is \
         not; see full-backup-new-chain",
    ],
};

const INCREMENTAL_FROM_OTHER_GOOD_CHECKPOINT: DecisionText = DecisionText {
    meaning: "The wanted base cannot serve. Another one, older or newer, is good, and its \
              backup is verified.",
    steps: &[
        CLEAN_FIRST,
        "take an incremental backup from the base that the answer names, with a new checkpoint \
         of a name that neither a checkpoint nor a bitmap bears",
        "restore and compare it; record that base as the new checkpoint's parent: the chain to \
         restore branches there",
        "only then do the clean-up that is due `after-verified-backup`: the bad checkpoint goes",
    ],
    proof: &[
        RESTORED,
        OLD_CHAIN,
        CHAIN,
        "the bad checkpoint and its bitmaps are gone, and its name is free",
        WHOLE,
    ],
    wrong: &[
        "the other checkpoint comes from a backup that failed: no data is behind it",
        "backups between that base and now are taken for a part of the new chain",
    ],
};

const FULL_FOR_AFFECTED_DISKS: DecisionText = DecisionText {
    meaning: "Some of the disks have lost the bitmap, and others have not.",
    steps: &[
        CLEAN_FIRST,
        "where libvirt has lost the base, redefine it on the disks where it is good, with \
         validation",
        "begin one backup: incremental for the domain, with backupmode='full' on each affected \
         disk, and a new checkpoint of a fresh name on all",
        "restore and compare it, and record which kind of backup each disk has got",
        "only then do the clean-up that is due `after-verified-backup`: the old checkpoint goes \
         from the affected disks and is kept on the others",
    ],
    proof: &[
        "each disk, restored from its own chain, equals the guest's byte for byte",
        OLD_CHAIN,
        "the next incremental backup works on all disks, and restores",
        "the old checkpoint is on exactly the disks where it is good",
        WHOLE,
    ],
    wrong: &[
        "the store cannot mix full and incremental backups in one run",
        "an affected disk has a format without bitmaps",
    ],
};

const FULL_BACKUP_NEW_CHAIN: DecisionText = DecisionText {
    meaning: "No base is left that can serve.",
    steps: &[
        CLEAN_FIRST,
        "take a full backup with a checkpoint of a name that neither a checkpoint nor a bitmap \
         bears yet",
        "restore and compare it",
        "only then do the clean-up that is due `after-verified-backup`: each checkpoint that is \
         no longer whole goes with all of its bitmaps; one that is whole may stay",
    ],
    proof: &[
        RESTORED,
        "every earlier backup that was good still restores when the full one is verified",
        CHAIN,
        "the names that were cleaned up are free",
        WHOLE,
    ],
    wrong: &[
        "it is the answer to a time-out, a busy port or a target that exists: that costs a whole \
         transfer",
        "old checkpoints are deleted first: that destroys a chain which may be good",
    ],
};

const TREAT_AS_DONE: DecisionText = DecisionText {
    meaning: "What the caller wanted to reach is already so, or is so after a clean-up.",
    steps: &[
        "do the clean-up that is due `first`: it is what is left of the caller's wish",
        "confirm by a query that the wanted state holds",
        "go on",
    ],
    proof: &[
        "the query shows it: no checkpoint and no bitmap of that name after a deletion, no \
         registered backup after an abort, or the domain is gone",
        "the same call again, whatever it answers, changes nothing on the host",
        "the newest checkpoint with a verified backup still serves; a domain that is off has \
         sound images without stale bitmaps, and is started for this proof only",
    ],
    wrong: &["another backup or another checkpoint was meant than the one that is named"],
};

const INVESTIGATE_ESCALATE: DecisionText = DecisionText {
    meaning: "The facts select no decision, or contradict each other.",
    steps: &[
        "keep everything; delete nothing",
        "save the error, the job's statistics, the checkpoints' XML, the list of bitmaps and \
         QEMU's log",
        "try once more only if the call has no side effect",
        "tell a person",
    ],
    proof: &["the host is as it was right after the refusal: nothing was deleted"],
    wrong: &["a probe can still tell the cases apart: ask first"],
};

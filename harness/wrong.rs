//! Tempting wrong decisions, and the claims of the proof that each of them breaks.

use backup_tck::driver::Driver;
use backup_tck::model::{CleanUp, CleanUpKind, CleanUpTime, Decision, DiskPart};
use backup_tck::run::{Extent, run_deciding};
use backup_tck::scenario::{Expectation, Scenario, Step};
use backup_tck::suite::Suite;
use backup_tck::transcript::Conclusion;

/// A wrong decision for a scenario.
pub(crate) struct Wrong {
    /// What is tempting about it.
    pub(crate) name: &'static str,
    /// The decision that would have been right.
    pub(crate) right: Decision,
    pub(crate) scenario: &'static str,
    /// Turns the judge's decision into the wrong one.
    pub(crate) alter: fn(&mut Conclusion),
    /// What else of the scenario the wrong client does otherwise.
    pub(crate) change: fn(&mut Scenario),
    /// The claims that must not hold; where it is not the proof that breaks, the check that does.
    pub(crate) caught: &'static [&'static str],
    /// libvirt holds a call of it for 30 s.
    pub(crate) waits: bool,
}

const REFUSED_AGAIN: &[&str] = &["the same call"];

pub(crate) const WRONG: &[Wrong] = &[
    // For want of a better idea, a full backup: it works, and costs a whole transfer.
    Wrong {
        name: "full_backup_for_a_target_that_exists",
        right: Decision::FixRequest,
        scenario: "target-file-exists",
        alter: new_chain,
        caught: &["base that is left"],
        ..NOTHING
    },
    Wrong {
        name: "retry_without_waiting_for_the_job",
        right: Decision::RetryAfterJobEnds,
        scenario: "disk-has-block-job",
        change: idle_remedy,
        caught: REFUSED_AGAIN,
        ..NOTHING
    },
    Wrong {
        name: "all_checkpoints_dropped_for_a_time_out",
        right: Decision::RetryAfterJobEnds,
        scenario: "another-backup-runs",
        alter: |conclusion| {
            new_chain(conclusion);
            conclusion.clean_up = vec![clean_up(CleanUpKind::DropCheckpointMetadata, "c1")];
        },
        caught: &["backup-begin push full checkpoint=recovery1"],
        waits: true,
        ..NOTHING
    },
    // What is left behind bears the name: no checkpoint can have it again.
    Wrong {
        name: "metadata_alone_deleted_while_the_domain_is_off",
        right: Decision::ChangeDomainStateThenRetry,
        scenario: "delete-on-shut-off-domain@may-start",
        alter: |conclusion| {
            conclusion.decision = Decision::TreatAsDone;
            conclusion.clean_up = vec![clean_up(CleanUpKind::DropCheckpointMetadata, "c2")];
        },
        caught: &["the wanted state", "bitmaps of the closed images"],
        ..NOTHING
    },
    Wrong {
        name: "retry_while_the_orphan_still_runs",
        right: Decision::RestoreEnvironmentThenRetry,
        scenario: "metadata-store-unwritable",
        alter: |conclusion| conclusion.clean_up.clear(),
        caught: REFUSED_AGAIN,
        ..NOTHING
    },
    Wrong {
        name: "stale_bitmap_left_in_the_way",
        right: Decision::RestoreEnvironmentThenRetry,
        scenario: "stale-bitmap-bears-the-name@with-monitor",
        alter: |conclusion| conclusion.clean_up.clear(),
        change: idle_remedy,
        caught: REFUSED_AGAIN,
        ..NOTHING
    },
    Wrong {
        name: "full_backup_for_lost_metadata",
        right: Decision::RedefineMissingCheckpointsThenRetry,
        scenario: "incremental-after-metadata-lost",
        alter: new_chain,
        caught: &["base that is left"],
        ..NOTHING
    },
    Wrong {
        name: "base_taken_that_is_broken_itself",
        right: Decision::IncrementalFromOtherGoodCheckpoint,
        scenario: "middle-bitmap-lost@itself",
        alter: |conclusion| conclusion.base = Some("c2".to_owned()),
        caught: &["backup-begin push incremental=c2 checkpoint=recovery1"],
        ..NOTHING
    },
    // No error at all: what was written between the last backup and the attempt is in no backup.
    Wrong {
        name: "uncommitted_checkpoint_taken_as_base",
        right: Decision::FixRequest,
        scenario: "name-of-aborted-attempt",
        alter: |conclusion| {
            conclusion.decision = Decision::IncrementalFromOtherGoodCheckpoint;
            conclusion.base = Some("c2".to_owned());
            conclusion.disks = [("vda".to_owned(), DiskPart::Incremental)].into();
            conclusion.clean_up.clear();
        },
        caught: &["restore vda incremental"],
        ..NOTHING
    },
    Wrong {
        name: "incremental_for_the_disk_that_lost_its_bitmap",
        right: Decision::FullForAffectedDisks,
        scenario: "incremental-over-bitmap-lost-on-one-disk",
        alter: |conclusion| {
            let parts = conclusion.disks.values_mut();
            parts.for_each(|part| *part = DiskPart::Incremental);
        },
        caught: &["backup-begin push incremental=c1 checkpoint=recovery1"],
        ..NOTHING
    },
    Wrong {
        name: "full_for_all_disks_where_one_has_lost_its_bitmap",
        right: Decision::FullForAffectedDisks,
        scenario: "incremental-over-bitmap-lost-on-one-disk",
        alter: |conclusion| {
            new_chain(conclusion);
            conclusion.clean_up.clear();
        },
        caught: &["checkpoints with bitmaps"],
        ..NOTHING
    },
    // A broken bitmap does not mend.
    Wrong {
        name: "retry_for_ever_on_109",
        right: Decision::FullBackupNewChain,
        scenario: "incremental-over-inconsistent-bitmap",
        alter: |conclusion| {
            conclusion.decision = Decision::RestoreEnvironmentThenRetry;
            conclusion.clean_up.clear();
        },
        change: idle_remedy,
        caught: REFUSED_AGAIN,
        ..NOTHING
    },
    Wrong {
        name: "metadata_alone_deleted_of_an_inconsistent_bitmap",
        right: Decision::FullBackupNewChain,
        scenario: "incremental-over-inconsistent-bitmap",
        alter: |conclusion| {
            for step in &mut conclusion.clean_up {
                step.kind = CleanUpKind::DropCheckpointMetadata;
            }
        },
        caught: &["name c1", "bitmaps"],
        ..NOTHING
    },
    // The backup is right, and the other disk's next incremental one is not possible any more.
    Wrong {
        name: "other_disks_bitmap_given_up_with_the_chain",
        right: Decision::FullBackupNewChain,
        scenario: "new-chain-of-one-of-two-disks",
        alter: |conclusion| {
            for step in &mut conclusion.clean_up {
                step.disks.append(&mut step.kept);
            }
        },
        caught: &["bitmaps that could serve"],
        ..NOTHING
    },
    Wrong {
        name: "refused_deletion_taken_for_done",
        right: Decision::TreatAsDone,
        scenario: "delete-of-half-present-checkpoint@with-monitor",
        alter: |conclusion| conclusion.clean_up.clear(),
        caught: &["the wanted state"],
        ..NOTHING
    },
    Wrong {
        name: "lost_checkpoint_taken_for_deleted",
        right: Decision::TreatAsDone,
        scenario: "delete-after-metadata-lost",
        alter: |conclusion| conclusion.clean_up.clear(),
        caught: &["the wanted state"],
        ..NOTHING
    },
    // The caller's wish was about c2: c1 is the base of the next backup.
    Wrong {
        name: "the_good_base_deleted_along_with_the_other",
        right: Decision::TreatAsDone,
        scenario: "delete-of-half-present-checkpoint@with-monitor",
        alter: |conclusion| {
            let purge = clean_up(CleanUpKind::PurgeStaleBitmapLive, "c1");
            conclusion.clean_up.push(purge);
        },
        caught: &["bitmaps that could serve"],
        ..NOTHING
    },
    Wrong {
        name: "chain_given_up_for_an_error_nobody_understands",
        right: Decision::InvestigateEscalate,
        scenario: "export-bitmap-without-name",
        alter: |conclusion| {
            new_chain(conclusion);
            conclusion.clean_up = vec![clean_up(CleanUpKind::PurgeStaleBitmapLive, "c1")];
        },
        caught: &["base that is left"],
        ..NOTHING
    },
];

const NOTHING: Wrong = Wrong {
    name: "",
    right: Decision::InvestigateEscalate,
    scenario: "",
    alter: |_| {},
    change: |_| {},
    caught: &[],
    waits: false,
};

fn new_chain(conclusion: &mut Conclusion) {
    conclusion.decision = Decision::FullBackupNewChain;
    conclusion.base = None;
    conclusion.disks.clear();
}

fn clean_up(kind: CleanUpKind, checkpoint: &str) -> CleanUp {
    CleanUp {
        kind,
        checkpoint: checkpoint.to_owned(),
        disks: vec!["vda".to_owned()],
        kept: Vec::new(),
        time: CleanUpTime::First,
        unseen: false,
    }
}

/// The operator does something that changes nothing about the cause.
fn idle_remedy(scenario: &mut Scenario) {
    let is_write =
        |step: &&backup_tck::scenario::Spanned<Step>| matches!(step.value, Step::GuestWrite(_));
    let write = scenario.history.iter().find(is_write).cloned();
    if let Expectation::Refusal(refusal) = &mut scenario.then {
        refusal.remedy = Some(write.into_iter().collect());
    }
}

impl Wrong {
    /// The claims that do not hold when the wrong decision is executed, and whether the scenario
    /// fails for it.
    pub(crate) fn found(&self, driver: &mut dyn Driver) -> (Vec<String>, bool) {
        let mut cases = Suite::Embedded.cases().unwrap().into_iter();
        let case = cases
            .find(|case| case.name.ends_with(self.scenario))
            .unwrap();
        let mut scenario = case.scenario.as_ref().unwrap().as_ref().clone();
        (self.change)(&mut scenario);
        let identity = driver.identity().unwrap();
        let named = (case.name.as_str(), &scenario);
        let ran = run_deciding(driver, &identity, named, Extent::Whole, &self.alter).unwrap();
        let broken = ran.transcript.proof.into_iter().filter(|line| !line.holds);
        let fails = ran.checks.iter().any(|check| !check.holds);
        (broken.map(|line| line.claim).collect(), fails)
    }

    /// Whether each claim that must break is among those that did.
    pub(crate) fn is_caught_by(&self, broken: &[String]) -> bool {
        let mut caught = self.caught.iter();
        caught.all(|claim| broken.iter().any(|broken| broken == claim))
    }
}

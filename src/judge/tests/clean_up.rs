//! What a decision lets go, and what it must not.

use std::collections::{BTreeMap, BTreeSet};

use rstest::rstest;

use super::given::{decided, defined, facts, row};
use crate::judge::{BitmapHealth, CompletedJob, Facts, Judgement, Place, Probe, decide};
use crate::model::{
    Api, BitmapRow, BitmapTable, CleanUp, CleanUpKind, Decision, DomainState, EachDisk, ErrorCode,
    ErrorDomain, RequestedDisk, flags,
};

fn words(steps: &[CleanUp]) -> Vec<String> {
    steps.iter().map(ToString::to_string).collect()
}

fn with_rows(mut facts: Facts, rows: Vec<BitmapRow>) -> Facts {
    facts.observed.bitmaps = Some(BitmapTable::of(rows));
    facts
}

/// An incremental backup of `vda` alone, whose base is broken there.
fn about_vda_only() -> Facts {
    let mut facts = facts(ErrorCode::CHECKPOINT_INCONSISTENT);
    facts.request.disks.truncate(1);
    facts.observed.checkpoints = Some(defined(&["cp1"]));
    with_rows(
        facts,
        vec![row("vda", "cp1", true), row("vdb", "cp1", false)],
    )
}

#[test]
fn a_new_chain_leaves_the_disks_alone_that_it_is_not_about() {
    let found = decided(&about_vda_only());
    assert_eq!(found.decision, Decision::FullBackupNewChain);
    let step = &found.detail.clean_up[0];
    assert_eq!(
        (&step.disks[..], &step.kept[..]),
        (&["vda".to_owned()][..], &["vdb".to_owned()][..])
    );
}

#[test]
fn without_a_monitor_a_disk_that_nobody_asked_about_is_kept() {
    let mut facts = about_vda_only();
    facts.records.can_use_monitor = false;
    facts.observed.bitmaps = None;
    let health = BTreeMap::from([("vda".to_owned(), BitmapHealth::Bad)]);
    facts.observed.bitmap_health = [("cp1".to_owned(), health)].into();
    let found = decided(&facts);
    let step = &found.detail.clean_up[0];
    assert_eq!(
        (&step.disks[..], &step.kept[..]),
        (&["vda".to_owned()][..], &["vdb".to_owned()][..])
    );
}

#[test]
fn a_disk_that_the_answer_leaves_out_is_bad_and_not_asked_for_again() {
    let mut facts = facts(ErrorCode::CHECKPOINT_INCONSISTENT);
    facts.records.can_use_monitor = false;
    facts.observed.bitmaps = None;
    let health = BTreeMap::from([("vda".to_owned(), BitmapHealth::Good)]);
    facts.observed.bitmap_health = [("cp1".to_owned(), health)].into();
    assert_eq!(decided(&facts).decision, Decision::FullForAffectedDisks);
}

#[rstest]
#[case::own(true, &["drop-checkpoint-metadata cp1", "purge-stale-bitmap-live cp2"])]
#[case::of_others(false, &["drop-checkpoint-metadata cp1"])]
fn what_is_in_nobodys_books_stays(#[case] is_own: bool, #[case] steps: &[&str]) {
    let mut facts = facts(ErrorCode::CHECKPOINT_INCONSISTENT);
    if !is_own {
        facts.records.own_checkpoints.clear();
    }
    let facts = with_rows(facts, vec![row("vda", "cp2", true)]);
    assert_eq!(words(&decided(&facts).detail.clean_up), steps);
}

#[test]
fn a_checkpoint_of_a_detached_disk_waits_for_it() {
    let mut facts = about_vda_only();
    let disks = ["vda", "vdz"].map(str::to_owned).to_vec();
    facts.observed.checkpoints = Some([("cp1".to_owned(), disks)].into());
    assert!(decided(&facts).detail.clean_up.is_empty());
}

#[test]
fn what_a_job_uses_stays() {
    let mut facts = about_vda_only();
    let rows = &mut facts.observed.bitmaps.as_mut().unwrap().0;
    rows[0].busy = true;
    assert!(decided(&facts).detail.clean_up.is_empty());
}

#[rstest]
#[case::it_runs(true, 0)]
#[case::it_has_ended(false, 1)]
fn an_attempt_whose_backup_runs_is_not_discarded(#[case] runs: bool, #[case] discarded: usize) {
    let mut facts = facts(ErrorCode::CHECKPOINT_INCONSISTENT);
    facts.observed.checkpoints = Some(defined(&["cp1", "cp8"]));
    facts.records.uncommitted_checkpoints = BTreeSet::from(["cp8".to_owned()]);
    facts.observed.backup = None;
    let facts = with_rows(
        facts,
        vec![row("vda", "cp8", false), row("vdb", "cp8", false)],
    );
    assert_eq!(decide(&facts), Judgement::Need(Probe::Backup));
    let mut facts = facts;
    facts.observed.backup = Some(runs);
    let steps = decided(&facts).detail.clean_up;
    let is_discard = |step: &&CleanUp| step.kind == CleanUpKind::DiscardUncommittedCheckpoint;
    assert_eq!(steps.iter().filter(is_discard).count(), discarded);
}

#[rstest]
#[case::of_all_disks(&["vda", "vdb"], Decision::RedefineMissingCheckpointsThenRetry)]
#[case::of_one(&["vda"], Decision::FullForAffectedDisks)]
fn a_base_is_one_for_the_disks_whose_backups_are_there(
    #[case] verified: &[&str],
    #[case] decision: Decision,
) {
    let mut facts = facts(ErrorCode::NO_DOMAIN_CHECKPOINT);
    facts.observed.checkpoints = Some(defined(&[]));
    let disks = verified.iter().map(|disk| (*disk).to_owned()).collect();
    facts.records.verified_disks = [("cp1".to_owned(), disks)].into();
    let facts = with_rows(
        facts,
        vec![row("vda", "cp1", false), row("vdb", "cp1", false)],
    );
    assert_eq!(decided(&facts).decision, decision);
}

#[test]
fn an_older_checkpoint_is_of_the_old_image_as_well() {
    let mut facts = facts(ErrorCode::CHECKPOINT_INCONSISTENT);
    facts.records.verified_checkpoints = ["cp2", "cp1"].map(str::to_owned).into();
    let replaced = BTreeSet::from(["vda".to_owned()]);
    facts.records.replaced_disks = [("cp1".to_owned(), replaced)].into();
    let facts = with_rows(
        facts,
        vec![row("vda", "cp2", false), row("vdb", "cp2", false)],
    );
    assert_eq!(decided(&facts).decision, Decision::FullBackupNewChain);
}

#[test]
fn another_base_need_not_be_defined() {
    let mut facts = facts(ErrorCode::NO_DOMAIN_CHECKPOINT);
    facts.observed.checkpoints = Some(defined(&[]));
    facts.records.verified_checkpoints = ["cp1", "cp2"].map(str::to_owned).into();
    let facts = with_rows(
        facts,
        vec![row("vda", "cp2", false), row("vdb", "cp2", false)],
    );
    let found = decided(&facts);
    assert_eq!(found.rule, "B8-other-base");
    assert_eq!(found.detail.base.as_deref(), Some("cp2"));
}

#[rstest]
#[case::the_checkpoint(0, Decision::TreatAsDone)]
#[case::its_children_too(flags::CHECKPOINT_DELETE_CHILDREN, Decision::InvestigateEscalate)]
#[case::its_children_only(flags::CHECKPOINT_DELETE_CHILDREN_ONLY, Decision::InvestigateEscalate)]
fn children_are_not_deleted_by_one_checkpoints_rule(#[case] bits: u32, #[case] decision: Decision) {
    let mut facts = facts(ErrorCode::INTERNAL_ERROR);
    facts.api = Api::CheckpointDelete.into();
    facts.request.checkpoint = Some("cp1".to_owned());
    facts.request.flags = bits;
    assert_eq!(decided(&facts).decision, decision);
}

#[test]
fn a_bitmap_outlives_the_deletion_of_metadata_only() {
    let mut facts = facts(ErrorCode::NO_DOMAIN_CHECKPOINT);
    facts.api = Api::CheckpointDelete.into();
    facts.request.checkpoint = Some("cp1".to_owned());
    facts.request.flags = flags::CHECKPOINT_DELETE_METADATA_ONLY;
    facts.observed.checkpoints = Some(defined(&[]));
    facts.records.saved_checkpoints = BTreeSet::from(["cp1".to_owned()]);
    let facts = with_rows(facts, vec![row("vda", "cp1", false)]);
    assert!(decided(&facts).detail.clean_up.is_empty());
}

#[test]
fn a_request_without_disks_is_about_those_of_the_domain() {
    let mut facts = facts(ErrorCode::CHECKPOINT_INCONSISTENT);
    facts.request.disks = Vec::<RequestedDisk>::new();
    facts.request.each_disk = Some(EachDisk {
        base: Some("cp1".to_owned()),
        is_pull: false,
    });
    let formats = facts.observed.disk_formats.take();
    assert_eq!(decide(&facts), Judgement::Need(Probe::DiskFormats));
    facts.observed.disk_formats = formats;
    let facts = with_rows(facts, vec![row("vda", "cp1", false)]);
    let found = decided(&facts);
    assert_eq!(found.decision, Decision::FullForAffectedDisks);
    assert_eq!(found.detail.disks.len(), 2);
}

#[test]
fn a_killed_domains_attempt_goes_before_the_new_chain() {
    let mut facts = facts(ErrorCode(0));
    facts.error = None;
    facts.observed.completed_job = Some(CompletedJob::Cancelled);
    facts.observed.checkpoints = Some(defined(&["cp1", "cp9"]));
    let found = decided(&facts);
    assert_eq!(found.rule, "J2-bitmaps");
    let expected = [
        "drop-checkpoint-metadata cp9, first",
        "drop-checkpoint-metadata cp1",
    ];
    assert_eq!(words(&found.detail.clean_up), expected);
}

#[test]
fn a_restored_and_paused_domain_is_not_judged_by_its_bitmaps() {
    let mut facts = facts(ErrorCode::NO_DOMAIN_CHECKPOINT);
    facts.observed.domain_state = Some(DomainState::Paused);
    facts.records.restored_and_not_resumed = Some(true);
    assert_eq!(decided(&facts).rule, "B5a");
    facts.records.may_start = false;
    assert_eq!(decided(&facts).rule, "B5a-wait");
}

/// What bears the name of the request need not be the request's.
#[rstest]
#[case::an_early_error(1, ErrorDomain::QEMU)]
#[case::a_lost_connection(1, ErrorDomain::RPC)]
#[case::a_name_that_is_taken(9, ErrorDomain::DOMAIN)]
fn a_checkpoint_that_nobody_has_booked_stays(#[case] code: i32, #[case] domain: ErrorDomain) {
    let mut facts = facts(ErrorCode(code));
    facts.error.as_mut().unwrap().domain = domain;
    facts.observed.checkpoints = Some(defined(&["cp1", "cp9"]));
    assert!(decided(&facts).detail.clean_up.is_empty());
}

#[rstest]
#[case::disabled(BitmapRow { recording: false, ..row("vda", "cp9", false) }, "B11-foreign")]
#[case::below_the_top(BitmapRow { layer: 1, ..row("vda", "cp9", false) }, "B11-foreign")]
#[case::useless_for_ever(row("vda", "cp9", true), "B11")]
fn a_bitmap_of_others_stays(#[case] row: BitmapRow, #[case] rule: &str) {
    let facts = with_rows(facts(ErrorCode::INTERNAL_ERROR), vec![row]);
    assert_eq!(decided(&facts).rule, rule);
}

#[test]
fn a_full_store_says_nothing_of_a_bitmap() {
    let mut facts = facts(ErrorCode::INTERNAL_ERROR);
    facts.observed.metadata_store = Some(Place::Unusable("full".to_owned()));
    let facts = with_rows(facts, vec![row("vda", "cp9", false)]);
    assert!(decided(&facts).detail.clean_up.is_empty());
}

#[test]
fn without_a_monitor_a_paused_domains_checkpoint_is_not_given_up() {
    let mut facts = facts(ErrorCode::INTERNAL_ERROR);
    facts.api = Api::CheckpointDelete.into();
    facts.request.checkpoint = Some("cp1".to_owned());
    facts.records.can_use_monitor = false;
    facts.records.restored_and_not_resumed = None;
    facts.observed.domain_state = Some(DomainState::Paused);
    assert_eq!(decided(&facts).rule, "B5a-full-unknown");
}

//! Bases and their bitmaps, and the situations that share a code.

use std::collections::BTreeSet;

use rstest::rstest;

use super::given::{decided, defined, error, facts, formats, row};
use crate::judge::{Judgement, Place, Probe, decide};
use crate::model::{
    Api, BitmapRow, BitmapTable, CleanUpKind, Decision, DiskFormat, DiskPart, DomainState,
    ErrorCode, NbdServer,
};

#[test]
fn probes_are_asked_one_by_one_and_only_when_needed() {
    let mut facts = facts(ErrorCode::CHECKPOINT_INCONSISTENT);
    let observed = std::mem::take(&mut facts.observed);
    assert_eq!(decide(&facts), Judgement::Need(Probe::DomainState));
    facts.observed.domain_state = observed.domain_state;
    assert_eq!(decide(&facts), Judgement::Need(Probe::DiskFormats));
    facts.observed.disk_formats = observed.disk_formats;
    assert_eq!(decide(&facts), Judgement::Need(Probe::Checkpoints));
    facts.observed.checkpoints = observed.checkpoints;
    assert_eq!(decide(&facts), Judgement::Need(Probe::Bitmaps));
    error(&mut facts).code = ErrorCode::CONFIG_UNSUPPORTED;
    assert_eq!(
        decided(&facts).decision,
        Decision::FixRequest,
        "67 needs no probe"
    );
}

#[rstest]
#[case::missing(vec![], Some(CleanUpKind::DropCheckpointMetadata))]
#[case::inconsistent(vec![row("vda", "cp1", true), row("vdb", "cp1", true)], Some(CleanUpKind::PurgeStaleBitmapLive))]
fn all_bad_and_no_other_base_is_a_new_chain(
    #[case] rows: Vec<BitmapRow>,
    #[case] clean_up: Option<CleanUpKind>,
) {
    let mut facts = facts(ErrorCode::CHECKPOINT_INCONSISTENT);
    facts.observed.bitmaps = Some(BitmapTable::of(rows));
    let decided = decided(&facts);
    assert_eq!(decided.decision, Decision::FullBackupNewChain);
    assert_eq!(
        decided.detail.clean_up.first().map(|step| step.kind),
        clean_up
    );
}

#[rstest]
#[case::verified(true, Decision::IncrementalFromOtherGoodCheckpoint)]
#[case::no_backup_behind_it(false, Decision::FullBackupNewChain)]
fn another_base_serves_only_with_a_verified_backup(
    #[case] verified: bool,
    #[case] decision: Decision,
) {
    let mut facts = facts(ErrorCode::CHECKPOINT_INCONSISTENT);
    let rows = vec![row("vda", "cp2", false), row("vdb", "cp2", false)];
    facts.observed.bitmaps = Some(BitmapTable::of(rows));
    if verified {
        facts.records.verified_checkpoints = vec!["cp2".to_owned()];
    }
    assert_eq!(decided(&facts).decision, decision);
}

#[rstest]
#[case::missing(vec![row("vda", "cp1", false)], CleanUpKind::DropCheckpointMetadata)]
#[case::inconsistent(vec![row("vda", "cp1", false), row("vdb", "cp1", true)], CleanUpKind::PurgeStaleBitmapLive)]
fn one_bad_disk_of_two_is_full_for_that_disk(
    #[case] rows: Vec<BitmapRow>,
    #[case] kind: CleanUpKind,
) {
    let mut facts = facts(ErrorCode::CHECKPOINT_INCONSISTENT);
    facts.observed.checkpoints = Some(defined(&["cp1"]));
    facts.observed.bitmaps = Some(BitmapTable::of(rows));
    let decided = decided(&facts);
    assert_eq!(decided.decision, Decision::FullForAffectedDisks);
    assert_eq!(decided.detail.base.as_deref(), Some("cp1"));
    let parts = [("vda", DiskPart::Incremental), ("vdb", DiskPart::Full)];
    let parts = parts.map(|(disk, part)| (disk.to_owned(), part));
    assert_eq!(decided.detail.disks, parts.into());
    // What can still serve is kept.
    let clean_up = &decided.detail.clean_up;
    assert_eq!(clean_up.len(), 1);
    assert_eq!(clean_up[0].kind, kind);
    assert_eq!(
        (&clean_up[0].disks[..], &clean_up[0].kept[..]),
        (&["vdb".to_owned()][..], &["vda".to_owned()][..])
    );
}

#[rstest]
#[case::all_lost(vec![], "B1")]
#[case::one_inconsistent(vec![row("vdb", "cp1", true)], "B2")]
#[case::disabled(vec![BitmapRow { recording: false, ..row("vdb", "cp1", false) }], "B5")]
fn the_rule_tells_what_broke(#[case] rows: Vec<BitmapRow>, #[case] rule: &str) {
    let mut facts = facts(ErrorCode::CHECKPOINT_INCONSISTENT);
    facts.observed.bitmaps = Some(BitmapTable::of(rows));
    assert_eq!(decided(&facts).rule, rule);
}

#[test]
fn the_newest_other_base_is_taken() {
    let mut facts = facts(ErrorCode::CHECKPOINT_INCONSISTENT);
    facts.observed.checkpoints = Some(defined(&["cp1", "cp2", "cp3"]));
    let rows = ["cp2", "cp3"].map(|name| [row("vda", name, false), row("vdb", name, false)]);
    facts.observed.bitmaps = Some(BitmapTable::of(rows.concat()));
    facts.records.verified_checkpoints = ["cp1", "cp2", "cp3"].map(str::to_owned).into();
    let found = decided(&facts);
    assert_eq!(found.detail.base.as_deref(), Some("cp3"));
    let only = &found.detail.clean_up;
    assert_eq!(only.len(), 1, "the two good ones stay: {only:?}");
    assert_eq!(only[0].kind, CleanUpKind::DropCheckpointMetadata);
    // Good on one of the disks only.
    let rows = vec![
        row("vda", "cp2", false),
        row("vdb", "cp2", false),
        row("vda", "cp3", false),
    ];
    facts.observed.bitmaps = Some(BitmapTable::of(rows));
    assert_eq!(decided(&facts).detail.base.as_deref(), Some("cp2"));
}

#[rstest]
#[case::kept(true, &["vda", "vdb"], Decision::RedefineMissingCheckpointsThenRetry)]
#[case::not_kept(false, &["vda", "vdb"], Decision::RedefineMissingCheckpointsThenRetry)]
#[case::bitmap_lost_too(true, &["vda"], Decision::FullForAffectedDisks)]
fn lost_metadata_is_redefined_where_all_of_it_is_there(
    #[case] kept: bool,
    #[case] carriers: &[&str],
    #[case] decision: Decision,
) {
    let mut facts = facts(ErrorCode::NO_DOMAIN_CHECKPOINT);
    facts.observed.checkpoints = Some(defined(&[]));
    let rows = carriers.iter().map(|disk| row(disk, "cp1", false));
    facts.observed.bitmaps = Some(BitmapTable::of(rows.collect()));
    if kept {
        facts.records.saved_checkpoints = BTreeSet::from(["cp1".to_owned()]);
    }
    assert_eq!(decided(&facts).decision, decision);
}

#[test]
fn an_unknown_base_is_replaced_by_a_good_one() {
    let mut facts = facts(ErrorCode::NO_DOMAIN_CHECKPOINT);
    facts.observed.checkpoints = Some(defined(&["cp2"]));
    let rows = vec![row("vda", "cp2", false), row("vdb", "cp2", false)];
    facts.observed.bitmaps = Some(BitmapTable::of(rows));
    facts.records.verified_checkpoints = vec!["cp2".to_owned()];
    let found = decided(&facts);
    assert_eq!(found.rule, "B8-other-base");
    assert!(found.detail.clean_up.is_empty(), "{:?}", found.detail);
    facts.api = Api::CheckpointDelete.into();
    assert_eq!(decided(&facts).rule, "D5", "the rule is about backups");
}

/// The situations behind code 1 of a backup, which the code does not tell apart.
#[rstest]
#[case::block_job(&["vdb"], Place::Usable, "", Decision::RetryAfterJobEnds)]
#[case::job_of_a_foreign_disk(&["vdz"], Place::Usable, "", Decision::InvestigateEscalate)]
#[case::server_cannot_listen(&[], Place::Unusable("port in use".to_owned()), "", Decision::RestoreEnvironmentThenRetry)]
#[case::server_runs(&[], Place::Usable, "NBD server already running", Decision::RetryAfterJobEnds)]
#[case::nothing_of_it(&[], Place::Usable, "", Decision::InvestigateEscalate)]
fn code_1_is_told_apart_by_probes(
    #[case] busy: &[&str],
    #[case] server: Place,
    #[case] message: &str,
    #[case] decision: Decision,
) {
    let mut facts = facts(ErrorCode::INTERNAL_ERROR);
    error(&mut facts).message = format!("internal error: {message}");
    facts.observed.block_jobs = None;
    facts.observed.server = None;
    assert_eq!(decide(&facts), Judgement::Need(Probe::BlockJobs));
    // `VIR_DOMAIN_BLOCK_JOB_TYPE_COPY`.
    facts.observed.block_jobs = Some(busy.iter().map(|disk| ((*disk).to_owned(), 2)).collect());
    facts.request.server = Some(NbdServer::Port(10_809));
    if busy != ["vdb"] && message.is_empty() {
        assert_eq!(decide(&facts), Judgement::Need(Probe::Server));
    }
    facts.observed.server = Some(server);
    assert_eq!(decided(&facts).decision, decision);
}

#[rstest]
#[case::validate(
    Api::CheckpointCreate,
    DomainState::Shutoff,
    Decision::ChangeDomainStateThenRetry
)]
#[case::size(
    Api::CheckpointGetXmlDesc,
    DomainState::Shutoff,
    Decision::ChangeDomainStateThenRetry
)]
#[case::domain_runs(
    Api::CheckpointCreate,
    DomainState::Running,
    Decision::InvestigateEscalate
)]
#[case::other_function(
    Api::DomainSuspend,
    DomainState::Shutoff,
    Decision::InvestigateEscalate
)]
fn code_55_wants_the_domain_started_where_it_is_off(
    #[case] api: Api,
    #[case] state: DomainState,
    #[case] decision: Decision,
) {
    let mut facts = facts(ErrorCode::OPERATION_INVALID);
    facts.api = api.into();
    facts.observed.domain_state = Some(state);
    assert_eq!(decided(&facts).decision, decision);
}

#[rstest]
#[case::flags(0, "B22")]
#[case::a_file_that_is_there(-1, "B21")]
fn code_8_is_about_flags_where_int1_says_so(#[case] int1: i32, #[case] rule: &str) {
    let mut facts = facts(ErrorCode::INVALID_ARG);
    error(&mut facts).int1 = int1;
    assert_eq!(decided(&facts).rule, rule);
}

#[test]
fn a_raw_disk_is_the_callers_mistake() {
    let mut facts = facts(ErrorCode::CHECKPOINT_INCONSISTENT);
    facts.observed.disk_formats = Some(formats(DiskFormat::Raw));
    assert_eq!(decided(&facts).decision, Decision::FixRequest);
}

#[test]
fn a_disk_that_is_backed_up_in_full_does_not_count() {
    let mut facts = facts(ErrorCode::CHECKPOINT_INCONSISTENT);
    facts.request.disks[1].base = None;
    facts.observed.disk_formats = Some(formats(DiskFormat::Raw));
    assert_eq!(decided(&facts).decision, Decision::FullBackupNewChain);
}

#[test]
fn a_restored_and_paused_domain_is_resumed_first() {
    let mut facts = facts(ErrorCode::CHECKPOINT_INCONSISTENT);
    facts.observed.domain_state = Some(DomainState::Paused);
    assert_eq!(decided(&facts).decision, Decision::FullBackupNewChain);
    facts.records.restored_and_not_resumed = Some(true);
    assert_eq!(
        decided(&facts).decision,
        Decision::ChangeDomainStateThenRetry
    );
}

#[test]
fn facts_that_contradict_the_error_delete_nothing() {
    let mut facts = facts(ErrorCode::CHECKPOINT_INCONSISTENT);
    facts.observed.bitmaps = Some(BitmapTable::of(vec![
        row("vda", "cp1", false),
        row("vdb", "cp1", false),
    ]));
    let decided = decided(&facts);
    assert_eq!(decided.decision, Decision::InvestigateEscalate);
    assert!(decided.detail.clean_up.is_empty());
}

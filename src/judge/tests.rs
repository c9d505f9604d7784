//! Facts and the decisions they come to.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rstest::rstest;

use super::{Facts, Judgement, Observed, Probe, Records, decide};
use crate::model::{
    Api, BitmapRow, BitmapTable, CleanUpKind, Decision, DiskFormat, DomainState, ErrorCode,
    ErrorDomain, LibvirtError, Request, RequestedDisk, Size,
};

/// An incremental backup of `vda` and `vdb` from `cp1` that was refused.
fn facts(code: ErrorCode) -> Facts {
    let disk = |disk: &str| RequestedDisk {
        disk: disk.to_owned(),
        base: Some("cp1".to_owned()),
        target: None,
        export: None,
    };
    Facts {
        api: Api::DomainBackupBegin,
        error: LibvirtError::reported(code, ErrorDomain::QEMU, "some text"),
        request: Request {
            checkpoint: Some("cp9".to_owned()),
            disks: vec![disk("vda"), disk("vdb")],
            server: None,
        },
        observed: Observed {
            domain_state: Some(DomainState::Running),
            disk_formats: Some(formats(DiskFormat::Qcow2)),
            checkpoints: Some(["cp1", "cp2"].map(str::to_owned).into()),
            bitmaps: Some(BitmapTable::default()),
        },
        records: Records::default(),
    }
}

fn formats(vdb: DiskFormat) -> BTreeMap<String, DiskFormat> {
    [
        ("vda".to_owned(), DiskFormat::Qcow2),
        ("vdb".to_owned(), vdb),
    ]
    .into()
}

fn row(disk: &str, name: &str, inconsistent: bool) -> BitmapRow {
    BitmapRow {
        disk: disk.to_owned(),
        layer: 0,
        name: name.to_owned(),
        persistent: true,
        recording: !inconsistent,
        inconsistent,
        busy: false,
        granularity: 65_536,
        dirty: Some(Size(0)),
    }
}

fn decided(facts: &Facts) -> super::Decided {
    match decide(facts) {
        Judgement::Decided(decided) => decided,
        Judgement::Need(probe) => panic!("asks for {probe}"),
    }
}

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
    facts.error.code = ErrorCode::CONFIG_UNSUPPORTED;
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
    assert_eq!(decided.clean_up.first().map(|step| step.kind), clean_up);
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
        facts.records.verified_checkpoints = BTreeSet::from(["cp2".to_owned()]);
    }
    assert_eq!(decided(&facts).decision, decision);
}

#[test]
fn one_bad_disk_of_two_is_full_for_that_disk() {
    let mut facts = facts(ErrorCode::CHECKPOINT_INCONSISTENT);
    facts.observed.bitmaps = Some(BitmapTable::of(vec![
        row("vda", "cp1", false),
        row("vdb", "cp1", true),
    ]));
    let decided = decided(&facts);
    assert_eq!(decided.decision, Decision::FullForAffectedDisks);
    assert_eq!(decided.clean_up[0].disks, ["vdb"]);
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
fn a_checkpoint_whose_bitmap_is_good_elsewhere_is_kept() {
    let mut facts = facts(ErrorCode::CHECKPOINT_INCONSISTENT);
    facts.observed.bitmaps = Some(BitmapTable::of(vec![row("vda", "cp1", false)]));
    let decided = decided(&facts);
    assert_eq!(decided.decision, Decision::FullForAffectedDisks);
    assert!(decided.clean_up.is_empty(), "vda still needs it");
}

#[test]
fn a_restored_and_paused_domain_is_resumed_first() {
    let mut facts = facts(ErrorCode::CHECKPOINT_INCONSISTENT);
    facts.observed.domain_state = Some(DomainState::Paused);
    assert_eq!(decided(&facts).decision, Decision::FullBackupNewChain);
    facts.records.restored_and_not_resumed = true;
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
    assert!(decided.clean_up.is_empty());
}

proptest! {
    #[test]
    fn every_code_gets_an_answer(code in any::<i32>(), disks in 0_usize..3) {
        let mut facts = facts(ErrorCode(code));
        facts.request.disks.truncate(disks);
        let decided = decided(&facts);
        let known = [ErrorCode::CONFIG_UNSUPPORTED, ErrorCode::CHECKPOINT_INCONSISTENT];
        if !known.contains(&facts.error.code) {
            prop_assert_eq!(decided.decision, Decision::InvestigateEscalate);
            prop_assert!(decided.clean_up.is_empty());
        }
    }
}

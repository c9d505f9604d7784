//! Every rule is reached, each by facts that differ from calm ones in what the rule is about.

use std::collections::BTreeSet;

use super::given::{decided, defined, facts, formats, row};
use crate::judge::{BitmapHealth, CompletedJob, Facts, Place, RunningJob, rules};
use crate::model::{
    Api, BitmapTable, Compat, DiskFormat, DomainState, ErrorCode, ErrorDomain, NbdServer, flags,
};

/// A call of this function that failed with this code from this part of libvirt.
fn failed(api: Api, code: i32, domain: ErrorDomain) -> Facts {
    let mut facts = facts(ErrorCode(code));
    facts.api = api.into();
    if let Some(error) = &mut facts.error {
        error.domain = domain;
    }
    facts
}

fn begin(code: i32) -> Facts {
    failed(Api::DomainBackupBegin, code, ErrorDomain::QEMU)
}

/// A call about the checkpoint `cp1`.
fn about_cp1(api: Api, code: i32) -> Facts {
    let mut facts = failed(api, code, ErrorDomain::QEMU);
    facts.request.checkpoint = Some("cp1".to_owned());
    facts.request.disks.clear();
    facts
}

fn create(code: i32, domain: ErrorDomain) -> Facts {
    failed(Api::CheckpointCreate, code, domain)
}

fn ended(end: CompletedJob) -> Facts {
    let mut facts = begin(0);
    facts.error = None;
    facts.observed.completed_job = Some(end);
    facts.observed.checkpoints = Some(defined(&["cp1", "cp9"]));
    facts.records.uncommitted_checkpoints = BTreeSet::from(["cp9".to_owned()]);
    facts
}

fn with(mut facts: Facts, change: impl FnOnce(&mut Facts)) -> Facts {
    change(&mut facts);
    facts
}

fn saying(facts: Facts, message: &str) -> Facts {
    with(facts, |facts| {
        if let Some(error) = &mut facts.error {
            message.clone_into(&mut error.message);
        }
    })
}

fn shut_off(facts: Facts) -> Facts {
    with(facts, |facts| {
        facts.observed.domain_state = Some(DomainState::Shutoff);
    })
}

fn must_stay_off(facts: Facts) -> Facts {
    with(shut_off(facts), |facts| facts.records.may_start = false)
}

fn restored(facts: Facts) -> Facts {
    with(facts, |facts| {
        facts.observed.domain_state = Some(DomainState::Paused);
        facts.records.restored_and_not_resumed = Some(true);
    })
}

fn pulling(facts: Facts) -> Facts {
    with(facts, |facts| {
        facts.request.server = Some(NbdServer::Port(10_809));
    })
}

fn server_is_bad(facts: Facts) -> Facts {
    with(pulling(facts), |facts| {
        facts.observed.server = Some(Place::Unusable("port in use".to_owned()));
    })
}

fn with_bitmaps(facts: Facts, rows: &[(&str, &str)]) -> Facts {
    with(facts, |facts| {
        let rows = rows.iter().map(|(disk, name)| row(disk, name, false));
        facts.observed.bitmaps = Some(BitmapTable::of(rows.collect()));
    })
}

fn without_metadata(facts: Facts) -> Facts {
    with(facts, |facts| {
        facts.observed.checkpoints = Some(defined(&["cp2"]));
        facts.records.saved_checkpoints = BTreeSet::from(["cp1".to_owned()]);
    })
}

fn stuck(facts: Facts) -> Facts {
    with(facts, |facts| facts.observed.backup = Some(true))
}

fn busy(facts: Facts, job: u64) -> Facts {
    with(facts, |facts| {
        facts.observed.block_jobs = Some([("vda".to_owned(), job)].into());
    })
}

fn raw(facts: Facts) -> Facts {
    with(facts, |facts| {
        facts.observed.disk_formats = Some(formats(DiskFormat::Raw));
    })
}

fn lost(api: Api) -> Facts {
    failed(api, 38, ErrorDomain::RPC)
}

fn without_monitor(facts: Facts) -> Facts {
    with(facts, |facts| {
        facts.records.can_use_monitor = false;
        facts.observed.bitmaps = None;
    })
}

fn long_name(facts: Facts) -> Facts {
    with(facts, |facts| {
        facts.request.checkpoint = Some("n".repeat(250));
    })
}

fn left_checkpoint(facts: Facts) -> Facts {
    with(facts, |facts| {
        facts.observed.checkpoints = Some(defined(&["cp1", "cp9"]));
    })
}

fn own(name: &str, facts: Facts) -> Facts {
    with(facts, |facts| {
        facts.records.uncommitted_checkpoints = BTreeSet::from([name.to_owned()]);
    })
}

/// The checkpoint of the call before.
fn left_attempt(facts: Facts) -> Facts {
    with(facts, |facts| {
        facts.observed.checkpoints = Some(defined(&["cp1", "cp8"]));
        facts.records.uncommitted_checkpoints = BTreeSet::from(["cp8".to_owned()]);
    })
}

fn gone(facts: Facts) -> Facts {
    with(facts, |facts| {
        facts.observed.domain_state = Some(DomainState::Gone);
    })
}

const BOTH: [(&str, &str); 2] = [("vda", "cp1"), ("vdb", "cp1")];

fn given() -> Vec<(&'static str, Facts)> {
    [
        by_request(),
        by_domain(),
        by_other_job(),
        by_snapshot(),
        by_chain(),
        by_internal(),
        by_connection(),
        by_failed(),
        by_end(),
    ]
    .concat()
}

fn by_request() -> Vec<(&'static str, Facts)> {
    let with_parent = |saved: &[&str]| {
        with(create(8, ErrorDomain::DOMAIN), |facts| {
            facts.request.parent = Some("cp0".to_owned());
            facts.records.saved_checkpoints = saved.iter().map(|name| (*name).to_owned()).collect();
        })
    };
    let about_flags = with(begin(8), |facts| {
        if let Some(error) = &mut facts.error {
            error.int1 = 0;
        }
    });
    vec![
        ("B27", begin(67)),
        ("B29", failed(Api::DomainBackupBegin, 92, ErrorDomain::XML)),
        ("B29-syntax", begin(35)),
        ("B29-root", begin(27)),
        ("B33", begin(29)),
        ("B33-access", begin(88)),
        ("B22-support", begin(3)),
        ("D6", about_cp1(Api::CheckpointDelete, 102)),
        ("D6-domain", begin(7)),
        ("B22", about_flags),
        ("C4", with_parent(&["cp0"])),
        ("C4-parent", with_parent(&[])),
        ("C5", create(8, ErrorDomain::DOMAIN_CHECKPOINT)),
        ("B21", begin(8)),
        (
            "B21-argument",
            failed(Api::DomainBackupBegin, 8, ErrorDomain::NONE),
        ),
    ]
}

fn by_domain() -> Vec<(&'static str, Facts)> {
    let create = |code| create(code, ErrorDomain::DOMAIN);
    vec![
        ("B32-gone", gone(about_cp1(Api::CheckpointDelete, 42))),
        ("B32-no-domain", gone(begin(42))),
        ("C3", shut_off(create(55))),
        ("C3-offline", must_stay_off(create(55))),
        ("D8", shut_off(about_cp1(Api::CheckpointGetXmlDesc, 55))),
        (
            "D8-offline",
            must_stay_off(about_cp1(Api::CheckpointGetXmlDesc, 55)),
        ),
        (
            "J5-off",
            shut_off(failed(Api::DomainGetJobStats, 55, ErrorDomain::DOMAIN)),
        ),
        ("A3", failed(Api::DomainUndefine, 55, ErrorDomain::QEMU)),
        ("A8", failed(Api::DomainRename, 55, ErrorDomain::QEMU)),
        (
            "A5",
            shut_off(failed(Api::DomainShutdown, 55, ErrorDomain::QEMU)),
        ),
        ("B30", shut_off(begin(84))),
        ("B30-offline", must_stay_off(begin(84))),
        ("C9", shut_off(create(84))),
        ("C9-offline", must_stay_off(create(84))),
        (
            "D4-gone",
            with(shut_off(about_cp1(Api::CheckpointDelete, 84)), |facts| {
                facts.request.checkpoint = Some("cp7".to_owned());
            }),
        ),
        ("D4", shut_off(about_cp1(Api::CheckpointDelete, 84))),
        (
            "D4-offline",
            must_stay_off(about_cp1(Api::CheckpointDelete, 84)),
        ),
    ]
}

fn by_other_job() -> Vec<(&'static str, Facts)> {
    let runs = |facts| {
        with(facts, |facts: &mut Facts| {
            facts.observed.job = Some(RunningJob::Backup);
        })
    };
    let abort = || failed(Api::DomainAbortJob, 55, ErrorDomain::QEMU);
    vec![
        (
            "B9-speed",
            busy(
                failed(Api::DomainBlockJobSetSpeed, 68, ErrorDomain::NONE),
                5,
            ),
        ),
        ("B9-own", stuck(left_attempt(begin(68)))),
        ("B9", begin(68)),
        (
            "B15-pivot",
            busy(failed(Api::DomainBlockJobAbort, 83, ErrorDomain::QEMU), 5),
        ),
        (
            "B15-copy",
            failed(Api::DomainBlockCopy, 83, ErrorDomain::QEMU),
        ),
        ("A1", abort()),
        (
            "A1-flags",
            runs(stuck(failed(
                Api::DomainAbortJobFlags,
                55,
                ErrorDomain::QEMU,
            ))),
        ),
        ("A1-stuck", stuck(abort())),
        ("B10-own", runs(left_attempt(begin(55)))),
        ("B10", runs(stuck(begin(55)))),
        ("B10-stuck", busy(begin(55), 5)),
        (
            "B16-directory",
            with(begin(55), |facts| facts.request.tls = true),
        ),
        (
            "B10-orphan",
            busy(failed(Api::DomainManagedSave, 55, ErrorDomain::QEMU), 5),
        ),
        (
            "B10-other",
            runs(failed(Api::DomainManagedSave, 55, ErrorDomain::QEMU)),
        ),
        (
            "B15-disk",
            busy(failed(Api::DomainBlockCopy, 84, ErrorDomain::QEMU), 5),
        ),
        ("B31", begin(84)),
        (
            "B34",
            failed(Api::DomainBackupBegin, 66, ErrorDomain::SECRET),
        ),
    ]
}

fn by_snapshot() -> Vec<(&'static str, Facts)> {
    let create = |code| failed(Api::DomainSnapshotCreate, code, ErrorDomain::QEMU);
    let delete = failed(Api::DomainSnapshotDelete, 84, ErrorDomain::QEMU);
    let revert = shut_off(failed(Api::DomainRevertToSnapshot, 9, ErrorDomain::QEMU));
    let given = |facts: &mut Facts| facts.request.flags = flags::SNAPSHOT_CREATE_REUSE_EXT;
    vec![
        ("S1", shut_off(create(84))),
        ("S1-offline", must_stay_off(create(84))),
        ("S2", busy(delete, 2)),
        ("S3", with(create(1), given)),
        (
            "S4",
            with(revert, |facts| {
                let stored = BitmapTable::of(vec![row("vda", "cp1", false)]);
                facts.observed.stored_bitmaps = Some(stored);
            }),
        ),
    ]
}

fn by_chain() -> Vec<(&'static str, Facts)> {
    let other_base = |facts: Facts| {
        let facts = with_bitmaps(facts, &[("vda", "cp2"), ("vdb", "cp2")]);
        with(facts, |facts| {
            facts.records.verified_checkpoints.push("cp2".to_owned());
        })
    };
    let rows = |change: fn(&mut crate::model::BitmapRow)| {
        with(begin(109), |facts| {
            let mut broken = row("vda", "cp1", false);
            change(&mut broken);
            facts.observed.bitmaps = Some(BitmapTable::of(vec![broken]));
        })
    };
    let perhaps_restored = with(begin(109), |facts| {
        facts.observed.domain_state = Some(DomainState::Paused);
        facts.records.restored_and_not_resumed = None;
    });
    vec![
        (
            "A2",
            failed(Api::DomainBackupGetXmlDesc, 104, ErrorDomain::QEMU),
        ),
        (
            "D5-bitmap",
            with_bitmaps(
                without_metadata(about_cp1(Api::CheckpointDelete, 103)),
                &BOTH,
            ),
        ),
        (
            "D5",
            without_metadata(about_cp1(Api::CheckpointDelete, 103)),
        ),
        (
            "D5-use",
            without_metadata(about_cp1(Api::CheckpointGetXmlDesc, 103)),
        ),
        (
            "D5-unknown",
            with(about_cp1(Api::CheckpointLookupByName, 103), |facts| {
                facts.request.checkpoint = Some("never".to_owned());
            }),
        ),
        ("D5-root", about_cp1(Api::CheckpointGetParent, 103)),
        ("B32-off", shut_off(begin(109))),
        ("B32-offline", must_stay_off(begin(103))),
        ("B32-vanished", gone(begin(109))),
        ("B5a-unknown", perhaps_restored),
        ("B8-raw", raw(begin(103))),
        ("B7", with_bitmaps(without_metadata(begin(103)), &BOTH)),
        (
            "B8-some-disks",
            with_bitmaps(without_metadata(begin(103)), &BOTH[..1]),
        ),
        ("B8-other-base", other_base(without_metadata(begin(103)))),
        ("B8", without_metadata(begin(103))),
        (
            "B8-no-base",
            with(begin(109), |facts| {
                facts.request.checkpoint = facts.request.disks[0].base.clone();
            }),
        ),
        ("B5a", restored(begin(109))),
        (
            "B5a-wait",
            with(restored(begin(109)), |facts| {
                facts.records.may_start = false;
            }),
        ),
        ("B6", raw(begin(109))),
        ("B3", with_bitmaps(begin(109), &BOTH[..1])),
        ("B1-other-base", other_base(begin(109))),
        ("B2", rows(|row| row.inconsistent = true)),
        ("B5", rows(|row| row.recording = false)),
        ("B1", begin(109)),
    ]
}

fn by_internal() -> Vec<(&'static str, Facts)> {
    let says_it = |facts| saying(facts, "NBD server already running");
    let validates = |facts: Facts| {
        with(without_monitor(facts), |facts| {
            let health = [("vda".to_owned(), BitmapHealth::Good)];
            facts.observed.bitmap_health = [("cp9".to_owned(), health.into())].into();
        })
    };
    let lost_name = with(with_bitmaps(without_metadata(begin(1)), &BOTH), |facts| {
        facts.request.checkpoint = Some("cp1".to_owned());
        for disk in &mut facts.request.disks {
            disk.base = None;
        }
    });
    let delete = || about_cp1(Api::CheckpointDelete, 1);
    let in_use = with(with_bitmaps(delete(), &BOTH), |facts| {
        if let Some(bitmaps) = &mut facts.observed.bitmaps {
            bitmaps.0[0].busy = true;
        }
    });
    vec![
        ("C6", create(1, ErrorDomain::DOMAIN_CHECKPOINT)),
        ("B5a-full", restored(begin(1))),
        (
            "B5a-full-wait",
            with(restored(begin(1)), |facts| facts.records.may_start = false),
        ),
        (
            "B5a-full-unknown",
            with(begin(1), |facts| {
                facts.observed.domain_state = Some(DomainState::Paused);
                facts.records.restored_and_not_resumed = None;
            }),
        ),
        ("B19", own("cp9", left_checkpoint(begin(1)))),
        ("B18-name", stuck(long_name(begin(1)))),
        ("B18", stuck(begin(1))),
        ("B15", busy(begin(1), 2)),
        (
            "B15-resize",
            busy(failed(Api::DomainBlockResize, 1, ErrorDomain::QEMU), 5),
        ),
        (
            "B14-leftover",
            own(
                "cp8",
                with_bitmaps(says_it(pulling(begin(1))), &[("vda", "cp8")]),
            ),
        ),
        ("B14", says_it(pulling(begin(1)))),
        (
            "B16",
            with(server_is_bad(begin(1)), |facts| facts.request.tls = true),
        ),
        ("B12", server_is_bad(begin(1))),
        (
            "B20",
            with(begin(1), |facts| {
                facts.request.flags = flags::BACKUP_BEGIN_REUSE_EXTERNAL;
                facts.request.disks[0].scratch = Some("/store/vda".to_owned());
            }),
        ),
        (
            "B17",
            with(begin(1), |facts| {
                facts.observed.image_versions = Some([("vdb".to_owned(), Compat::V2)].into());
            }),
        ),
        ("B18-name-left", long_name(begin(1))),
        (
            "B18-store",
            with(begin(1), |facts| {
                facts.observed.metadata_store = Some(Place::Unusable("read-only".to_owned()));
            }),
        ),
        (
            "B11-base",
            with(begin(1), |facts| {
                facts.request.checkpoint = facts.request.disks[0].base.clone();
            }),
        ),
        ("B11-lost", lost_name),
        ("B11", own("cp9", with_bitmaps(begin(1), &[("vda", "cp9")]))),
        ("B11-unseen", own("cp9", validates(begin(1)))),
        ("B11-foreign", with_bitmaps(begin(1), &[("vda", "cp9")])),
        ("D1-busy", in_use),
        ("D1-absent", delete()),
        ("D1", with_bitmaps(delete(), &BOTH[..1])),
        ("D1-unseen", without_monitor(delete())),
        (
            "B31-transport",
            saying(begin(1), "unexpected transport in <domainbackup>"),
        ),
        (
            "J5-begin",
            saying(
                failed(Api::DomainGetJobStats, 1, ErrorDomain::QEMU),
                "backup job data missing",
            ),
        ),
    ]
}

fn by_connection() -> Vec<(&'static str, Facts)> {
    let left = || left_checkpoint(lost(Api::DomainBackupBegin));
    vec![
        (
            "B32-begun",
            with(stuck(left()), |facts| {
                facts.observed.job = Some(RunningJob::Backup);
            }),
        ),
        ("B32-left", own("cp9", left())),
        ("B32-unclear", left()),
        ("B32", lost(Api::DomainBackupBegin)),
        ("C12-created", left_checkpoint(lost(Api::CheckpointCreate))),
        ("D5-lost", lost(Api::CheckpointDelete)),
        ("A1-lost", lost(Api::DomainAbortJob)),
        ("B32-other", lost(Api::DomainListAllCheckpoints)),
    ]
}

fn by_failed() -> Vec<(&'static str, Facts)> {
    let taken = || left_checkpoint(failed(Api::DomainBackupBegin, 9, ErrorDomain::DOMAIN));
    vec![
        (
            "B25-own",
            with(taken(), |facts| {
                facts.records.uncommitted_checkpoints = BTreeSet::from(["cp9".to_owned()]);
            }),
        ),
        ("B25", taken()),
        ("B26", failed(Api::DomainBackupBegin, 9, ErrorDomain::NONE)),
        ("B32-ended", shut_off(begin(9))),
        ("B24", begin(9)),
        ("B23", begin(38)),
    ]
}

fn by_end() -> Vec<(&'static str, Facts)> {
    let read = with(ended(CompletedJob::Completed), |facts| {
        facts.records.verified_checkpoints.push("cp9".to_owned());
    });
    vec![
        ("J3", read),
        ("J1", ended(CompletedJob::Failed)),
        ("J2-off", shut_off(ended(CompletedJob::Cancelled))),
        ("J2-offline", must_stay_off(ended(CompletedJob::Cancelled))),
        ("J2-gone", gone(ended(CompletedJob::Failed))),
        (
            "J2-some-disks",
            with_bitmaps(ended(CompletedJob::Cancelled), &BOTH[..1]),
        ),
        (
            "J2-other-base",
            with(
                with_bitmaps(
                    ended(CompletedJob::Cancelled),
                    &[("vda", "cp2"), ("vdb", "cp2")],
                ),
                |facts| facts.records.verified_checkpoints.push("cp2".to_owned()),
            ),
        ),
        ("J2-bitmaps", ended(CompletedJob::Cancelled)),
        (
            "J2",
            with_bitmaps(
                ended(CompletedJob::Cancelled),
                &[BOTH[0], BOTH[1], ("vda", "cp9"), ("vdb", "cp9")],
            ),
        ),
        ("J3-unread", pulling(ended(CompletedJob::Completed))),
    ]
}

#[test]
fn every_rule_decides() {
    let mut reached = Vec::new();
    for (rule, facts) in given() {
        let found = decided(&facts);
        assert_eq!(found.rule, rule, "{facts:#?}");
        reached.push(rule);
    }
    reached.sort_unstable();
    let mut all: Vec<&str> = rules().map(|rule| rule.id).collect();
    all.sort_unstable();
    assert_eq!(reached, all, "each rule once, and each name once");
}

/// The codes that libvirt's backup and checkpoint calls, and the calls around them, are known to
/// raise (`include/libvirt/virterror.h`; the raising sites were read in libvirt 7.0 to 12.8).
const RAISED: [i32; 22] = [
    1, 3, 7, 8, 9, 27, 29, 35, 38, 42, 55, 66, 67, 68, 83, 84, 88, 92, 102, 103, 104, 109,
];

#[test]
fn every_code_that_is_raised_has_a_rule() {
    let ruled: BTreeSet<i32> = rules()
        .flat_map(|rule| rule.codes)
        .map(|code| code.0)
        .collect();
    assert_eq!(ruled, BTreeSet::from(RAISED));
}

#[test]
fn every_rule_says_why_and_who_says_so() {
    for rule in rules() {
        assert!(
            !rule.because.is_empty() && !rule.sources.is_empty(),
            "{}",
            rule.id
        );
        assert_eq!(
            rule.reads_message,
            rule.id.starts_with("B14") || ["B31-transport", "J5-begin"].contains(&rule.id),
            "{}",
            rule.id
        );
    }
}

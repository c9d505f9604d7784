//! Facts of every kind, also such that cannot be.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::judge::{
    BitmapHealth, CompletedJob, ErrorFacts, Facts, Function, Observed, Place, Records, RunningJob,
};
use crate::model::{
    Api, BitmapRow, BitmapTable, Compat, DiskFormat, DomainState, EachDisk, ErrorCode, ErrorDomain,
    Export, NbdServer, Request, RequestedDisk, Size,
};

const DISKS: [&str; 2] = ["vda", "vdb"];
const NAMES: [&str; 4] = ["cp1", "cp2", "cp9", "backup-vda"];

/// Any facts; `known` is the chance that a fact was observed.
pub(super) fn any_facts(known: f64) -> impl Strategy<Value = Facts> {
    (function(), error(), request(), observed(known), records()).prop_map(
        |(api, error, request, observed, records)| {
            let is_seen = records.can_use_monitor;
            let bitmaps = observed.bitmaps.filter(|_| is_seen);
            Facts {
                api,
                error,
                request,
                observed: Observed {
                    bitmaps,
                    ..observed
                },
                records,
            }
        },
    )
}

/// Facts in which nothing but checkpoints, bitmaps and books may be out of the ordinary: what is
/// decided last is decided by these.
pub(super) fn calm_facts() -> impl Strategy<Value = Facts> {
    let code = select([1, 84, 103, 109].to_vec());
    (any_facts(1.0), code).prop_map(|(facts, code)| Facts {
        error: Some(ErrorFacts {
            code: ErrorCode(code),
            domain: ErrorDomain::QEMU,
            int1: -1,
            message: String::new(),
        }),
        request: Request {
            server: None,
            flags: 0,
            ..facts.request
        },
        observed: Observed {
            domain_state: Some(DomainState::Running),
            disk_formats: Some(
                DISKS
                    .map(|disk| (disk.to_owned(), DiskFormat::Qcow2))
                    .into(),
            ),
            job: Some(RunningJob::None),
            block_jobs: Some(BTreeMap::new()),
            backup: Some(false),
            image_versions: Some(BTreeMap::new()),
            metadata_store: Some(Place::Usable),
            ..facts.observed
        },
        ..facts
    })
}

fn function() -> impl Strategy<Value = Function> {
    let often = [
        Api::DomainBackupBegin,
        Api::CheckpointDelete,
        Api::CheckpointCreate,
    ];
    prop_oneof![
        4 => select(often.to_vec()).prop_map(Function::Known),
        2 => select(Api::ALL).prop_map(Function::Known),
        1 => Just(Function::Other("virDomainBlockStats".to_owned())),
    ]
}

fn error() -> impl Strategy<Value = Option<ErrorFacts>> {
    let known = [1, 8, 9, 38, 42, 55, 84, 103, 109];
    let code = prop_oneof![6 => select(known.to_vec()), 2 => 0..120_i32, 1 => any::<i32>()];
    let domain =
        prop_oneof![4 => Just(10), 3 => select(&[0, 5, 7, 20, 30, 69][..]), 1 => any::<i32>()];
    let message = select(&["", "NBD server already running", "another text"][..]);
    let error = (code, domain, select(&[-1, 0, 2][..]), message);
    weighted(0.9, error).prop_map(|error| {
        error.map(|(code, domain, int1, message)| ErrorFacts {
            code: ErrorCode(code),
            domain: ErrorDomain(domain),
            int1,
            message: message.to_owned(),
        })
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![9 => select(&NAMES[..]).prop_map(str::to_owned), 1 => Just("n".repeat(250))]
}

fn names() -> impl Strategy<Value = BTreeSet<String>> {
    btree_set(name(), 0..4)
}

fn disks() -> impl Strategy<Value = Vec<String>> {
    subsequence(&DISKS[..], 0..=2).prop_map(|disks| disks.into_iter().map(str::to_owned).collect())
}

fn disk() -> impl Strategy<Value = String> {
    select(&DISKS[..]).prop_map(str::to_owned)
}

fn request() -> impl Strategy<Value = Request> {
    let disk = |disk: String| {
        (weighted(0.8, name()), any::<bool>()).prop_map(move |(base, pull)| RequestedDisk {
            base,
            scratch: pull.then(|| format!("/store/{disk}")),
            export: pull.then(|| Export {
                name: disk.clone(),
                bitmap: None,
            }),
            ..RequestedDisk::named(&disk)
        })
    };
    let disks = disks().prop_flat_map(move |disks| disks.into_iter().map(disk).collect::<Vec<_>>());
    let server = weighted(0.4, Just(NbdServer::Port(10_809)));
    (
        weighted(0.8, name()),
        weighted(0.3, name()),
        0..8_u32,
        disks,
        server,
        any::<bool>(),
        weighted(0.3, weighted(0.8, name())),
    )
        .prop_map(|(checkpoint, parent, flags, disks, server, tls, each)| {
            let each_disk = each.filter(|_| disks.is_empty()).map(|base| EachDisk {
                base,
                is_pull: server.is_some(),
            });
            Request {
                checkpoint,
                parent,
                flags,
                disks,
                each_disk,
                server,
                tls,
            }
        })
}

fn row() -> impl Strategy<Value = BitmapRow> {
    let flags = (
        prop::bool::weighted(0.9),
        prop::bool::weighted(0.9),
        prop::bool::weighted(0.1),
    );
    (disk(), 0..4_u32, name(), flags, prop::bool::weighted(0.1)).prop_map(
        |(disk, layer, name, (persistent, recording, inconsistent), busy)| BitmapRow {
            disk,
            layer: layer / 3,
            name,
            persistent,
            recording,
            inconsistent,
            busy,
            granularity: 65_536,
            dirty: Some(Size(0)),
        },
    )
}

fn bitmaps() -> impl Strategy<Value = BitmapTable> {
    vec(row(), 0..7).prop_map(BitmapTable::of)
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![Just(Place::Usable), Just(Place::Unusable("why".to_owned()))]
}

/// A fact that was observed, or perhaps not.
fn seen<T: std::fmt::Debug + 'static>(
    known: f64,
    fact: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    if known < 1.0 {
        weighted(known, fact).boxed()
    } else {
        fact.prop_map(Some).boxed()
    }
}

fn observed(known: f64) -> impl Strategy<Value = Observed> {
    let states = [
        DomainState::Running,
        DomainState::Paused,
        DomainState::Shutoff,
        DomainState::Gone,
        DomainState::Other,
    ];
    let formats = btree_map(disk(), select(&DiskFormat::ALL[..]), 2);
    let detached = prop_oneof![9 => Just(None), 1 => Just(Some("vdz".to_owned()))];
    let on = (disks(), detached).prop_map(|(disks, more)| disks.into_iter().chain(more).collect());
    let checkpoints = btree_map(name(), on, 0..4);
    let jobs = [RunningJob::None, RunningJob::Backup, RunningJob::Other];
    let ends = [
        CompletedJob::None,
        CompletedJob::Completed,
        CompletedJob::Failed,
        CompletedJob::Cancelled,
    ];
    let health = select(&[BitmapHealth::Good, BitmapHealth::Bad][..]);
    // Of one that is asked for, what is not known would have to be asked again.
    let healths = vec(btree_map(disk(), health, 2), NAMES.len()).prop_map(|healths| {
        let names = NAMES.iter().map(|name| (*name).to_owned());
        names.zip(healths).collect::<BTreeMap<_, _>>()
    });
    let files = btree_set(disk().prop_map(|disk| format!("/store/{disk}")), 0..2);
    let versions = btree_map(disk(), select(&[Compat::V2, Compat::V3][..]), 0..3);
    (
        (
            seen(known, select(states.to_vec())),
            seen(known, formats),
            seen(known, checkpoints),
            seen(known, select(jobs.to_vec())),
            seen(known, select(ends.to_vec())),
            seen(known, btree_map(disk(), 1..6_u64, 0..2)),
            seen(known, any::<bool>()),
        ),
        (
            healths,
            seen(known, bitmaps()),
            seen(known, bitmaps()),
            seen(known, versions),
            seen(known, files),
            seen(known, place()),
            seen(known, place()),
        ),
    )
        .prop_map(|(one, two)| {
            let (domain_state, disk_formats, checkpoints, job, completed_job, block_jobs, backup) =
                one;
            let (bitmap_health, bitmaps, stored_bitmaps, versions, files, server, metadata) = two;
            Observed {
                domain_state,
                disk_formats,
                checkpoints,
                job,
                completed_job,
                block_jobs,
                backup,
                bitmap_health,
                bitmaps,
                stored_bitmaps,
                image_versions: versions,
                files,
                server,
                metadata_store: metadata,
            }
        })
}

fn records() -> impl Strategy<Value = Records> {
    let replaced = btree_map(name(), btree_set(disk(), 0..2), 0..2);
    let bools = (
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.7),
    );
    let covered = btree_map(name(), btree_set(disk(), 0..3), 0..2);
    let restored = select(&[None, Some(true), Some(false), Some(false)][..]);
    (
        subsequence(&NAMES[..], 0..=3).prop_shuffle(),
        [names(), names(), names()],
        replaced,
        covered,
        bools,
        restored,
    )
        .prop_map(
            |(verified, names, replaced, covered, (mixes, starts, monitors), restored)| {
                let [saved, uncommitted, own] = names;
                Records {
                    verified_disks: covered,
                    own_checkpoints: own,
                    verified_checkpoints: verified.into_iter().map(str::to_owned).collect(),
                    saved_checkpoints: saved,
                    uncommitted_checkpoints: uncommitted,
                    replaced_disks: replaced,
                    can_mix: mixes,
                    may_start: starts,
                    can_use_monitor: monitors,
                    restored_and_not_resumed: restored,
                    unanswerable: BTreeSet::new(),
                }
            },
        )
}

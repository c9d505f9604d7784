//! Facts to start from.

use std::collections::{BTreeMap, BTreeSet};

use crate::judge::{
    CompletedJob, Decided, ErrorFacts, Facts, Judgement, Observed, Place, Records, RunningJob,
    decide,
};
use crate::model::{
    Api, BitmapRow, BitmapTable, DiskFormat, DomainState, ErrorCode, ErrorDomain, LibvirtError,
    Request, RequestedDisk, Size,
};

/// An incremental backup of `vda` and `vdb` from `cp1` that was refused.
pub(super) fn facts(code: ErrorCode) -> Facts {
    let disk = |disk: &str| RequestedDisk {
        base: Some("cp1".to_owned()),
        ..RequestedDisk::named(disk)
    };
    Facts {
        api: Api::DomainBackupBegin.into(),
        error: Some((&LibvirtError::reported(code, ErrorDomain::QEMU, "some text")).into()),
        request: Request {
            checkpoint: Some("cp9".to_owned()),
            disks: vec![disk("vda"), disk("vdb")],
            ..Request::default()
        },
        observed: Observed {
            domain_state: Some(DomainState::Running),
            disk_formats: Some(formats(DiskFormat::Qcow2)),
            checkpoints: Some(defined(&["cp1", "cp2"])),
            job: Some(RunningJob::None),
            block_jobs: Some(BTreeMap::new()),
            backup: Some(false),
            completed_job: Some(CompletedJob::None),
            bitmaps: Some(BitmapTable::default()),
            stored_bitmaps: Some(BitmapTable::default()),
            image_versions: Some(BTreeMap::new()),
            files: Some(BTreeSet::new()),
            server: Some(Place::Usable),
            metadata_store: Some(Place::Usable),
            bitmap_health: BTreeMap::new(),
        },
        records: Records {
            verified_checkpoints: vec!["cp1".to_owned()],
            own_checkpoints: BTreeSet::from(["cp2".to_owned(), "cp3".to_owned()]),
            restored_and_not_resumed: Some(false),
            ..Records::default()
        },
    }
}

/// Checkpoints on both disks.
pub(super) fn defined(names: &[&str]) -> BTreeMap<String, Vec<String>> {
    let disks = || ["vda", "vdb"].map(str::to_owned).to_vec();
    names
        .iter()
        .map(|name| ((*name).to_owned(), disks()))
        .collect()
}

pub(super) fn error(facts: &mut Facts) -> &mut ErrorFacts {
    facts.error.as_mut().unwrap()
}

pub(super) fn formats(vdb: DiskFormat) -> BTreeMap<String, DiskFormat> {
    [
        ("vda".to_owned(), DiskFormat::Qcow2),
        ("vdb".to_owned(), vdb),
    ]
    .into()
}

pub(super) fn row(disk: &str, name: &str, inconsistent: bool) -> BitmapRow {
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

pub(super) fn decided(facts: &Facts) -> Decided {
    match decide(facts) {
        Judgement::Decided(decided) => decided,
        Judgement::Need(probe) => panic!("asks for {probe}"),
    }
}

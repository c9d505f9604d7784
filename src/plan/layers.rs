//! The steps about a disk's layers: snapshots, the block jobs that move data between layers, and
//! overlays that libvirt has not made.

use super::steps::{Lowering, words};
use super::{Ends, Operation, PlannedCall, Step, xml};
use crate::model::{Api, Call, DiskFormat, ImageRef, flags};
use crate::scenario::syntax::{
    BlockCommit, BlockJobAbort, BlockPull, DiskName, OverlayImage, SnapshotCreate, SnapshotKind,
    SnapshotName,
};

impl Lowering<'_> {
    /// An external snapshot is one of the disks alone, whether or not the domain runs.
    pub(super) fn snapshot_create(&self, body: &SnapshotCreate) -> Step {
        let name = &body.name.value;
        let chosen = body.disks.as_ref();
        let chosen: Option<Vec<&str>> =
            chosen.map(|disks| disks.iter().map(|disk| disk.value.as_str()).collect());
        let is_chosen = |disk: &str| chosen.as_ref().is_none_or(|chosen| chosen.contains(&disk));
        let (word, bits) = match body.kind {
            SnapshotKind::Internal => ("internal", 0),
            SnapshotKind::External => ("external", flags::SNAPSHOT_CREATE_DISK_ONLY),
        };
        let overlay = |disk: &str| match body.kind {
            SnapshotKind::Internal => None,
            SnapshotKind::External => Some(self.path(&format!("{disk}-{name}.qcow2"))),
        };
        let disks = self.disks.iter().map(|disk| {
            let target = disk.target.as_str();
            (target, is_chosen(target).then(|| overlay(target)))
        });
        let listed = body.kind == SnapshotKind::External || chosen.is_some();
        let disks = listed.then(|| disks.collect::<Vec<_>>());
        let document = xml::snapshot_xml(name, disks.as_deref());
        let call = self.call(Api::DomainSnapshotCreate).flags(bits);
        let label = format!("snapshot-create {name} {word}");
        Step::call(&label, call.xml(document))
    }

    pub(super) fn snapshot(&self, label: &str, api: Api, body: &SnapshotName) -> Step {
        let name = &body.name.value;
        let call = Call {
            snapshot: Some(name.clone()),
            ..self.call(api)
        };
        Step::call(&format!("{label} {name}"), call)
    }

    /// A commit of the top layer, to which the guest writes, ends by a pivot.
    pub(super) fn block_commit(&self, body: &BlockCommit) -> Step {
        let top = body.top.filter(|top| *top > 0);
        let bits = if top.is_none() {
            flags::BLOCK_COMMIT_ACTIVE
        } else {
            0
        };
        let ends = Ends {
            base: body.base.map(u32::from),
            top: top.map(u32::from),
        };
        self.layer_job(
            "block-commit",
            Api::DomainBlockCommit,
            &body.disk.value,
            ends,
            bits,
        )
    }

    pub(super) fn block_pull(&self, body: &BlockPull) -> Step {
        let ends = Ends {
            base: body.base.map(u32::from),
            top: None,
        };
        let api = if ends.base.is_some() {
            Api::DomainBlockRebase
        } else {
            Api::DomainBlockPull
        };
        self.layer_job("block-pull", api, &body.disk.value, ends, 0)
    }

    fn layer_job(&self, label: &str, api: Api, disk: &str, ends: Ends, bits: u32) -> Step {
        let call = Call {
            disk: Some(disk.to_owned()),
            ..self.call(api).flags(bits)
        };
        let end = |word: &str, end: Option<u32>| {
            end.map_or_else(String::new, |layer| format!(" {word}={disk}[{layer}]"))
        };
        let (top, base) = (end("top", ends.top), end("base", ends.base));
        let planned = PlannedCall {
            ends,
            ..PlannedCall::literal(call)
        };
        Step::of(
            format!("{label} {disk}{top}{base}"),
            Operation::Call(planned),
        )
    }

    pub(super) fn block_job_abort(&self, body: &BlockJobAbort) -> Step {
        let disk = &body.disk.value;
        let bits = if body.pivot {
            flags::BLOCK_JOB_ABORT_PIVOT
        } else {
            0
        };
        let call = Call {
            disk: Some(disk.clone()),
            ..self.call(Api::DomainBlockJobAbort).flags(bits)
        };
        let words = words(&[(body.pivot, "pivot")]);
        Step::call(&format!("block-job-abort {disk}{words}"), call)
    }

    /// `None` for a disk that is itself not supported.
    pub(super) fn overlay_image(&self, body: &OverlayImage) -> Option<Step> {
        let disk = self.disk(&body.disk.value)?.target.clone();
        let image = ImageRef {
            path: self.path(&format!("{disk}-overlay.qcow2")),
            format: DiskFormat::Qcow2,
        };
        let words = words(&[(body.bitmaps, "bitmaps")]);
        let label = format!("overlay-image {disk}{words}");
        let bitmaps = body.bitmaps;
        let operation = Operation::PutOverlay {
            disk,
            image,
            bitmaps,
        };
        Some(Step::of(label, operation))
    }

    /// `None` for a disk that is itself not supported.
    pub(super) fn commit_image(&self, body: &DiskName) -> Option<Step> {
        let disk = self.disk(&body.disk.value)?.target.clone();
        let label = format!("commit-image {disk}");
        Some(Step::of(label, Operation::CommitOverlay { disk }))
    }
}

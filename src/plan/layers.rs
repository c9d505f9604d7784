//! The steps about a disk's layers: snapshots, the block jobs that move data between layers, and
//! overlays that libvirt has not made.

use super::steps::{Lowering, words};
use super::xml::{self, SnapshotPart};
use super::{Ends, Operation, PlannedCall, Step};
use crate::model::{Api, Call, DiskFormat, ImageRef, flags};
use crate::scenario::syntax::{
    BlockCommit, BlockJobAbort, BlockPull, DiskName, OverlayImage, SnapshotCreate, SnapshotKind,
    SnapshotName,
};

impl Lowering<'_> {
    /// An external snapshot is one of the disks alone, whether or not the domain runs.
    pub(super) fn snapshot_create(&self, body: &SnapshotCreate) -> Step {
        let name = &body.name.value;
        let (word, bits) = match body.kind {
            SnapshotKind::Internal => ("internal", 0),
            SnapshotKind::External => ("external", flags::SNAPSHOT_CREATE_DISK_ONLY),
        };
        let chosen = body.disks.as_ref();
        let is_chosen =
            |disk: &str| chosen.is_none_or(|chosen| chosen.iter().any(|name| name.value == disk));
        let part = |disk: &str| match body.kind {
            _ if !is_chosen(disk) => SnapshotPart::No,
            SnapshotKind::Internal => SnapshotPart::Internal,
            SnapshotKind::External => {
                SnapshotPart::External(self.path(&format!("{disk}-{name}.qcow2")))
            }
        };
        // Where the overlays lie must be said; what is inside the images libvirt knows.
        let is_listed = body.kind == SnapshotKind::External || chosen.is_some();
        let disks = self.disks.iter().filter(|_| is_listed);
        let disks = disks.map(|disk| (disk.target.as_str(), part(&disk.target)));
        let document = xml::snapshot_xml(name, &disks.collect::<Vec<_>>());
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

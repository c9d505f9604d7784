//! The truth about the disks, from the runner's own records.

use std::collections::{BTreeMap, BTreeSet};

use super::Attempt;
use crate::model::{
    Action, Api, Call, Content, DiskFormat, Export, ImageRef, LibvirtError, NbdServer, Request,
    RequestedDisk, Size, Value, flags,
};
use crate::plan::PlannedDisk;

/// What each disk holds, and what each backup must hold.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    disks: BTreeMap<String, Content>,
    backups: Vec<TakenBackup>,
    /// The backups that were asked for, whatever came of them.
    attempts: Vec<Attempt>,
    /// Checkpoints that were to be made without a backup, whatever came of them.
    own_checkpoints: BTreeSet<String>,
    /// Documents of checkpoints that a client has kept, without their nested domain.
    saved_checkpoints: BTreeMap<String, String>,
    /// The paths of the images whose bytes or version were changed.
    damaged: BTreeSet<String>,
    /// What each copied image held, by the path of the copy.
    copies: BTreeMap<String, Content>,
    /// What the disks held at each snapshot.
    snapshots: BTreeMap<String, BTreeMap<String, Content>>,
    /// Every checkpoint that a call has named.
    named: BTreeSet<String>,
    /// The guest does not run.
    paused: bool,
    /// The domain's memory is saved, and the next start restores it; whether it was paused.
    saved: Option<bool>,
    restored_and_not_resumed: bool,
}

/// A backup that was begun.
#[derive(Clone, Debug)]
pub struct TakenBackup {
    /// The checkpoint created with it.
    pub checkpoint: Option<String>,
    /// Its disks.
    pub disks: Vec<TakenDisk>,
    /// Where a pull backup is read from.
    pub server: Option<NbdServer>,
    /// Set when its data was restored and found equal.
    pub verified: bool,
    /// The disks whose images were made anew: it restores what was, but nothing builds on it there.
    pub replaced: BTreeSet<String>,
}

/// One disk of a backup.
#[derive(Clone, Debug)]
pub struct TakenDisk {
    /// Target device.
    pub disk: String,
    /// The checkpoint it is based on; `None` for a full one.
    pub base: Option<String>,
    /// The image that holds the backup; `None` where libvirt made its name up, or where nobody has
    /// read it yet.
    pub image: Option<ImageRef>,
    /// What a pull backup offers of it.
    pub export: Option<Export>,
    /// What the guest had at the backup's instant.
    pub content: Content,
}

impl Ledger {
    /// Takes note of something that was done to the host.
    pub(super) fn note_action(&mut self, action: &Action, disks: &[PlannedDisk]) {
        match action {
            Action::CreateImage { image, size } => {
                let disk = disks.iter().find(|disk| disk.image.path == image.path);
                if let Some(disk) = disk {
                    self.disks
                        .insert(disk.target.clone(), Content::zeros(*size));
                    self.forget_history_of(&disk.target);
                }
            }
            // The images of a disk that has layers from the start.
            Action::CreateOverlay { image, .. } => {
                let disk = disks.iter().find(|disk| disk.image.path == image.path);
                if let Some(disk) = disk {
                    let empty = || Content::zeros(disk.size);
                    self.disks.entry(disk.target.clone()).or_insert_with(empty);
                }
            }
            Action::GuestWrite {
                disk,
                offset,
                length,
                pattern,
                ..
            } => {
                if let Some(content) = self.disks.get_mut(disk) {
                    content.write(offset.bytes(), length.bytes(), *pattern);
                }
            }
            // A version that stores no bitmaps leaves their clusters behind.
            Action::DamageImage { image, .. } | Action::AmendImage { image, .. } => {
                self.damaged.insert(image.path.clone());
            }
            Action::WriteImage { image, .. }
            | Action::ResizeImage { image, .. }
            | Action::CopyImage { image, .. }
            | Action::RestoreImage { image, .. } => {
                let disk = disks.iter().find(|disk| disk.image.path == image.path);
                if let Some(disk) = disk {
                    self.note_tool(action, &disk.target);
                }
            }
            Action::ReadExport { export, image, .. } => {
                let last = self.backups.last_mut();
                let mut disks = last.into_iter().flat_map(|backup| &mut backup.disks);
                let of_export = |taken: &&mut TakenDisk| {
                    taken.export.as_ref().map(|own| own.name.as_str()) == Some(export)
                };
                if let Some(taken) = disks.find(of_export) {
                    taken.image = Some(image.clone());
                }
            }
            Action::KillEmulator { .. } | Action::PowerOffGuest { .. } => {
                self.paused = false;
                self.restored_and_not_resumed = false;
            }
            Action::LiveBitmaps { .. }
            | Action::DiskFormats { .. }
            | Action::DiskLayers { .. }
            | Action::CommitImage { .. }
            | Action::ChangeLiveBitmap { .. }
            | Action::FailGuestWrite { .. }
            | Action::StoredBitmaps { .. }
            | Action::AwaitBackup { .. }
            | Action::SettleBackup { .. }
            | Action::ReadChain { .. }
            | Action::CheckImage { .. }
            | Action::ListFiles { .. }
            | Action::ChangeBitmap { .. }
            | Action::StartNbdServer { .. }
            | Action::StopNbdServer { .. }
            | Action::AwaitBlockJob { .. }
            | Action::ProbeServer { .. }
            | Action::ProbeMetadataStore { .. }
            | Action::FindFiles { .. }
            | Action::ImageVersions { .. }
            | Action::ConvertImage { .. }
            | Action::MergeBitmaps { .. }
            | Action::TruncateImage { .. }
            | Action::CrashImageWriter { .. }
            | Action::BlockMetadataStore { .. }
            | Action::UnblockMetadataStore { .. }
            | Action::RemoveMetadata { .. }
            | Action::EditMetadata { .. }
            | Action::RestartDaemon
            | Action::KillDaemon
            | Action::AwaitDetach { .. }
            | Action::MountFileSystem { .. }
            | Action::FillFileSystem { .. }
            | Action::FreeFileSystem { .. }
            | Action::BeginCall { .. }
            | Action::JoinCall { .. }
            | Action::MakeDirectory { .. }
            | Action::RemoveDirectory { .. }
            | Action::MakeFile { .. }
            | Action::RemoveFile { .. }
            | Action::OccupyPort { .. }
            | Action::ReleasePort { .. } => {}
        }
    }

    /// Takes note of what a tool did to the image of a disk.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the caller sends what changes a disk here"
    )]
    fn note_tool(&mut self, action: &Action, disk: &str) {
        let Some(content) = self.disks.get_mut(disk) else {
            return;
        };
        match action {
            Action::WriteImage {
                offset,
                length,
                pattern,
                ..
            } => content.write(offset.bytes(), length.bytes(), *pattern),
            Action::ResizeImage { size, .. } => *content = content.resized(*size),
            Action::CopyImage { copy, .. } => {
                self.copies.insert(copy.clone(), content.clone());
            }
            Action::RestoreImage { copy, .. } => {
                if let Some(kept) = self.copies.get(copy) {
                    *content = kept.clone();
                }
            }
            _ => {}
        }
    }

    /// Whether something was done to an image that may leak clusters.
    #[must_use]
    pub fn is_damaged(&self, image: &ImageRef) -> bool {
        self.damaged.contains(&image.path)
    }

    /// The domain has lost a disk.
    pub(super) fn forget_disk(&mut self, disk: &str) {
        self.disks.remove(disk);
    }

    /// An image that was made anew is not the one that earlier backups belong to.
    fn forget_history_of(&mut self, disk: &str) {
        for backup in &mut self.backups {
            if backup.disks.iter().any(|taken| taken.disk == disk) {
                backup.replaced.insert(disk.to_owned());
            }
        }
    }

    /// Takes note of a call before its answer is there: an attempt is one's own, whatever comes of
    /// it.
    pub(super) fn note_attempt(&mut self, call: &Call, found: Vec<String>) {
        let request = Request::of(call);
        let names = [&request.checkpoint, &call.checkpoint];
        self.named.extend(names.into_iter().flatten().cloned());
        if call.api == Api::DomainBackupBegin {
            self.attempts.push(Attempt {
                request,
                found,
                refused: None,
            });
        } else if call.api == Api::CheckpointCreate
            && call.flags & flags::CHECKPOINT_CREATE_REDEFINE == 0
        {
            self.own_checkpoints.extend(request.checkpoint);
        }
    }

    /// Takes note of a refusal.
    pub(super) fn note_refusal(&mut self, call: &Call, error: &LibvirtError) {
        if call.api == Api::DomainBackupBegin
            && let Some(attempt) = self.attempts.last_mut()
        {
            attempt.refused = Some(error.clone());
        }
    }

    /// Takes note of a call that succeeded.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "most calls change nothing in these books"
    )]
    pub(super) fn note_call(&mut self, call: &Call, value: &Value) {
        match call.api {
            Api::CheckpointGetXmlDesc if call.flags & flags::CHECKPOINT_XML_NO_DOMAIN != 0 => {
                if let (Some(name), Value::Xml(xml)) = (&call.checkpoint, value) {
                    self.saved_checkpoints.insert(name.clone(), xml.clone());
                }
            }
            Api::DomainBackupBegin => {
                let request = Request::of(call).over(self.disks.keys().cloned());
                self.note_backup(&request);
            }
            Api::CheckpointDelete
                if call.flags
                    & (flags::CHECKPOINT_DELETE_METADATA_ONLY
                        | flags::CHECKPOINT_DELETE_CHILDREN_ONLY)
                    == 0 =>
            {
                // Its bitmap is gone: there is nothing left to redefine.
                let name = call.checkpoint.as_deref().unwrap_or_default();
                self.saved_checkpoints.remove(name);
            }
            Api::DomainSnapshotCreate => {
                if let Value::Name(name) = value {
                    self.snapshots.insert(name.clone(), self.disks.clone());
                }
            }
            Api::DomainRevertToSnapshot => {
                let name = call.snapshot.as_deref().unwrap_or_default();
                if let Some(disks) = self.snapshots.get(name) {
                    self.disks.clone_from(disks);
                }
                self.paused = false;
            }
            Api::DomainBlockResize => {
                let unit = if call.flags & flags::BLOCK_RESIZE_BYTES == 0 {
                    1024
                } else {
                    1
                };
                let disk = call.disk.as_deref().unwrap_or_default();
                if let (Some(content), Some(size)) = (self.disks.get_mut(disk), call.size) {
                    *content = content.resized(Size(size * unit));
                }
            }
            Api::DomainManagedSave => self.saved = Some(self.paused),
            Api::DomainManagedSaveRemove => self.saved = None,
            Api::DomainCreate => {
                let paused = call.flags & flags::START_PAUSED != 0;
                let saved = self.saved.take();
                self.restored_and_not_resumed = saved.is_some_and(|saved| saved || paused);
                self.paused = self.restored_and_not_resumed || paused;
            }
            Api::DomainSuspend => self.paused = true,
            Api::DomainResume | Api::DomainDestroy => {
                self.paused = false;
                self.restored_and_not_resumed = false;
            }
            _ => {}
        }
    }

    fn note_backup(&mut self, request: &Request) {
        let content = |disk: &str| self.disks.get(disk).cloned().unwrap_or_default();
        let taken = |disk: &RequestedDisk| TakenDisk {
            disk: disk.disk.clone(),
            base: disk.base.clone(),
            image: disk.target.clone(),
            export: disk.export.clone(),
            content: content(&disk.disk),
        };
        let backup = TakenBackup {
            checkpoint: request.checkpoint.clone(),
            disks: request.disks.iter().map(taken).collect(),
            server: request.server.clone(),
            verified: false,
            replaced: BTreeSet::new(),
        };
        self.backups.push(backup);
    }

    /// Whether the last backup is a pull whose document does not say where it is read from.
    pub(super) fn lacks_server(&self) -> bool {
        let last = self.backups.last();
        last.is_some_and(|backup| {
            let is_offered = backup.disks.iter().any(|taken| taken.export.is_some());
            is_offered && backup.server.is_none()
        })
    }

    /// Takes note of where that is.
    pub(super) fn note_server(&mut self, server: NbdServer) {
        if let Some(backup) = self.backups.last_mut() {
            backup.server = Some(server);
        }
    }

    /// What reads the exports of the last backup, by target device, into images of this directory.
    pub(super) fn exports(&self, directory: &str) -> Vec<(String, Action)> {
        let number = self.backups.len();
        let Some((backup, server)) = self
            .backups
            .last()
            .and_then(|backup| Some((backup, backup.server.clone()?)))
        else {
            return Vec::new();
        };
        let read = |taken: &TakenDisk| {
            let export = taken.export.clone()?;
            let action = Action::ReadExport {
                server: server.clone(),
                export: export.name,
                bitmap: export.bitmap,
                image: ImageRef {
                    path: format!("{directory}/pulled{number}-{}.qcow2", taken.disk),
                    format: DiskFormat::Qcow2,
                },
            };
            Some((taken.disk.clone(), action))
        };
        backup.disks.iter().filter_map(read).collect()
    }

    /// Whether the domain was restored from a saved state and has not run since.
    #[must_use]
    pub const fn is_restored_and_not_resumed(&self) -> bool {
        self.restored_and_not_resumed
    }

    /// Marks the last backup as verified.
    pub fn mark_verified(&mut self) {
        if let Some(backup) = self.backups.last_mut() {
            backup.verified = true;
        }
    }

    /// The last backup that was begun.
    #[must_use]
    pub fn last_backup(&self) -> Option<&TakenBackup> {
        self.backups.last()
    }

    /// Keeps a document again, which a clean-up on some disks has made libvirt forget.
    pub fn keep_document(&mut self, name: &str, xml: String) {
        self.saved_checkpoints.insert(name.to_owned(), xml);
    }

    /// The document of a checkpoint that a client has kept.
    #[must_use]
    pub fn saved_checkpoint(&self, name: &str) -> Option<&str> {
        self.saved_checkpoints.get(name).map(String::as_str)
    }

    /// The names of the checkpoints whose documents a client has kept, sorted.
    pub fn saved_checkpoints(&self) -> impl Iterator<Item = &str> {
        self.saved_checkpoints.keys().map(String::as_str)
    }

    /// What a disk holds now.
    #[must_use]
    pub fn content(&self, disk: &str) -> Option<&Content> {
        self.disks.get(disk)
    }

    /// Every backup that was begun, oldest first.
    #[must_use]
    pub fn backups(&self) -> &[TakenBackup] {
        &self.backups
    }

    /// The checkpoints that have a verified backup behind them, oldest first.
    pub fn verified_checkpoints(&self) -> impl Iterator<Item = &str> {
        let serves = |backup: &&TakenBackup| {
            let mut disks = backup.disks.iter();
            backup.verified && disks.any(|taken| !backup.replaced.contains(&taken.disk))
        };
        let verified = self.backups.iter().filter(serves);
        verified.filter_map(|backup| backup.checkpoint.as_deref())
    }

    /// Those of them whose disks all have the images that they were made on.
    pub fn whole_checkpoints(&self) -> impl Iterator<Item = &str> {
        let is_whole = |backup: &&TakenBackup| backup.verified && backup.replaced.is_empty();
        let whole = self.backups.iter().filter(is_whole);
        whole.filter_map(|backup| backup.checkpoint.as_deref())
    }

    /// The checkpoints of own attempts that have not come to a verified backup.
    pub fn uncommitted_checkpoints(&self) -> impl Iterator<Item = &str> {
        let is_verified = |name: &&str| {
            let mut verified = self.backups.iter().filter(|backup| backup.verified);
            verified.any(|backup| backup.checkpoint.as_deref() == Some(*name))
        };
        let attempts = self.attempts.iter();
        attempts
            .filter(|attempt| !attempt.has_met_another())
            .filter_map(|attempt| attempt.request.checkpoint.as_deref())
            .filter(move |name| !is_verified(name))
    }

    /// The checkpoints that were to be made without a backup.
    pub fn own_checkpoints(&self) -> impl Iterator<Item = &str> {
        self.own_checkpoints.iter().map(String::as_str)
    }

    /// Whether a bitmap is of somebody who has never called libvirt here: another program's, or one
    /// whose name was spoilt. libvirt's own begin with `backup-` or `libvirt-`.
    #[must_use]
    pub fn is_foreign(&self, bitmap: &str) -> bool {
        let own = ["backup-", "libvirt-"];
        !self.named.contains(bitmap) && !own.iter().any(|prefix| bitmap.starts_with(prefix))
    }

    /// The backups that were asked for.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// The disks of each verified checkpoint whose backups are there.
    #[must_use]
    pub fn verified_disks(&self) -> BTreeMap<String, BTreeSet<String>> {
        let disks = |backup: &TakenBackup| {
            let disks = backup.disks.iter().map(|taken| taken.disk.clone());
            Some((backup.checkpoint.clone()?, disks.collect()))
        };
        let verified = self.backups.iter().filter(|backup| backup.verified);
        verified.filter_map(disks).collect()
    }

    /// For each checkpoint, the disks whose image is no longer the one it was made on.
    #[must_use]
    pub fn replaced_disks(&self) -> BTreeMap<String, BTreeSet<String>> {
        let replaced = self
            .backups
            .iter()
            .filter(|backup| !backup.replaced.is_empty());
        let of_checkpoint =
            |backup: &TakenBackup| Some((backup.checkpoint.clone()?, backup.replaced.clone()));
        replaced.filter_map(of_checkpoint).collect()
    }

    /// The images that restore one disk of a backup, newest first: its own, then those of the
    /// backups it builds on. `None` when one of them is not in the books.
    #[must_use]
    pub fn restore_chain(&self, backup: &TakenBackup, disk: &str) -> Option<Vec<ImageRef>> {
        let mut layers = Vec::new();
        let mut backup = backup;
        loop {
            let taken = backup.disks.iter().find(|taken| taken.disk == disk)?;
            layers.push(taken.image.clone()?);
            let Some(base) = &taken.base else {
                return Some(layers);
            };
            // A chain cannot be longer than the books: a base that names its own backup ends it.
            if layers.len() > self.backups.len() {
                return None;
            }
            let mut newest_first = self.backups.iter().rev();
            backup = newest_first.find(|found| found.checkpoint.as_ref() == Some(base))?;
        }
    }
}

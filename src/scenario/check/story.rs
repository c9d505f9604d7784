//! The history step by step: what exists at each point, and what a step needs of it.

use std::collections::BTreeMap;
use std::ops::Range;

use super::backup::check_backup;
use super::disks::check_size;
use super::effect::{Power, is_call, power_after, wanted};
use super::names::Names;
use crate::model::{Api, Argument, ErrorCode, Size};
use crate::scenario::diagnostic::Problem;
use crate::scenario::syntax::{
    BackupBegin, BackupMode, Call, CheckpointCreate, CheckpointDelete, Disk, Edit, Named, Spanned,
    Step,
};

/// What the file says of a step's end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Strictness {
    /// It succeeds, so that all it needs must be there.
    MustSucceed,
    /// It is refused with this code, so that something may be missing on purpose.
    MustBeRefused(ErrorCode),
    /// Its answer comes later, or is not known.
    Unknown,
}

/// Disks by target device, and their sizes; `None` for an empty drive.
pub(super) type Disks = BTreeMap<String, Option<Size>>;

/// What exists at one point of the history.
pub(super) struct Story<'a> {
    pub(super) problems: &'a mut Vec<Problem>,
    pub(super) disks: Disks,
    /// The disks that the file defines the domain with.
    defined: Disks,
    /// A raw call or another process may have changed disks and sizes.
    pub(super) disks_open: bool,
    power: Power,
    /// The domain lives without a definition, and is gone with its QEMU.
    transient: bool,
    checkpoints: Names,
    pub(super) bitmaps: Names,
    dumps: Names,
    copies: Names,
    /// What a kept copy holds.
    copied: BTreeMap<String, Option<Size>>,
    snapshots: Names,
    background: Names,
    background_places: BTreeMap<String, Range<usize>>,
    backup: Option<BackupMode>,
}

impl<'a> Story<'a> {
    pub(super) fn new(disks: &Named<Disk>, problems: &'a mut Vec<Problem>) -> Self {
        let size = |disk: &Disk| disk.size.as_ref().map(|size| size.value.0);
        let disks = disks.0.iter();
        let disks: Disks = disks
            .map(|(target, disk)| (target.value.clone(), size(disk)))
            .collect();
        Self {
            problems,
            defined: disks.clone(),
            disks,
            disks_open: false,
            power: Power::ShutOff,
            transient: false,
            checkpoints: Names::new("checkpoint", "scenario::unknown_checkpoint"),
            bitmaps: Names::new("bitmap", "scenario::unknown_bitmap"),
            dumps: Names::new("dump", "scenario::unknown_dump"),
            copies: Names::new("copy", "scenario::unknown_copy"),
            copied: BTreeMap::new(),
            snapshots: Names::new("snapshot", "scenario::unknown_snapshot"),
            background: Names::new("call in the background", "scenario::unknown_background"),
            background_places: BTreeMap::new(),
            backup: None,
        }
    }

    /// From here on anything may be otherwise: a call did it that is not looked into.
    fn forget(&mut self) {
        self.forget_chain();
        self.disks_open = true;
    }

    /// From here on checkpoints, bitmaps and the domain's state may be otherwise.
    pub(super) fn forget_chain(&mut self) {
        self.power = Power::Unknown;
        self.checkpoints.open();
        self.bitmaps.open();
        self.snapshots.open();
        self.backup = None;
    }

    /// Checks a step and takes note of what it does.
    pub(super) fn step(&mut self, step: &Spanned<Step>, strictness: Strictness) {
        let must_succeed = strictness == Strictness::MustSucceed;
        if must_succeed {
            self.check_power(step);
        }
        self.arguments(&step.value, &step.span, strictness);
        if must_succeed {
            self.follow(&step.value);
            if !self.power.is_active() && self.power != Power::Unknown {
                self.backup = None;
            }
        } else if let Step::Call(call) = &step.value
            && call.api.value == Api::DomainRevertToSnapshot
        {
            // A way back that is refused may have stopped the domain.
            self.power = Power::Unknown;
        }
    }

    /// The power after a step that succeeded.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "most steps leave the definition as it is"
    )]
    fn follow(&mut self, step: &Step) {
        let before = self.power;
        self.power = power_after(step, before);
        match step {
            Step::Undefine | Step::UndefineWithMetadata if before.is_active() => {
                self.transient = true;
            }
            Step::Define => {
                self.transient = false;
                self.disks.clone_from(&self.defined);
            }
            _ if self.transient && !self.power.is_active() => self.power = Power::Undefined,
            _ => {}
        }
    }

    /// What must not be left open.
    pub(super) fn finish(self) {
        for label in self.background.left() {
            let place = self.background_places.get(label).cloned().unwrap_or(0..0);
            self.problems.push(
                Problem::new(
                    "scenario::not_joined",
                    place,
                    format!("the call `{label}` in the background is never joined"),
                )
                .label("its answer is lost")
                .help(format!("add `- join: {{ from: {label} }}`")),
            );
        }
    }

    pub(super) fn report(&mut self, problem: impl Into<Option<Problem>>) {
        self.problems.extend(problem.into());
    }

    fn check_power(&mut self, step: &Spanned<Step>) {
        let wanted = wanted(&step.value);
        if !wanted.holds(self.power) {
            let message = format!(
                "this step needs {}, and here the domain is {}",
                wanted.as_str(),
                self.power.as_str()
            );
            self.report(
                Problem::new("scenario::impossible_state", step.span.clone(), message)
                    .label("not possible at this point of the history")
                    .help(wanted.help()),
            );
            // One missing step is one problem, not one for each step behind it.
            self.power = wanted.assumed();
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each step")]
    fn arguments(&mut self, step: &Step, place: &Range<usize>, strictness: Strictness) {
        match step {
            Step::GuestWrite(body) | Step::ImageWrite(body) => {
                self.write(&body.disk, &body.offset, &body.length);
            }
            Step::GuestWriteFails(body) => self.write(&body.disk, &body.offset, &body.length),
            Step::CheckpointCreate(body) => self.checkpoint_create(body, strictness),
            Step::CheckpointDump(body) => {
                self.checkpoint(&body.name, strictness);
                if strictness == Strictness::MustSucceed {
                    let taken = self.dumps.introduce(&body.label);
                    self.report(taken);
                }
            }
            Step::CheckpointRedefine(body) => {
                let missing = self.dumps.missing(&body.from);
                self.report(missing.map(|problem| {
                    problem.label("no earlier `checkpoint-dump … as:` has this label")
                }));
                self.edits(&body.edit);
                if strictness == Strictness::MustSucceed {
                    // Which name the dump holds may have been edited.
                    self.checkpoints.open();
                }
            }
            Step::CheckpointDelete(body) => self.checkpoint_delete(body, strictness),
            Step::BackupBegin(body) => self.backup_begin(body, place, strictness),
            Step::AwaitBackup | Step::AwaitFailedBackup => {
                self.end_backup(place, Some(BackupMode::Push), strictness);
            }
            Step::BackupEnd => self.end_backup(place, Some(BackupMode::Pull), strictness),
            Step::BackupAbort => self.end_backup(place, None, strictness),
            Step::SnapshotCreate(body) => {
                for disk in body.disks.iter().flatten() {
                    self.disk(disk);
                }
                if strictness == Strictness::MustSucceed {
                    let taken = self.snapshots.introduce(&body.name);
                    self.report(taken);
                }
            }
            Step::SnapshotRevert(body) => {
                self.snapshot(&body.name, strictness);
                // Which disks there were then, and how large, is libvirt's to know.
                self.disks_open = true;
            }
            Step::SnapshotDelete(body) => {
                self.snapshot(&body.name, strictness);
                if strictness == Strictness::MustSucceed {
                    self.snapshots.remove(&body.name.value);
                }
            }
            Step::BlockCommit(body) => self.disk(&body.disk),
            Step::BlockPull(body) => self.disk(&body.disk),
            Step::BlockCopy(body) => self.disk(&body.disk),
            Step::BlockJobAbort(body) => self.disk(&body.disk),
            Step::BlockResize(body) | Step::ResizeImage(body) => {
                self.disk(&body.disk);
                check_size(&body.size, self.problems);
                if let Some(size) = self.disks.get_mut(&body.disk.value)
                    && strictness == Strictness::MustSucceed
                {
                    *size = Some(body.size.value.0);
                }
            }
            Step::AwaitBlockJob(body)
            | Step::RecreateImage(body)
            | Step::CommitImage(body)
            | Step::CrashImageWriter(body) => self.disk(&body.disk),
            Step::AttachDisk(body) => self.attach(&body.disk, &body.size, strictness),
            Step::DetachDisk(body) => {
                self.disk(&body.disk);
                if strictness == Strictness::MustSucceed {
                    self.disks.remove(&body.disk.value);
                }
            }
            Step::ConvertImage(body) => self.disk(&body.disk),
            Step::AmendImage(body) => self.disk(&body.disk),
            Step::OverlayImage(body) => self.disk(&body.disk),
            Step::TruncateImage(body) => self.disk(&body.disk),
            Step::CopyImage(body) => {
                self.disk(&body.disk);
                let taken = self.copies.introduce(&body.label);
                self.report(taken);
                let size = self.disks.get(&body.disk.value).copied().flatten();
                self.copied.insert(body.label.value.clone(), size);
            }
            Step::RestoreImage(body) => {
                self.disk(&body.disk);
                let missing = self.copies.missing(&body.from);
                self.report(missing);
                if let Some(size) = self.copied.get(&body.from.value).copied() {
                    self.disks.insert(body.disk.value.clone(), size);
                }
            }
            Step::BitmapAdd(body) => {
                self.disk(&body.disk);
                self.bitmaps.add(&body.bitmap.value);
            }
            Step::BitmapRemove(body)
            | Step::BitmapClear(body)
            | Step::BitmapEnable(body)
            | Step::BitmapDisable(body) => self.bitmap_of(body),
            Step::BitmapMerge(body) => {
                self.disk(&body.disk);
                self.bitmap(&body.bitmap);
                self.bitmap(&body.from);
            }
            Step::DamageBitmap(body) => {
                self.disk(&body.disk);
                self.bitmap(&body.bitmap);
                if let Some(other) = &body.other {
                    self.bitmap(other);
                } else if body.kind.needs_other() {
                    self.report(
                        Problem::new(
                            "scenario::missing_key",
                            body.bitmap.span.clone(),
                            "this kind of damage involves a second bitmap",
                        )
                        .label("damaged together with which one?")
                        .help("add `other: NAME`"),
                    );
                }
                if body.kind.renames() {
                    self.bitmaps.open();
                }
            }
            Step::DamageImage(body) => self.disk(&body.disk),
            Step::WriteBytes(body) => self.write_bytes(body),
            Step::Background(body) => {
                if !is_call(&body.step.value) {
                    self.report(
                        Problem::new(
                            "scenario::background",
                            body.step.span.clone(),
                            "only a libvirt call can go on in the background",
                        )
                        .help("move the step out of `background`"),
                    );
                }
                self.arguments(&body.step.value, &body.step.span, Strictness::Unknown);
                let taken = self.background.introduce(&body.label);
                self.report(taken);
                let places = &mut self.background_places;
                places.insert(body.label.value.clone(), body.label.span.clone());
                // It may have its effect at any time from now on.
                self.forget();
            }
            Step::Join(body) => {
                let missing = self.background.missing(&body.from);
                self.report(missing);
                self.background.remove(&body.from.value);
                self.forget();
            }
            // Which checkpoints libvirt finds again is its to know.
            Step::RestartDaemon | Step::KillDaemon => self.checkpoints.open(),
            Step::Call(body) => self.call(body, strictness),
            Step::UndefineWithMetadata => self.checkpoints.clear(),
            Step::Start
            | Step::StartPaused
            | Step::Pause
            | Step::Resume
            | Step::Shutdown
            | Step::Destroy
            | Step::KillEmulator
            | Step::Save
            | Step::Restore
            | Step::Undefine
            | Step::Define
            | Step::MakeDirectory(_)
            | Step::RemoveDirectory(_)
            | Step::MakeFile(_)
            | Step::RemoveFile(_)
            | Step::SmallFileSystem(_)
            | Step::FillFileSystem(_)
            | Step::FreeFileSystem(_)
            | Step::OccupyPort(_)
            | Step::ReleasePort(_)
            | Step::NbdServerStart(_)
            | Step::NbdServerStop
            | Step::BlockMetadataStore
            | Step::UnblockMetadataStore => {}
            Step::RemoveMetadata(body) => self.checkpoint(&body.name, strictness),
            Step::EditMetadata(body) => {
                self.checkpoint(&body.name, strictness);
                self.edits(&body.edit);
            }
        }
    }

    fn edits(&mut self, edits: &[Edit]) {
        for edit in edits.iter().filter(|edit| edit.replace.value.is_empty()) {
            self.report(
                Problem::new(
                    "scenario::edit",
                    edit.replace.span.clone(),
                    "an empty text stands everywhere and nowhere",
                )
                .help("write the text that is to be replaced"),
            );
        }
    }

    /// A checkpoint that must be there, unless the file expects libvirt to miss it.
    pub(super) fn checkpoint(&mut self, name: &Spanned<String>, strictness: Strictness) {
        let on_purpose = Strictness::MustBeRefused(ErrorCode::NO_DOMAIN_CHECKPOINT);
        if strictness == on_purpose || strictness == Strictness::Unknown {
            return;
        }
        let missing = self.checkpoints.missing(name);
        self.report(missing.map(|problem| {
            if strictness == Strictness::MustSucceed {
                return problem;
            }
            let known = problem.help.clone().unwrap_or_default();
            problem.help(format!(
                "{known}\nif it is missing on purpose, the error is VIR_ERR_NO_DOMAIN_CHECKPOINT"
            ))
        }));
    }

    fn snapshot(&mut self, name: &Spanned<String>, strictness: Strictness) {
        if strictness == Strictness::MustSucceed {
            let missing = self.snapshots.missing(name);
            self.report(missing);
        }
    }

    fn checkpoint_create(&mut self, body: &CheckpointCreate, strictness: Strictness) {
        for disk in body.disks.iter().flatten() {
            self.disk(disk);
        }
        if strictness == Strictness::MustSucceed {
            let taken = self.checkpoints.introduce(&body.name);
            self.report(taken);
            self.bitmaps.add(&body.name.value);
        }
    }

    fn checkpoint_delete(&mut self, body: &CheckpointDelete, strictness: Strictness) {
        self.checkpoint(&body.name, strictness);
        if strictness != Strictness::MustSucceed {
            return;
        }
        if body.children || body.children_only {
            // Who descends from whom is libvirt's to know.
            self.checkpoints.open();
        } else {
            self.checkpoints.remove(&body.name.value);
        }
    }

    fn backup_begin(&mut self, body: &BackupBegin, place: &Range<usize>, strictness: Strictness) {
        check_backup(body, self.problems);
        let created = body.checkpoint.as_ref().map(|new| &new.name.value);
        let bases = body
            .disks
            .0
            .iter()
            .filter_map(|(_, part)| part.incremental.as_ref());
        for base in bases.chain(&body.incremental) {
            // A base that the same call creates is a fault of its own.
            if strictness == Strictness::MustSucceed || created != Some(&base.value) {
                self.checkpoint(base, strictness);
            }
        }
        for (disk, _) in &body.disks.0 {
            self.disk(disk);
        }
        if strictness == Strictness::MustSucceed && self.backup.is_some() {
            self.report(
                Problem::new(
                    "scenario::impossible_state",
                    place.clone(),
                    "another backup is still running at this point",
                )
                .label("refused, after half a minute")
                .help("add `- await-backup`, `- backup-end` or `- backup-abort` before it"),
            );
        }
        if let Some(checkpoint) = &body.checkpoint {
            self.checkpoint_create(checkpoint, strictness);
        }
        if strictness == Strictness::MustSucceed {
            self.backup = Some(body.mode.value);
        }
    }

    /// A step about the running backup; `mode` is the kind that it ends.
    fn end_backup(
        &mut self,
        place: &Range<usize>,
        mode: Option<BackupMode>,
        strictness: Strictness,
    ) {
        let is_known = self.power != Power::Unknown && strictness == Strictness::MustSucceed;
        let problem = match (self.backup, mode) {
            (None, _) => Some((
                "no backup is running at this point",
                "add `- backup-begin: …` before it",
            )),
            (Some(BackupMode::Pull), Some(BackupMode::Push)) => Some((
                "a pull backup ends when its client says so, not by itself",
                "write `- backup-end`",
            )),
            (Some(BackupMode::Push), Some(BackupMode::Pull)) => {
                Some(("a push backup ends by itself", "write `- await-backup`"))
            }
            (Some(_), _) => None,
        };
        if let Some((message, help)) = problem
            && is_known
        {
            self.report(
                Problem::new("scenario::impossible_state", place.clone(), message)
                    .label("not possible at this point of the history")
                    .help(help),
            );
        }
        self.backup = None;
    }

    fn call(&mut self, body: &Call, strictness: Strictness) {
        let api = body.api.value;
        let given = [
            ("checkpoint", Argument::Checkpoint, body.checkpoint.as_ref()),
            ("disk", Argument::Disk, body.disk.as_ref()),
            ("xml", Argument::Xml, body.xml.as_ref()),
            (
                "checkpoint-xml",
                Argument::CheckpointXml,
                body.checkpoint_xml.as_ref(),
            ),
            ("snapshot", Argument::Snapshot, body.snapshot.as_ref()),
            ("base", Argument::Base, body.base.as_ref()),
            ("top", Argument::Top, body.top.as_ref()),
            ("to", Argument::To, body.to.as_ref()),
        ];
        let wrong = given.into_iter().filter_map(|(key, argument, text)| {
            let is_wrong = !api.arguments().contains(&argument);
            text.filter(|_| is_wrong)
                .map(|text| (key, text.span.clone()))
        });
        let flags = body.flags.as_ref().filter(|_| !api.takes_flags());
        let takes_size = api.arguments().contains(&Argument::Size);
        let size = body.size.as_ref().filter(|_| !takes_size);
        let wrong = wrong
            .chain(flags.map(|flags| ("flags", flags.span.clone())))
            .chain(size.map(|size| ("size", size.span.clone())));
        for (key, place) in wrong.collect::<Vec<_>>() {
            self.report(
                Problem::new(
                    "scenario::argument",
                    place,
                    format!("`{api}` takes no `{key}`"),
                )
                .help("remove the key"),
            );
        }
        if matches!(strictness, Strictness::MustBeRefused(_)) {
            return;
        }
        let changes_disks = [
            Api::DomainDefine,
            Api::DomainAttachDevice,
            Api::DomainDetachDevice,
        ];
        self.forget_chain();
        self.disks_open |= changes_disks.contains(&api);
    }
}

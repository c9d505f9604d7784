//! One step of a scenario as one planned step.

use super::xml::{self, Machine};
use super::{Operation, PlannedDisk, Step};
use crate::model::{Api, Call, Place, flags};
use crate::scenario::Step as Told;

/// What a step needs to know of the scenario around it.
pub(super) struct Lowering<'a> {
    pub(super) place: &'a Place,
    /// The disks that the domain is defined with.
    pub(super) defined: &'a [PlannedDisk],
    /// The disks that it has at this step.
    pub(super) disks: Vec<PlannedDisk>,
    /// It runs, or is paused, as far as the steps tell.
    pub(super) is_active: bool,
    pub(super) machine: Machine,
}

impl Lowering<'_> {
    /// What comes before the scenario's own story: the images, and the domain's definition.
    pub(super) fn setup(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = self.disks.iter().flat_map(Self::create_images).collect();
        let amend = |disk: &PlannedDisk| Some(Self::amend(disk, disk.compat?));
        steps.extend(self.disks.iter().filter_map(amend));
        steps.push(self.define());
        steps
    }

    /// The call under test: of a step that stands for several things, the call alone.
    pub(super) fn call_under_test(&self, step: &Told) -> Result<Step, String> {
        if matches!(step, Told::BackupEnd | Told::BackupAbort) {
            return Ok(self.plain(&step.name(), Api::DomainAbortJob));
        }
        if *step == Told::Shutdown {
            return Ok(self.plain("shutdown", Api::DomainShutdown));
        }
        self.step(step)
    }

    /// A step was planned: the domain has other disks from here on, or another state.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "most steps leave the domain as it is"
    )]
    pub(super) fn follow(&mut self, step: &Told) {
        match step {
            Told::Start | Told::StartPaused | Told::Restore => self.is_active = true,
            Told::Shutdown | Told::Destroy | Told::KillEmulator | Told::Save => {
                self.is_active = false;
            }
            Told::Define if !self.is_active => self.disks = self.defined.to_vec(),
            Told::AttachDisk(body) => self.disks.push(self.attached(body)),
            Told::DetachDisk(body) => {
                let target = &body.disk.value;
                self.disks.retain(|disk| disk.target != *target);
            }
            _ => {}
        }
    }

    /// The step as planned, or the word for what no driver can do yet.
    pub(super) fn step(&self, step: &Told) -> Result<Step, String> {
        Ok(match step {
            Told::Start => self.plain("start", Api::DomainCreate),
            Told::StartPaused => {
                let call = self.call(Api::DomainCreate).flags(flags::START_PAUSED);
                Step::call("start-paused", call)
            }
            Told::Pause => self.plain("pause", Api::DomainSuspend),
            Told::Resume => self.plain("resume", Api::DomainResume),
            Told::Destroy => self.plain("destroy", Api::DomainDestroy),
            Told::Save => self.plain("save", Api::DomainManagedSave),
            Told::Restore => self.plain("restore", Api::DomainCreate),
            Told::KillEmulator => self.kill_emulator(),
            Told::Undefine => self.plain("undefine", Api::DomainUndefine),
            Told::UndefineWithMetadata => {
                let metadata = flags::UNDEFINE_MANAGED_SAVE
                    | flags::UNDEFINE_SNAPSHOTS_METADATA
                    | flags::UNDEFINE_CHECKPOINTS_METADATA;
                let call = self.call(Api::DomainUndefine).flags(metadata);
                Step::call("undefine-with-metadata", call)
            }
            Told::Define => self.define(),
            Told::AwaitBackup => Step::of("await-backup", Operation::AwaitBackup),
            Told::AwaitFailedBackup => Step::of(step.name(), Operation::AwaitFailure),
            Told::GuestWriteFails(body) => self.guest_write_fails(body),
            Told::BackupEnd => Step::of("backup-end", Operation::EndBackup),
            Told::BackupAbort => Step::of("backup-abort", Operation::AbortBackup),
            Told::GuestWrite(body) => {
                let range = (body.offset.value.0, body.length.value.0);
                Step::guest_write(&self.place.domain, &body.disk.value, range, body.pattern)
            }
            Told::CheckpointCreate(body) => self.checkpoint_create(body),
            Told::CheckpointDump(body) => self.checkpoint_dump(body),
            Told::CheckpointRedefine(body) => self.checkpoint_redefine(body),
            Told::CheckpointDelete(body) => self.checkpoint_delete(body),
            Told::BackupBegin(body) => self.backup_begin(body)?,
            Told::BlockCopy(body) => self.block_copy(body),
            Told::AwaitBlockJob(body) => self.await_block_job(body),
            Told::BlockJobAbort(body) => self.block_job_abort(body),
            Told::Call(body) => self.raw_call(body),
            Told::RecreateImage(body) => self.recreate_image(body).ok_or_else(|| step.name())?,
            Told::BitmapAdd(_)
            | Told::BitmapRemove(_)
            | Told::BitmapClear(_)
            | Told::BitmapEnable(_)
            | Told::BitmapDisable(_) => self.change_bitmap(step)?,
            Told::MakeDirectory(_)
            | Told::RemoveDirectory(_)
            | Told::MakeFile(_)
            | Told::RemoveFile(_)
            | Told::OccupyPort(_)
            | Told::ReleasePort(_)
            | Told::NbdServerStart(_)
            | Told::NbdServerStop
            | Told::BlockMetadataStore
            | Told::UnblockMetadataStore => self.change_host(step)?,
            Told::ResizeImage(_)
            | Told::ConvertImage(_)
            | Told::ImageWrite(_)
            | Told::CopyImage(_)
            | Told::RestoreImage(_)
            | Told::TruncateImage(_)
            | Told::CrashImageWriter(_)
            | Told::BitmapMerge(_) => self.change_image(step)?,
            Told::DamageBitmap(_) | Told::DamageImage(_) | Told::WriteBytes(_) => {
                self.damage_image(step)?
            }
            Told::SnapshotCreate(body) => self.snapshot_create(body),
            Told::SnapshotRevert(body) => {
                self.snapshot("snapshot-revert", Api::DomainRevertToSnapshot, body)
            }
            Told::SnapshotDelete(body) => {
                self.snapshot("snapshot-delete", Api::DomainSnapshotDelete, body)
            }
            Told::BlockCommit(body) => self.block_commit(body),
            Told::BlockPull(body) => self.block_pull(body),
            Told::OverlayImage(body) => self.overlay_image(body).ok_or_else(|| step.name())?,
            Told::CommitImage(body) => self.commit_image(body).ok_or_else(|| step.name())?,
            Told::AmendImage(body) => self.amend_image(body).ok_or_else(|| step.name())?,
            Told::Shutdown => self.shutdown(),
            Told::RestartDaemon
            | Told::KillDaemon
            | Told::RemoveMetadata(_)
            | Told::EditMetadata(_) => self.change_daemon(step)?,
            Told::SmallFileSystem(_) | Told::FillFileSystem(_) | Told::FreeFileSystem(_) => {
                self.change_file_system(step)?
            }
            Told::BlockResize(body) => self.block_resize(body),
            Told::AttachDisk(body) => self.attach_disk(body),
            Told::DetachDisk(body) => self.detach_disk(body).ok_or_else(|| step.name())?,
            Told::Background(body) => self.background(body)?,
            Told::Join(body) => {
                let label = &body.from.value;
                Step::of(format!("join {label}"), Operation::JoinCall(label.clone()))
            }
        })
    }

    fn define(&self) -> Step {
        let xml = xml::machine_xml(self.place, self.defined, self.machine);
        Step::call("define", self.call(Api::DomainDefine).xml(xml))
    }

    fn plain(&self, label: &str, api: Api) -> Step {
        Step::call(label, self.call(api))
    }

    pub(super) fn call(&self, api: Api) -> Call {
        Call::new(api, &self.place.domain)
    }

    /// The path of a file below the scenario's directory.
    pub(super) fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.place.directory)
    }

    pub(super) fn disk(&self, target: &str) -> Option<&PlannedDisk> {
        self.disks.iter().find(|disk| disk.target == target)
    }
}

/// The flags whose condition holds.
pub(super) fn bits(flags: &[(bool, u32)]) -> u32 {
    let given = flags.iter().filter(|(given, _)| *given);
    given.fold(0, |bits, (_, flag)| bits | flag)
}

/// The words whose condition holds, each behind a blank.
pub(super) fn words(words: &[(bool, &str)]) -> String {
    let given = words.iter().filter(|(given, _)| *given);
    given.flat_map(|(_, word)| [" ", word]).collect()
}

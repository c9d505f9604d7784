//! What a step needs and changes, without its arguments: the power of the domain and of its parts.

use crate::model::Api;
use crate::scenario::syntax::Step;

/// The domain, as far as the file tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Power {
    ShutOff,
    Running,
    Paused,
    /// Its memory is saved; the next start restores it.
    Saved,
    Undefined,
    /// A raw call may have changed it.
    Unknown,
}

impl Power {
    pub(super) fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::ShutOff => "shut off",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Saved => "saved",
            Self::Undefined => "not defined",
            Self::Unknown => "in a state that cannot be known",
        }
    }
}

/// What a step needs of the domain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wanted {
    Anything,
    Active,
    Paused,
    /// No QEMU has the images open.
    Inactive,
    Startable,
    Saved,
    Defined,
}

impl Wanted {
    pub(super) fn holds(self, power: Power) -> bool {
        power == Power::Unknown
            || match self {
                Self::Anything => true,
                Self::Active => power.is_active(),
                Self::Paused => power == Power::Paused,
                Self::Inactive => !power.is_active(),
                Self::Startable => matches!(power, Power::ShutOff | Power::Saved),
                Self::Saved => power == Power::Saved,
                Self::Defined => power != Power::Undefined,
            }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Anything => "a domain",
            Self::Active => "a domain that runs or is paused",
            Self::Paused => "a paused domain",
            Self::Inactive => "images that no QEMU has open",
            Self::Startable => "a domain that is shut off",
            Self::Saved => "a saved domain",
            Self::Defined => "a domain that is defined",
        }
    }

    /// The power that goes on with the story after it was told that it is not the wanted one.
    pub(super) const fn assumed(self) -> Power {
        match self {
            Self::Active => Power::Running,
            Self::Paused => Power::Paused,
            Self::Inactive | Self::Startable | Self::Defined => Power::ShutOff,
            Self::Saved => Power::Saved,
            Self::Anything => Power::Unknown,
        }
    }

    /// The step that is missing in front.
    pub(super) const fn help(self) -> &'static str {
        match self {
            Self::Active => "add `- start` before it",
            Self::Paused => "add `- pause` before it",
            Self::Inactive | Self::Startable => "add `- destroy` before it",
            Self::Saved => "add `- save` before it",
            Self::Defined | Self::Anything => "add `- define` before it",
        }
    }
}

/// What a step needs of the domain's power.
pub(super) fn wanted(step: &Step) -> Wanted {
    match step {
        Step::Start | Step::StartPaused => Wanted::Startable,
        Step::Resume => Wanted::Paused,
        Step::Restore => Wanted::Saved,
        Step::Pause
        | Step::Shutdown
        | Step::Destroy
        | Step::KillEmulator
        | Step::Save
        | Step::GuestWrite(_)
        | Step::GuestWriteFails(_)
        | Step::CheckpointCreate(_)
        | Step::BackupBegin(_)
        | Step::AwaitBackup
        | Step::AwaitFailedBackup
        | Step::BackupEnd
        | Step::BackupAbort
        | Step::BlockCommit(_)
        | Step::BlockPull(_)
        | Step::BlockCopy(_)
        | Step::BlockResize(_)
        | Step::AwaitBlockJob(_)
        | Step::BlockJobAbort(_)
        | Step::NbdServerStart(_)
        | Step::NbdServerStop => Wanted::Active,
        Step::CheckpointRedefine(body) if body.validate => Wanted::Active,
        Step::CheckpointDump(body) if body.size => Wanted::Active,
        Step::CheckpointDelete(body) if !body.metadata_only => Wanted::Active,
        Step::BitmapAdd(body) if body.live => Wanted::Active,
        Step::BitmapRemove(body)
        | Step::BitmapClear(body)
        | Step::BitmapEnable(body)
        | Step::BitmapDisable(body)
            if body.live =>
        {
            Wanted::Active
        }
        Step::RecreateImage(_)
        | Step::ResizeImage(_)
        | Step::ConvertImage(_)
        | Step::AmendImage(_)
        | Step::OverlayImage(_)
        | Step::CommitImage(_)
        | Step::ImageWrite(_)
        | Step::RestoreImage(_)
        | Step::TruncateImage(_)
        | Step::CrashImageWriter(_)
        | Step::BitmapAdd(_)
        | Step::BitmapRemove(_)
        | Step::BitmapClear(_)
        | Step::BitmapEnable(_)
        | Step::BitmapDisable(_)
        | Step::BitmapMerge(_)
        | Step::DamageBitmap(_)
        | Step::DamageImage(_)
        | Step::WriteBytes(_) => Wanted::Inactive,
        Step::Undefine
        | Step::UndefineWithMetadata
        | Step::CheckpointRedefine(_)
        | Step::CheckpointDump(_)
        | Step::CheckpointDelete(_)
        | Step::SnapshotCreate(_)
        | Step::SnapshotRevert(_)
        | Step::SnapshotDelete(_)
        | Step::AttachDisk(_)
        | Step::DetachDisk(_) => Wanted::Defined,
        Step::Define
        | Step::RestartDaemon
        | Step::KillDaemon
        | Step::CopyImage(_)
        | Step::MakeDirectory(_)
        | Step::RemoveDirectory(_)
        | Step::MakeFile(_)
        | Step::RemoveFile(_)
        | Step::SmallFileSystem(_)
        | Step::FillFileSystem(_)
        | Step::FreeFileSystem(_)
        | Step::OccupyPort(_)
        | Step::ReleasePort(_)
        | Step::BlockMetadataStore
        | Step::UnblockMetadataStore
        | Step::RemoveMetadata(_)
        | Step::EditMetadata(_)
        | Step::Background(_)
        | Step::Join(_)
        | Step::Call(_) => Wanted::Anything,
    }
}

/// The power of the domain after a step that succeeded.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "most steps leave the domain as it is"
)]
pub(super) fn power_after(step: &Step, before: Power) -> Power {
    match step {
        Step::Start | Step::Resume | Step::Restore => Power::Running,
        Step::StartPaused | Step::Pause => Power::Paused,
        Step::Shutdown | Step::Destroy | Step::KillEmulator => Power::ShutOff,
        Step::Define if before == Power::Undefined => Power::ShutOff,
        Step::Save => Power::Saved,
        Step::Undefine | Step::UndefineWithMetadata
            if !before.is_active() && before != Power::Unknown =>
        {
            Power::Undefined
        }
        Step::Call(call) if call.refused.is_some() => before,
        Step::SnapshotRevert(_) | Step::Call(_) | Step::Join(_) => Power::Unknown,
        _ => before,
    }
}

/// True for what libvirt answers to.
pub(super) fn is_call(step: &Step) -> bool {
    let more = matches!(step, Step::Join(_));
    more || function(step).is_some()
}

/// The function of libvirt that a step calls; `None` where it calls none that a raw call could.
#[must_use]
pub fn function(step: &Step) -> Option<Api> {
    match step {
        Step::Start | Step::StartPaused | Step::Restore => Some(Api::DomainCreate),
        Step::Pause => Some(Api::DomainSuspend),
        Step::Resume => Some(Api::DomainResume),
        Step::Shutdown => Some(Api::DomainShutdown),
        Step::Destroy => Some(Api::DomainDestroy),
        Step::Save => Some(Api::DomainManagedSave),
        Step::Undefine | Step::UndefineWithMetadata => Some(Api::DomainUndefine),
        Step::Define => Some(Api::DomainDefine),
        Step::CheckpointCreate(_) | Step::CheckpointRedefine(_) => Some(Api::CheckpointCreate),
        Step::CheckpointDump(_) => Some(Api::CheckpointGetXmlDesc),
        Step::CheckpointDelete(_) => Some(Api::CheckpointDelete),
        Step::BackupBegin(_) => Some(Api::DomainBackupBegin),
        Step::BackupEnd | Step::BackupAbort => Some(Api::DomainAbortJob),
        Step::SnapshotCreate(_) => Some(Api::DomainSnapshotCreate),
        Step::SnapshotRevert(_) => Some(Api::DomainRevertToSnapshot),
        Step::SnapshotDelete(_) => Some(Api::DomainSnapshotDelete),
        Step::BlockCommit(_) => Some(Api::DomainBlockCommit),
        Step::BlockPull(body) if body.base.is_some() => Some(Api::DomainBlockRebase),
        Step::BlockPull(_) => Some(Api::DomainBlockPull),
        Step::BlockCopy(_) => Some(Api::DomainBlockCopy),
        Step::BlockJobAbort(_) => Some(Api::DomainBlockJobAbort),
        Step::BlockResize(_) => Some(Api::DomainBlockResize),
        Step::AttachDisk(_) => Some(Api::DomainAttachDevice),
        Step::DetachDisk(_) => Some(Api::DomainDetachDevice),
        Step::Call(call) => Some(call.api.value),
        Step::KillEmulator
        | Step::RestartDaemon
        | Step::KillDaemon
        | Step::GuestWrite(_)
        | Step::GuestWriteFails(_)
        | Step::AwaitBackup
        | Step::AwaitFailedBackup
        | Step::AwaitBlockJob(_)
        | Step::RecreateImage(_)
        | Step::ResizeImage(_)
        | Step::ConvertImage(_)
        | Step::AmendImage(_)
        | Step::OverlayImage(_)
        | Step::CommitImage(_)
        | Step::ImageWrite(_)
        | Step::CopyImage(_)
        | Step::RestoreImage(_)
        | Step::TruncateImage(_)
        | Step::CrashImageWriter(_)
        | Step::BitmapAdd(_)
        | Step::BitmapRemove(_)
        | Step::BitmapClear(_)
        | Step::BitmapEnable(_)
        | Step::BitmapDisable(_)
        | Step::BitmapMerge(_)
        | Step::DamageBitmap(_)
        | Step::DamageImage(_)
        | Step::WriteBytes(_)
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
        | Step::UnblockMetadataStore
        | Step::RemoveMetadata(_)
        | Step::EditMetadata(_)
        | Step::Background(_)
        | Step::Join(_) => None,
    }
}

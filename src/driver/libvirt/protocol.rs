//! What supervisor and worker say to each other: one JSON document per line.
//!
//! The supervisor asks, the worker tells, strictly one after the other; the number ties a reply
//! to its request. The reaper adds one last line, [`Told::Ended`], with number 0; a worker tells
//! the same where the daemon it uses has ended.

use crate::model::{Action, Answer, Call, Identity, Observation, Place, Raised};
use std::fmt;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

/// One question to the worker.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Request {
    /// Number of the request, from 1 on.
    pub(super) id: u64,
    /// What is asked.
    pub(super) body: Ask,
}

/// What the supervisor can ask.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Ask {
    /// What answers the calls.
    Identity,
    /// The domains of ours that were there before this worker.
    Before,
    /// A fresh place for one scenario.
    Open,
    /// What the calls of the scenario have raised.
    Raised,
    /// The end of a scenario.
    Close(Place),
    /// One libvirt call.
    Call(Call),
    /// One action on the host.
    Act(Action),
}

impl Ask {
    /// Whether libvirt is to be restarted.
    pub(super) const fn restarts(&self) -> bool {
        matches!(self, Self::Act(Action::RestartDaemon | Action::KillDaemon))
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity => f.write_str("identity"),
            Self::Before => f.write_str("domains of other runs"),
            Self::Open => f.write_str("open scenario"),
            Self::Raised => f.write_str("errors in libvirt's log"),
            Self::Close(_) => f.write_str("close scenario"),
            Self::Call(call) => call.api.fmt(f),
            Self::Act(action) => f.write_str(match action {
                Action::CreateImage { .. } => "create-image",
                Action::GuestWrite { .. } => "guest-write",
                Action::FailGuestWrite { .. } => "guest-write-fails",
                Action::LiveBitmaps { .. } => "live-bitmaps",
                Action::DiskFormats { .. } => "disk-formats",
                Action::DiskLayers { .. } => "disk-layers",
                Action::CreateOverlay { .. } => "create-overlay",
                Action::CommitImage { .. } => "commit-image",
                Action::ChangeLiveBitmap { .. } => "change-live-bitmap",
                Action::StoredBitmaps { .. } => "stored-bitmaps",
                Action::AwaitBackup { .. } => "await-backup",
                Action::SettleBackup { .. } => "settle-backup",
                Action::ReadChain { .. } => "read-chain",
                Action::CheckImage { .. } => "check-image",
                Action::ListFiles { .. } => "list-files",
                Action::KillEmulator { .. } => "kill-emulator",
                Action::ChangeBitmap { .. } => "change-bitmap",
                Action::StartNbdServer { .. } => "nbd-server-start",
                Action::StopNbdServer { .. } => "nbd-server-stop",
                Action::ReadExport { .. } => "read-export",
                Action::AwaitBlockJob { .. } => "await-block-job",
                Action::ProbeServer { .. } => "probe-server",
                Action::ProbeMetadataStore { .. } => "probe-metadata-store",
                Action::FindFiles { .. } => "find-files",
                Action::ImageVersions { .. } => "image-versions",
                Action::AmendImage { .. } => "amend-image",
                Action::DamageImage { .. } => "damage-image",
                Action::ResizeImage { .. } => "resize-image",
                Action::ConvertImage { .. } => "convert-image",
                Action::MergeBitmaps { .. } => "merge-bitmaps",
                Action::WriteImage { .. } => "write-image",
                Action::CopyImage { .. } => "copy-image",
                Action::RestoreImage { .. } => "restore-image",
                Action::TruncateImage { .. } => "truncate-image",
                Action::CrashImageWriter { .. } => "crash-image-writer",
                Action::BlockMetadataStore { .. } => "block-metadata-store",
                Action::UnblockMetadataStore { .. } => "unblock-metadata-store",
                Action::RemoveMetadata { .. } => "remove-metadata",
                Action::EditMetadata { .. } => "edit-metadata",
                Action::RestartDaemon => "restart-daemon",
                Action::KillDaemon => "kill-daemon",
                Action::AwaitDetach { .. } => "await-detach",
                Action::PowerOffGuest { .. } => "power-off-guest",
                Action::MountFileSystem { .. } => "small-file-system",
                Action::FillFileSystem { .. } => "fill-file-system",
                Action::FreeFileSystem { .. } => "free-file-system",
                Action::JoinCall { .. } => "join",
                Action::BeginCall { call, .. } => call.api.as_str(),
                Action::MakeDirectory { .. } => "make-directory",
                Action::RemoveDirectory { .. } => "remove-directory",
                Action::MakeFile { .. } => "make-file",
                Action::RemoveFile { .. } => "remove-file",
                Action::OccupyPort { .. } => "occupy-port",
                Action::ReleasePort { .. } => "release-port",
            }),
        }
    }
}

/// One reply.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Reply {
    /// Number of the request it answers.
    pub(super) id: u64,
    /// What is told.
    pub(super) body: Told,
}

/// What the worker, and at the end its reaper, can tell.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Told {
    /// To [`Ask::Identity`].
    Identity(Identity),
    /// To [`Ask::Before`]: their names.
    Domains(Vec<String>),
    /// To [`Ask::Open`].
    Opened(Place),
    /// To [`Ask::Raised`]; `None` where libvirt's log is not the worker's.
    Raised(Option<Vec<Raised>>),
    /// To [`Ask::Close`].
    Closed,
    /// To [`Ask::Call`].
    Answered(Answer),
    /// To [`Ask::Act`].
    Observed(Observation),
    /// The worker could not find out; the text says why.
    Failed(String),
    /// The worker cannot do its work on this machine; the text says why.
    Unavailable(String),
    /// The worker, or the daemon it uses, has ended. From the reaper: nothing of it is left.
    Ended {
        /// How it ended, in words.
        end: String,
        /// The last lines of its log.
        log: Vec<String>,
    },
}

/// Writes one message as a line of its own, at once.
pub(super) fn write_line(to: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    to.write_all(&line)?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{Param, Value};

    #[test]
    fn a_reply_survives_the_pipe() {
        let params = BTreeMap::from([
            ("a".to_owned(), Param::Unsigned(u64::MAX)),
            ("b".to_owned(), Param::Signed(-1)),
            ("c".to_owned(), Param::Double(2.0)),
            ("d".to_owned(), Param::Bool(true)),
            ("e".to_owned(), Param::Text("line\nbreak".to_owned())),
        ]);
        let answer = Answer::Returned(Value::Params(params));
        let reply = Reply {
            id: 7,
            body: Told::Answered(answer.clone()),
        };
        let mut line = Vec::new();
        write_line(&mut line, &reply).unwrap();
        assert_eq!(String::from_utf8_lossy(&line).lines().count(), 1);
        let back: Reply = serde_json::from_slice(&line).unwrap();
        assert!(matches!(back.body, Told::Answered(found) if found == answer));
    }
}

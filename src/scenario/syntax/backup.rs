//! The steps about backup jobs, and calls in the background.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CheckpointCreate, FileName, Named, Spanned, Step, Word};
use crate::model::DiskFormat;

/// A backup document, as intent.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BackupBegin {
    /// Who moves the data: QEMU (`push`) or the client over NBD (`pull`).
    pub mode: Spanned<BackupMode>,
    /// Name of the checkpoint that the backup is based on.
    pub incremental: Option<Spanned<String>>,
    /// Where the NBD server of a pull backup listens.
    pub server: Option<Spanned<Server>>,
    /// The disks that take part, by target device; the others are left out.
    pub disks: Named<BackupDisk>,
    /// The checkpoint that is created with the backup.
    pub checkpoint: Option<CheckpointCreate>,
    /// Use files that exist already (`VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL`).
    #[serde(default)]
    pub reuse_external: bool,
}

/// Who moves the data of a backup.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackupMode {
    /// QEMU writes the backup into files.
    Push,
    /// QEMU serves the backup over NBD, and a client reads it.
    Pull,
}

/// One disk of a backup.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BackupDisk {
    /// Push: the file that the backup is written to.
    pub target: Option<Spanned<Word<FileName>>>,
    /// Pull: the file that keeps what the guest overwrites meanwhile.
    pub scratch: Option<Spanned<Word<FileName>>>,
    /// Format of the file; libvirt takes qcow2 where it is not given.
    pub driver: Option<DiskFormat>,
    /// Full or incremental, for this disk alone.
    pub backupmode: Option<Spanned<BackupDiskMode>>,
    /// The checkpoint that this disk's part is based on, where it is another one.
    pub incremental: Option<Spanned<String>>,
    /// Pull: name of the NBD export; the target device where it is not given.
    pub exportname: Option<String>,
    /// Pull: name under which the dirty bitmap is exported.
    pub exportbitmap: Option<String>,
    /// Usage name of the secret of a LUKS-encrypted file.
    pub luks_secret_usage: Option<String>,
}

/// What is taken of one disk.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackupDiskMode {
    /// Everything.
    Full,
    /// What was written since a checkpoint.
    Incremental,
}

/// Where an NBD server listens: `socket` or `port`.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Server {
    /// A UNIX socket below the scenario's directory.
    pub socket: Option<Word<FileName>>,
    /// One of the scenario's own TCP ports, 1 to 9; the run chooses a free port for each.
    #[schemars(range(min = 1, max = 9))]
    pub port: Option<u8>,
    /// Encrypt the connection.
    #[serde(default)]
    pub tls: bool,
}

/// Issues a call and does not wait for its answer.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Background {
    /// The call.
    pub step: Box<Spanned<Step>>,
    /// The label that a later `join` names.
    #[serde(rename = "as")]
    pub label: Spanned<String>,
}

/// Waits for the answer of a call in the background.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Join {
    /// Label of the call.
    pub from: Spanned<String>,
}

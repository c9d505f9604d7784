//! The functions of libvirt's C API that scenarios call, and their flags.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::UnknownName;

/// The numbers of libvirt's flags, under the names of its headers.
pub mod flags {
    /// `VIR_DOMAIN_START_PAUSED`.
    pub const START_PAUSED: u32 = 1;
    /// `VIR_DOMAIN_JOB_STATS_COMPLETED`.
    pub const JOB_STATS_COMPLETED: u32 = 1;
    /// `VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED`: asking does not forget.
    pub const JOB_STATS_KEEP_COMPLETED: u32 = 2;
    /// `VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL`.
    pub const BACKUP_BEGIN_REUSE_EXTERNAL: u32 = 1;
    /// `VIR_DOMAIN_BACKUP_BEGIN_PRESERVE_SHUTDOWN_DOMAIN` (since libvirt 11.10).
    pub const BACKUP_BEGIN_PRESERVE_SHUTDOWN_DOMAIN: u32 = 2;
    /// `VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE`.
    pub const CHECKPOINT_CREATE_REDEFINE: u32 = 1;
    /// `VIR_DOMAIN_CHECKPOINT_CREATE_QUIESCE`.
    pub const CHECKPOINT_CREATE_QUIESCE: u32 = 2;
    /// `VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE` (since libvirt 6.10).
    pub const CHECKPOINT_CREATE_REDEFINE_VALIDATE: u32 = 4;
    /// `VIR_DOMAIN_CHECKPOINT_DELETE_CHILDREN`.
    pub const CHECKPOINT_DELETE_CHILDREN: u32 = 1;
    /// `VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY`.
    pub const CHECKPOINT_DELETE_METADATA_ONLY: u32 = 2;
    /// `VIR_DOMAIN_CHECKPOINT_DELETE_CHILDREN_ONLY`.
    pub const CHECKPOINT_DELETE_CHILDREN_ONLY: u32 = 4;
    /// `VIR_DOMAIN_CHECKPOINT_XML_SECURE`.
    pub const CHECKPOINT_XML_SECURE: u32 = 1;
    /// `VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN`.
    pub const CHECKPOINT_XML_NO_DOMAIN: u32 = 2;
    /// `VIR_DOMAIN_CHECKPOINT_XML_SIZE`.
    pub const CHECKPOINT_XML_SIZE: u32 = 4;
    /// `VIR_DOMAIN_CHECKPOINT_LIST_ROOTS`: of a domain's checkpoints only the roots.
    pub const CHECKPOINT_LIST_ROOTS: u32 = 1;
    /// `VIR_DOMAIN_CHECKPOINT_LIST_DESCENDANTS`: of a checkpoint's children theirs too.
    pub const CHECKPOINT_LIST_DESCENDANTS: u32 = 1;
    /// `VIR_DOMAIN_CHECKPOINT_LIST_TOPOLOGICAL`.
    pub const CHECKPOINT_LIST_TOPOLOGICAL: u32 = 2;
    /// `VIR_DOMAIN_CHECKPOINT_LIST_LEAVES`.
    pub const CHECKPOINT_LIST_LEAVES: u32 = 4;
    /// `VIR_DOMAIN_CHECKPOINT_LIST_NO_LEAVES`.
    pub const CHECKPOINT_LIST_NO_LEAVES: u32 = 8;
    /// `VIR_DOMAIN_AFFECT_LIVE`: the running domain is changed.
    pub const DOMAIN_AFFECT_LIVE: u32 = 1;
    /// `VIR_DOMAIN_BLOCK_RESIZE_BYTES`: the size is in bytes.
    pub const BLOCK_RESIZE_BYTES: u32 = 1;
    /// `VIR_DOMAIN_AFFECT_CONFIG`: the domain's definition is changed.
    pub const DOMAIN_AFFECT_CONFIG: u32 = 2;
    /// `VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT`: the overlays are there already.
    pub const SNAPSHOT_CREATE_REUSE_EXT: u32 = 32;
    /// `VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY`: no memory.
    pub const SNAPSHOT_CREATE_DISK_ONLY: u32 = 16;
    /// `VIR_DOMAIN_BLOCK_COMMIT_ACTIVE`: the top layer, to which the guest writes.
    pub const BLOCK_COMMIT_ACTIVE: u32 = 4;
    /// `VIR_DOMAIN_BLOCK_COPY_SHALLOW`: the top layer alone.
    pub const BLOCK_COPY_SHALLOW: u32 = 1;
    /// `VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB`: a defined domain may have the job too.
    pub const BLOCK_COPY_TRANSIENT_JOB: u32 = 4;
    /// `VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT`.
    pub const BLOCK_JOB_ABORT_PIVOT: u32 = 2;
    /// `VIR_DOMAIN_UNDEFINE_MANAGED_SAVE`.
    pub const UNDEFINE_MANAGED_SAVE: u32 = 1;
    /// `VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA`.
    pub const UNDEFINE_SNAPSHOTS_METADATA: u32 = 2;
    /// `VIR_DOMAIN_UNDEFINE_NVRAM`.
    pub const UNDEFINE_NVRAM: u32 = 4;
    /// `VIR_DOMAIN_UNDEFINE_KEEP_NVRAM`.
    pub const UNDEFINE_KEEP_NVRAM: u32 = 8;
    /// `VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA`.
    pub const UNDEFINE_CHECKPOINTS_METADATA: u32 = 16;
    /// `VIR_DOMAIN_UNDEFINE_TPM`.
    pub const UNDEFINE_TPM: u32 = 32;
    /// `VIR_DOMAIN_UNDEFINE_KEEP_TPM`.
    pub const UNDEFINE_KEEP_TPM: u32 = 64;
}

/// An argument of a call, beside the domain and the flags.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Argument {
    /// Name of a checkpoint.
    Checkpoint,
    /// Target device of a disk.
    Disk,
    /// The XML document.
    Xml,
    /// The second XML document of `virDomainBackupBegin`.
    CheckpointXml,
    /// Name of a snapshot.
    Snapshot,
    /// Path of the image that a block job leaves as the lower end of the chain.
    Base,
    /// Path of the uppermost image that a commit merges.
    Top,
    /// A number: a size, or a speed.
    Size,
    /// A new name, a file or a destination.
    To,
}

macro_rules! apis {
    ($($(#[doc = $doc:literal])* $name:ident = $c:literal [$($argument:ident)*] $flags:literal;)*) => {
        /// A function of libvirt's C API.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
        pub enum Api {
            $($(#[doc = $doc])* #[serde(rename = $c)] $name,)*
        }

        impl Api {
            /// Every function a scenario can call.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The function's name in C.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $c),* }
            }

            /// The arguments it takes beside the domain.
            #[must_use]
            pub const fn arguments(self) -> &'static [Argument] {
                match self { $(Self::$name => &[$(Argument::$argument),*]),* }
            }

            /// True when it takes flags.
            #[must_use]
            pub const fn takes_flags(self) -> bool {
                match self { $(Self::$name => $flags),* }
            }
        }
    };
}

apis! {
    /// Defines the domain from XML; the domain argument is ignored.
    DomainDefine = "virDomainDefineXMLFlags" [Xml] true;
    /// Removes the domain's definition.
    DomainUndefine = "virDomainUndefineFlags" [] true;
    /// Starts the domain.
    DomainCreate = "virDomainCreateWithFlags" [] true;
    /// Ends the domain's QEMU process.
    DomainDestroy = "virDomainDestroyFlags" [] true;
    /// Asks the guest to shut down.
    DomainShutdown = "virDomainShutdownFlags" [] true;
    /// Resets the domain as its reset button would.
    DomainReset = "virDomainReset" [] true;
    /// Pauses the domain.
    DomainSuspend = "virDomainSuspend" [] false;
    /// Resumes the domain.
    DomainResume = "virDomainResume" [] false;
    /// Tells the domain's state.
    DomainGetState = "virDomainGetState" [] true;
    /// Dumps the domain's XML.
    DomainGetXmlDesc = "virDomainGetXMLDesc" [] true;
    /// Saves the domain's memory and stops it.
    DomainManagedSave = "virDomainManagedSave" [] true;
    /// Drops the saved memory.
    DomainManagedSaveRemove = "virDomainManagedSaveRemove" [] true;
    /// Attaches a device.
    DomainAttachDevice = "virDomainAttachDeviceFlags" [Xml] true;
    /// Detaches a device.
    DomainDetachDevice = "virDomainDetachDeviceFlags" [Xml] true;
    /// Saves the domain's memory to a file and stops it.
    DomainSave = "virDomainSave" [To] false;
    /// Dumps the domain's memory to a file.
    DomainCoreDump = "virDomainCoreDump" [To] true;
    /// Gives the domain another name.
    DomainRename = "virDomainRename" [To] true;
    /// Sets how fast a migration may be, in MiB a second.
    DomainMigrateSetMaxSpeed = "virDomainMigrateSetMaxSpeed" [Size] true;
    /// Migrates the domain to another libvirt; without its parameters.
    DomainMigrateToUri3 = "virDomainMigrateToURI3" [To] true;
    /// Takes a snapshot.
    DomainSnapshotCreate = "virDomainSnapshotCreateXML" [Xml] true;
    /// Deletes a snapshot.
    DomainSnapshotDelete = "virDomainSnapshotDelete" [Snapshot] true;
    /// Goes back to a snapshot.
    DomainRevertToSnapshot = "virDomainRevertToSnapshot" [Snapshot] true;
    /// Starts a backup job.
    DomainBackupBegin = "virDomainBackupBegin" [Xml CheckpointXml] true;
    /// Dumps the running backup job.
    DomainBackupGetXmlDesc = "virDomainBackupGetXMLDesc" [] true;
    /// Aborts the domain's job.
    DomainAbortJob = "virDomainAbortJob" [] false;
    /// Aborts the domain's job, with flags (since libvirt 8.5).
    DomainAbortJobFlags = "virDomainAbortJobFlags" [] true;
    /// Tells about the domain's job.
    DomainGetJobStats = "virDomainGetJobStats" [] true;
    /// Tells the type of the domain's job.
    DomainGetJobInfo = "virDomainGetJobInfo" [] false;
    /// Copies one disk to another image; without its parameters.
    DomainBlockCopy = "virDomainBlockCopy" [Disk Xml] true;
    /// Merges layers of one disk downwards; as fast as it goes.
    DomainBlockCommit = "virDomainBlockCommit" [Disk Base Top] true;
    /// Copies the layers below the top one into it; as fast as it goes.
    DomainBlockPull = "virDomainBlockPull" [Disk] true;
    /// Copies the layers between the top one and a base into it; as fast as it goes.
    DomainBlockRebase = "virDomainBlockRebase" [Disk Base] true;
    /// Changes the size of one disk, in KiB, or in bytes with `VIR_DOMAIN_BLOCK_RESIZE_BYTES`.
    DomainBlockResize = "virDomainBlockResize" [Disk Size] true;
    /// Sets how fast the block job of one disk may be, in MiB a second.
    DomainBlockJobSetSpeed = "virDomainBlockJobSetSpeed" [Disk Size] true;
    /// Aborts the block job of one disk.
    DomainBlockJobAbort = "virDomainBlockJobAbort" [Disk] true;
    /// Tells about the block job of one disk.
    DomainGetBlockJobInfo = "virDomainGetBlockJobInfo" [Disk] true;
    /// Creates or redefines a checkpoint.
    CheckpointCreate = "virDomainCheckpointCreateXML" [Xml] true;
    /// Deletes a checkpoint.
    CheckpointDelete = "virDomainCheckpointDelete" [Checkpoint] true;
    /// Dumps a checkpoint.
    CheckpointGetXmlDesc = "virDomainCheckpointGetXMLDesc" [Checkpoint] true;
    /// Finds a checkpoint by its name.
    CheckpointLookupByName = "virDomainCheckpointLookupByName" [Checkpoint] true;
    /// Finds a checkpoint's parent.
    CheckpointGetParent = "virDomainCheckpointGetParent" [Checkpoint] true;
    /// Lists a domain's checkpoints.
    DomainListAllCheckpoints = "virDomainListAllCheckpoints" [] true;
    /// Lists a checkpoint's children.
    CheckpointListAllChildren = "virDomainCheckpointListAllChildren" [Checkpoint] true;
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Api {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.iter().find(|api| api.as_str() == text);
        found.copied().ok_or(UnknownName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_api_is_found_by_its_c_name() {
        for api in Api::ALL {
            assert_eq!(api.as_str().parse(), Ok(*api));
            let json = serde_json::to_string(api).unwrap();
            assert_eq!(json, format!("\"{api}\""));
        }
    }
}

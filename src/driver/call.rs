//! Calls of libvirt's API and their answers, as data.
//!
//! A call holds what the C function takes: XML text, names and numeric flags. Absent XML is a
//! NULL pointer. The same value is sent to a worker process, recorded in the transcript and
//! compared between drivers.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::{DomainState, LibvirtError, UnknownName};

/// The numbers of libvirt's flags, under the names of its headers.
pub mod flags {
    /// `VIR_DOMAIN_START_PAUSED`.
    pub const START_PAUSED: u32 = 1;
    /// `VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL`.
    pub const BACKUP_BEGIN_REUSE_EXTERNAL: u32 = 1;
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
    /// `VIR_DOMAIN_CHECKPOINT_LIST_TOPOLOGICAL`.
    pub const CHECKPOINT_LIST_TOPOLOGICAL: u32 = 2;
    /// `VIR_DOMAIN_UNDEFINE_MANAGED_SAVE`.
    pub const UNDEFINE_MANAGED_SAVE: u32 = 1;
    /// `VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA`.
    pub const UNDEFINE_SNAPSHOTS_METADATA: u32 = 2;
    /// `VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA`.
    pub const UNDEFINE_CHECKPOINTS_METADATA: u32 = 16;
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
}

macro_rules! apis {
    ($($(#[doc = $doc:literal])* $name:ident = $c:literal [$($argument:ident)*] $flags:literal;)*) => {
        /// A function of libvirt's C API.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
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
    /// Takes a snapshot.
    DomainSnapshotCreate = "virDomainSnapshotCreateXML" [Xml] true;
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

/// One call.
///
/// A checkpoint is named, not held: the driver uses the handle it has from an earlier create or
/// lookup of that name, else it looks the name up first, and a refused look-up is the answer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Call {
    /// The function.
    pub api: Api,
    /// Name of the domain.
    pub domain: String,
    /// Name of the checkpoint, where the function is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    /// Target device, where the function is about one disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<String>,
    /// The XML document; `None` is a NULL pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xml: Option<String>,
    /// The checkpoint document of a backup; `None` is a NULL pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_xml: Option<String>,
    /// The flags, as a number.
    pub flags: u32,
}

impl Call {
    /// A call without checkpoint, disk, XML or flags.
    #[must_use]
    pub fn new(api: Api, domain: &str) -> Self {
        Self {
            api,
            domain: domain.to_owned(),
            checkpoint: None,
            disk: None,
            xml: None,
            checkpoint_xml: None,
            flags: 0,
        }
    }

    /// The same with these flags.
    #[must_use]
    pub fn flags(self, flags: u32) -> Self {
        Self { flags, ..self }
    }

    /// The same with this document.
    #[must_use]
    pub fn xml(self, xml: String) -> Self {
        Self {
            xml: Some(xml),
            ..self
        }
    }

    /// The same about this checkpoint.
    #[must_use]
    pub fn checkpoint(self, name: &str) -> Self {
        Self {
            checkpoint: Some(name.to_owned()),
            ..self
        }
    }
}

/// What a call came back with.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The call succeeded.
    Returned(Value),
    /// libvirt refused.
    Refused(LibvirtError),
}

/// What a successful call gave.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// Nothing but success.
    Nothing,
    /// The name of an object.
    Name(String),
    /// An XML document.
    Xml(String),
    /// Names of objects; sorted, since libvirt gives them in hash order.
    Names(Vec<String>),
    /// A domain's state and the reason's number.
    State(DomainState, i32),
    /// Numbers and texts by name: job statistics, block job information.
    Params(BTreeMap<String, Param>),
}

/// One `virTypedParameter`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Param {
    /// A boolean.
    Bool(bool),
    /// Any integer that is not negative.
    Unsigned(u64),
    /// Any other integer.
    Signed(i64),
    /// A floating-point number.
    Double(f64),
    /// A text.
    Text(String),
}

impl Eq for Param {}

impl fmt::Display for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Unsigned(value) => value.fmt(f),
            Self::Signed(value) => value.fmt(f),
            Self::Double(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
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

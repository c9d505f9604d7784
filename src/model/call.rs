//! Calls of libvirt's API and their answers, as data.
//!
//! A call holds what the C function takes: XML text, names and numeric flags. Absent XML is a
//! NULL pointer. The same value is sent to a worker process, recorded in the transcript and
//! compared between drivers.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Api, DomainState, LibvirtError};

/// One call.
///
/// A checkpoint is named, not held: the driver uses the handle it has from an earlier create or
/// lookup of that name, else it looks the name up first, and a refused look-up is the answer.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
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
    /// Name of the snapshot, where the function is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// Path of the lower end of a block job; `None` is a NULL pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Path of the upper end of a commit; `None` is a NULL pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top: Option<String>,
    /// A size or a speed, in the unit of the function; `None` is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// A new name, a file or a destination, where the function takes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The flags, as a number.
    pub flags: u32,
    /// Over a connection of its own that may only read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
}

impl Call {
    /// A call with a domain alone, and no flags.
    #[must_use]
    pub fn new(api: Api, domain: &str) -> Self {
        Self {
            api,
            domain: domain.to_owned(),
            checkpoint: None,
            disk: None,
            xml: None,
            checkpoint_xml: None,
            snapshot: None,
            base: None,
            top: None,
            size: None,
            to: None,
            flags: 0,
            read_only: false,
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
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The call succeeded.
    Returned(Value),
    /// libvirt refused.
    Refused(LibvirtError),
}

/// What a successful call gave.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// Nothing but success.
    Nothing,
    /// The name of an object.
    Name(String),
    /// An XML document.
    Xml(String),
    /// Names of objects; sorted where libvirt promises no order of its own.
    Names(Vec<String>),
    /// A domain's state and the reason's number.
    State(DomainState, i32),
    /// Numbers and texts by name: job statistics, block job information.
    Params(BTreeMap<String, Param>),
}

/// One `virTypedParameter`.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
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

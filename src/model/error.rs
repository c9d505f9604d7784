//! One libvirt error, whole.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ErrorCode, ErrorDomain};

/// Everything a `virError` says, but for the handles it points at.
///
/// An error is data here: a call that libvirt refuses has been answered. The fields are those
/// of `struct _virError` in `include/libvirt/virterror.h`.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct LibvirtError {
    /// What went wrong, as a number.
    pub code: ErrorCode,
    /// Which part of libvirt says so.
    pub domain: ErrorDomain,
    /// `VIR_ERR_WARNING` (1) or `VIR_ERR_ERROR` (2).
    pub level: i32,
    /// The text for people, prefix included.
    pub message: String,
    /// First extra text; libvirt puts the message's format string here.
    pub str1: Option<String>,
    /// Second extra text; libvirt puts the message without its prefix here.
    pub str2: Option<String>,
    /// Third extra text.
    pub str3: Option<String>,
    /// First extra number: `errno` for `VIR_ERR_SYSTEM_ERROR`, 0 for flag errors, else -1.
    pub int1: i32,
    /// Second extra number.
    pub int2: i32,
}

impl LibvirtError {
    /// The error that `virReportError(code, …, text)` raises in the part `domain` of libvirt:
    /// the code's prefix goes before the text, and both numbers are -1
    /// (`src/util/virerror.c:virReportErrorHelper`).
    #[must_use]
    pub fn reported(code: ErrorCode, domain: ErrorDomain, text: &str) -> Self {
        let message = match code.prefix() {
            Some(prefix) => format!("{prefix}: {text}"),
            None => text.to_owned(),
        };
        Self {
            code,
            domain,
            level: 2,
            message,
            str1: None,
            str2: Some(text.to_owned()),
            str3: None,
            int1: -1,
            int2: -1,
        }
    }
}

impl fmt::Display for LibvirtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  domain {}  {}", self.code, self.domain, self.message)
    }
}

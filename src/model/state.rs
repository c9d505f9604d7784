//! States of a domain and ends of a job.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A `virDomainState`, as far as this project tells them apart.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DomainState {
    /// `VIR_DOMAIN_RUNNING`.
    Running,
    /// `VIR_DOMAIN_PAUSED`.
    Paused,
    /// `VIR_DOMAIN_SHUTOFF`.
    Shutoff,
    /// Any other state.
    Other,
    /// No domain of that name or UUID: `VIR_ERR_NO_DOMAIN`.
    Gone,
}

impl DomainState {
    /// The state behind the number that `virDomainGetState` gives.
    #[must_use]
    pub const fn from_number(number: i32) -> Self {
        match number {
            1 => Self::Running,
            3 => Self::Paused,
            5 => Self::Shutoff,
            _ => Self::Other,
        }
    }

    /// True when a QEMU process stands behind the domain.
    #[must_use]
    pub const fn is_active(self) -> bool {
        !matches!(self, Self::Shutoff | Self::Gone)
    }
}

impl fmt::Display for DomainState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Shutoff => "shut off",
            Self::Other => "other",
            Self::Gone => "gone",
        })
    }
}

/// How a domain job ended: a `virDomainJobType` of the completed kinds.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobEnd {
    /// `VIR_DOMAIN_JOB_COMPLETED` (3).
    Completed,
    /// `VIR_DOMAIN_JOB_FAILED` (4).
    Failed,
    /// `VIR_DOMAIN_JOB_CANCELLED` (5).
    Cancelled,
}

impl fmt::Display for JobEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        })
    }
}

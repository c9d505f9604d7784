//! Why a driver could not find out what libvirt answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The harness could not find out.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DriverError {
    /// The mock has no rule for this; it never invents an answer.
    #[error("not modelled: {0}")]
    NotModelled(String),
    /// The driver's process died.
    #[error("{0}")]
    Crashed(Box<Crash>),
    /// The time limit passed before the answer came.
    #[error("no answer to `{call}` within the time limit")]
    TimedOut {
        /// The call or action that was under way.
        call: String,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// The driver cannot be used on this machine or in this build.
    #[error("{0}")]
    Unavailable(String),
    /// Something beside libvirt failed: a tool, a file, the connection itself.
    #[error("{0}")]
    Failed(String),
}

impl DriverError {
    /// The same with each text altered: what is known of a machine's paths is known elsewhere.
    #[must_use]
    pub fn with_texts(self, alter: impl Fn(&str) -> String) -> Self {
        match self {
            Self::NotModelled(text) => Self::NotModelled(alter(&text)),
            Self::Crashed(crash) => {
                let Crash { end, call, log } = *crash;
                Self::Crashed(Box::new(Crash {
                    end,
                    call: alter(&call),
                    log: log.iter().map(|line| alter(line)).collect(),
                }))
            }
            Self::TimedOut { call } => Self::TimedOut { call: alter(&call) },
            Self::Interrupted => Self::Interrupted,
            Self::Unavailable(text) => Self::Unavailable(alter(&text)),
            Self::Failed(text) => Self::Failed(alter(&text)),
        }
    }
}

/// How the driver's process died.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Crash {
    /// How it ended: `signal 11 (SIGSEGV)`, `exit status 1 in libvirtd`, or, of a daemon that is
    /// not the run's own, a lost connection.
    pub end: String,
    /// The call or action that was under way.
    pub call: String,
    /// The last lines of libvirt's log.
    pub log: Vec<String>,
}

impl std::fmt::Display for Crash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the driver ended with {} during `{}`",
            self.end, self.call
        )?;
        for line in &self.log {
            write!(f, "\n  {line}")?;
        }
        Ok(())
    }
}

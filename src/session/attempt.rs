//! The backups that were asked for.

use crate::model::{ErrorCode, ErrorDomain, LibvirtError, Request};

/// A backup that was asked for.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// What was asked.
    pub request: Request,
    /// Those of its files that were there before.
    pub found: Vec<String>,
    /// What it was refused with.
    pub refused: Option<LibvirtError>,
}

impl Attempt {
    /// Whether it was refused with this code.
    #[must_use]
    pub fn is_refused_with(&self, code: ErrorCode) -> bool {
        self.refused
            .as_ref()
            .is_some_and(|error| error.code == code)
    }

    /// A checkpoint of the name was defined already: it is not the attempt's.
    pub(super) fn has_met_another(&self) -> bool {
        let refused = self.refused.as_ref();
        refused.is_some_and(|error| {
            error.code == ErrorCode::OPERATION_FAILED && error.domain == ErrorDomain::DOMAIN
        })
    }
}

//! The table as a whole.

use super::{
    checkpoint, connection, deletion, domain, ended_job, failed, internal, names, other_job,
    request, snapshot,
};
use crate::judge::Rule;

/// Every rule, in the order they are tried. A lost connection comes first: its errors bear codes
/// that mean something else from a libvirt that is still there.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    let parts = [
        connection::RULES,
        request::RULES,
        domain::RULES,
        snapshot::RULES,
        other_job::RULES,
        checkpoint::RULES,
        internal::RULES,
        names::RULES,
        deletion::RULES,
        failed::RULES,
        ended_job::RULES,
    ];
    parts.into_iter().flatten()
}

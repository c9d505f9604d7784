//! What a recovery starts from.

use crate::model::Call;
use crate::transcript::HostState;

/// The call that was refused.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// The call in one line.
    pub label: &'a str,
    /// The call.
    pub call: &'a Call,
    /// The host before the call.
    pub before: &'a HostState,
    /// The host right after the refusal.
    pub state: &'a HostState,
}

//! What must come of the call under test.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Spanned, Step, Word};
use crate::model::{Category, Decision, ErrorCode, ErrorDomain};

/// What must come of the call under test: either `result: ok`, or `error` and `decision`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Then {
    /// `ok`: the call succeeds.
    pub result: Option<Spanned<CallResult>>,
    /// The error's number, by its name in `virterror.h`.
    pub error: Option<Spanned<Word<ErrorCode>>>,
    /// The part of libvirt that raises it, by its name in `virterror.h`.
    pub error_domain: Option<Spanned<Word<ErrorDomain>>>,
    /// A part of the message.
    pub message: Option<Spanned<String>>,
    /// The class of the error; it follows from the decision and may be left out.
    pub category: Option<Spanned<Category>>,
    /// What a client must do then.
    pub decision: Option<Spanned<Decision>>,
    /// The operator's part of the recovery, which only the author knows: the corrected request,
    /// the repaired resource, the end of the foreign job. `[]` says that there is none, since the
    /// clean-up is the repair.
    pub remedy: Option<Vec<Spanned<Step>>>,
}

/// How a call ends that is not refused.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallResult {
    /// It succeeds.
    Ok,
}

/// What must come of the call under test, checked.
#[derive(Clone, Debug)]
pub enum Expectation {
    /// The call succeeds.
    Success,
    /// The call is refused.
    Refusal(Refusal),
}

/// How a call must be refused, and what a client must then do.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The error's number.
    pub error: ErrorCode,
    /// The part of libvirt that raises it.
    pub error_domain: Option<ErrorDomain>,
    /// A part of the message.
    pub message: Option<Spanned<String>>,
    /// The documented decision.
    pub decision: Decision,
    /// The operator's part of the recovery, which only the author knows.
    pub remedy: Option<Vec<Spanned<Step>>>,
}

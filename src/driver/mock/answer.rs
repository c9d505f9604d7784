//! How the mock's rules stop: by refusing as libvirt does, or by having no rule.

use crate::driver::DriverError;
use crate::model::{Answer, Call, ErrorCode, ErrorDomain, LibvirtError, Value};
use crate::world::{Errno, Impossible};

/// What a rule of the mock comes to.
pub(super) type Ruled<T = Value> = Result<T, Stop>;

/// Why a call goes no further.
#[derive(Debug)]
pub(super) enum Stop {
    /// libvirt refuses here.
    Refused(Box<LibvirtError>),
    /// There is no rule for this.
    NotModelled(String),
}

impl From<Impossible> for Stop {
    fn from(impossible: Impossible) -> Self {
        Self::NotModelled(impossible.0)
    }
}

/// `virReportError` in the part `domain` of libvirt.
pub(super) fn refuse<T>(code: ErrorCode, domain: ErrorDomain, text: &str) -> Ruled<T> {
    Err(Stop::Refused(Box::new(LibvirtError::reported(
        code, domain, text,
    ))))
}

/// There is no rule for `what`.
pub(super) fn not_modelled<T>(what: impl Into<String>) -> Ruled<T> {
    Err(Stop::NotModelled(what.into()))
}

/// `virCheckFlags` in the function `function` of the QEMU driver: the message bears no prefix,
/// and both numbers are 0 (`src/internal.h`, `virReportUnsupportedError`).
pub(super) fn check_flags(flags: u32, supported: u32, function: &str) -> Ruled<()> {
    let bits = flags & !supported;
    if bits == 0 {
        return Ok(());
    }
    refuse_flags(
        ErrorDomain::QEMU,
        format!("unsupported flags ({bits:#x}) in function {function}"),
    )
}

/// A refusal about flags or NULL arguments, which bear no prefix; both numbers are 0
/// (measured on 11.3.0).
pub(super) fn refuse_flags<T>(domain: ErrorDomain, message: String) -> Ruled<T> {
    let error = LibvirtError {
        str2: Some(message.clone()),
        message,
        int1: 0,
        int2: 0,
        ..LibvirtError::reported(ErrorCode::INVALID_ARG, domain, "")
    };
    Err(Stop::Refused(Box::new(error)))
}

/// `virCheckReadOnlyGoto` in a public function of the part `part` of libvirt
/// (`src/internal.h`).
pub(super) fn require_writable(call: &Call, part: ErrorDomain) -> Ruled<()> {
    if !call.read_only {
        return Ok(());
    }
    let text = format!("read only access prevents {}", call.api);
    refuse(ErrorCode::OPERATION_DENIED, part, &text)
}

/// The daemon does not know the function with this number of the protocol; it is the client that
/// says so (`src/remote/remote_protocol.x`; measured on 7.0.0).
pub(super) fn unknown_procedure<T>(number: u32) -> Ruled<T> {
    let message = format!("unknown procedure: {number}");
    let error = LibvirtError {
        str2: Some(message.clone()),
        message,
        ..LibvirtError::reported(ErrorCode::NO_SUPPORT, ErrorDomain::RPC, "")
    };
    Err(Stop::Refused(Box::new(error)))
}

/// `src/conf/domain_conf.c:virDomainObjCheckActive`.
pub(super) fn not_running<T>() -> Ruled<T> {
    let text = "domain is not running";
    refuse(ErrorCode::OPERATION_INVALID, ErrorDomain::DOMAIN, text)
}

/// A function has failed and told no reason (`src/util/virerror.c:virErrorGenericFailure`); the message
/// bears no prefix, and both numbers are 0.
pub(super) fn refuse_without_reason<T>() -> Ruled<T> {
    let message = "An error occurred, but the cause is unknown".to_owned();
    let error = LibvirtError {
        message,
        int1: 0,
        int2: 0,
        ..LibvirtError::reported(ErrorCode::INTERNAL_ERROR, ErrorDomain::NONE, "")
    };
    Err(Stop::Refused(Box::new(error)))
}

/// QEMU refuses a monitor command (`src/qemu/qemu_monitor_json.c:qemuMonitorJSONCheckErrorFull`).
pub(super) fn refuse_monitor<T>(command: &str, reason: &str) -> Ruled<T> {
    let text = format!("unable to execute QEMU command '{command}': {reason}");
    refuse(ErrorCode::INTERNAL_ERROR, ErrorDomain::QEMU, &text)
}

/// `virReportSystemError`: the message bears no prefix and ends with `strerror`, and the first
/// number is `errno`.
pub(super) fn refuse_system<T>(errno: Errno, what: &str) -> Ruled<T> {
    let text = format!("{what}: {}", errno.text());
    let error = LibvirtError {
        int1: errno.number(),
        ..LibvirtError::reported(ErrorCode::SYSTEM_ERROR, ErrorDomain::QEMU, &text)
    };
    Err(Stop::Refused(Box::new(error)))
}

/// The same with a text of `longest` bytes at most, without what the code puts before it.
pub(super) fn shortened(mut ruled: Ruled, longest: Option<usize>) -> Ruled {
    if let (Err(Stop::Refused(error)), Some(longest)) = (&mut ruled, longest)
        && let Some(text) = &mut error.str2
        && text.len() > longest
    {
        let fits = |end: &usize| text.is_char_boundary(*end);
        let end = (0..=longest).rev().find(fits).unwrap_or_default();
        let left_out = text.len() - end;
        text.truncate(end);
        error.message.truncate(error.message.len() - left_out);
    }
    ruled
}

/// Turns a rule's result into the driver's.
pub(super) fn into_answer(ruled: Ruled) -> Result<Answer, DriverError> {
    match ruled {
        Ok(value) => Ok(Answer::Returned(value)),
        Err(Stop::Refused(error)) => Ok(Answer::Refused(*error)),
        Err(Stop::NotModelled(what)) => Err(DriverError::NotModelled(what)),
    }
}

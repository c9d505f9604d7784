//! Exit codes. They are stable: scripts may rely on them.

use crate::run::Summary;

/// Why the command ends. The discriminant is the process's exit code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything was as expected.
    Success = 0,
    /// A scenario failed, or a known difference did not happen.
    Failed = 1,
    /// The arguments are wrong.
    Usage = 2,
    /// A scenario or its set-up could not run.
    Broken = 3,
    /// A driver's process crashed or did not answer in time.
    Crashed = 4,
    /// No scenario was selected.
    NothingSelected = 5,
    /// The driver cannot be used here.
    NoDriver = 6,
    /// The user stopped the run.
    Interrupted = 130,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

/// The exit code of a run: the highest-ranking cause wins, in the order interrupted, broken,
/// crashed, failed.
#[must_use]
pub const fn of_summary(summary: &Summary) -> ExitCode {
    if summary.interrupted > 0 || summary.stopped {
        ExitCode::Interrupted
    } else if summary.broken > 0 {
        ExitCode::Broken
    } else if summary.crashed > 0 || summary.timed_out > 0 {
        ExitCode::Crashed
    } else if summary.failed > 0 || summary.unexpected_pass > 0 {
        ExitCode::Failed
    } else {
        ExitCode::Success
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Summary { passed: 1, skipped: 1, ..Summary::default() }, ExitCode::Success)]
    #[case(Summary { failed: 1, ..Summary::default() }, ExitCode::Failed)]
    #[case(Summary { unexpected_pass: 1, ..Summary::default() }, ExitCode::Failed)]
    #[case(Summary { failed: 1, timed_out: 1, ..Summary::default() }, ExitCode::Crashed)]
    #[case(Summary { crashed: 1, broken: 1, ..Summary::default() }, ExitCode::Broken)]
    #[case(Summary { broken: 1, interrupted: 1, ..Summary::default() }, ExitCode::Interrupted)]
    #[case(Summary { passed: 1, stopped: true, ..Summary::default() }, ExitCode::Interrupted)]
    fn the_highest_ranking_cause_wins(#[case] summary: Summary, #[case] code: ExitCode) {
        assert_eq!(of_summary(&summary), code);
    }
}

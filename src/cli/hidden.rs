//! The processes that real drivers run in; only this program starts them.

use super::args::HiddenArgs;
use crate::run;

pub(super) fn worker(args: HiddenArgs) -> std::process::ExitCode {
    run::worker::main(args.rest.into_iter())
}

pub(super) fn reaper(args: HiddenArgs) -> std::process::ExitCode {
    run::reaper::main(args.rest.into_iter())
}

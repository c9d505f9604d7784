//! The processes that real drivers run in; only this program starts them.

use clap::Args;

use crate::run;

#[derive(Args, Debug)]
pub(super) struct HiddenArgs {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<std::ffi::OsString>,
}

pub(super) fn worker(args: HiddenArgs) -> std::process::ExitCode {
    run::worker::main(args.rest.into_iter())
}

pub(super) fn clear(args: HiddenArgs) -> std::process::ExitCode {
    run::clear::main(args.rest.into_iter())
}

pub(super) fn reaper(args: HiddenArgs) -> std::process::ExitCode {
    run::reaper::main(args.rest.into_iter())
}

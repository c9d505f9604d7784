//! The processes that real drivers run in; only this program starts them.

use super::args::HiddenArgs;
use crate::driver::libvirt;

pub(super) fn worker(args: HiddenArgs) -> std::process::ExitCode {
    libvirt::worker::main(args.rest.into_iter())
}

pub(super) fn reaper(args: HiddenArgs) -> std::process::ExitCode {
    libvirt::reaper::main(args.rest.into_iter())
}

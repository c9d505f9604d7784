//! The command `backup-tck`.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(feature = "libvirt")]
    {
        use backup_tck::driver::libvirt::{reaper, worker};
        let mut arguments = std::env::args_os().skip(1);
        match arguments.next().as_deref().and_then(|name| name.to_str()) {
            Some("reaper") => return reaper::main(arguments),
            Some("worker") => return worker::main(arguments),
            _ => {}
        }
    }
    ExitCode::SUCCESS
}

//! The command `backup-tck`.

fn main() -> std::process::ExitCode {
    backup_tck::cli::main()
}

//! The command `run` on a driver, as a user starts it, and its wall time.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The median wall time of so many runs, or why there is none.
///
/// `state` is where the runs may leave what they remember.
pub(crate) fn median(
    rounds: usize,
    driver: &str,
    patterns: &[&str],
    extra: &[&str],
    state: &Path,
) -> Result<Duration, String> {
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        times.push(once(driver, patterns, extra, state)?);
    }
    times.sort();
    Ok(times[times.len() / 2])
}

fn once(driver: &str, patterns: &[&str], extra: &[&str], state: &Path) -> Result<Duration, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backup-tck"));
    command
        .args(["run", "--driver", driver])
        .args(extra)
        .args(patterns)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("XDG_STATE_HOME", state)
        // No pending snapshots for review.
        .env("CI", "true")
        .stdin(Stdio::null());
    let begun = Instant::now();
    let output = command.output();
    let taken = begun.elapsed();
    let output = output.map_err(|error| format!("cannot run backup-tck: {error}"))?;
    if output.status.success() {
        return Ok(taken);
    }
    let stdout = String::from_utf8_lossy(&output.stdout);
    let lines = stdout.lines().filter(|line| !line.starts_with("passed "));
    let lines: Vec<&str> = lines.collect();
    Err(format!(
        "the run ended with {}\n{}\n{}",
        output.status,
        lines.join("\n"),
        String::from_utf8_lossy(&output.stderr)
    ))
}

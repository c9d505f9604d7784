//! The log of a worker: its standard error, and what libvirt has to say in it or its daemon.

use std::fs;
use std::path::Path;

/// Its name in the worker's directory.
pub(super) const LOG: &str = "libvirt.log";

/// How many lines are told.
const LINES: usize = 8;

/// Warnings and errors, each with the C function and line that raised it. The path is relative to
/// the worker's directory, in which every process starts that is told of it: libvirt splits the
/// value at spaces.
pub(super) fn outputs() -> String {
    format!("3:file:{LOG}")
}

/// The same for a worker that only asks a daemon of its own: that has told already what its client
/// would tell once more.
pub(super) const NO_OUTPUTS: &str = "4:file:/dev/null";

/// The last lines of a worker's log.
pub(super) fn last_lines(directory: &Path) -> Vec<String> {
    let log = fs::read(directory.join(LOG)).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<_> = log.lines().map(str::to_owned).collect();
    lines[lines.len().saturating_sub(LINES)..].to_vec()
}

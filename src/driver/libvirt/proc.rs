//! Processes as `/proc` shows them. Any of them may end while it is looked at.

use std::fs;
use std::path::Path;

use nix::unistd::Pid;

/// The processes whose parent is this one, but for those that have ended and wait to be
/// collected.
pub(super) fn children(of: Pid) -> Vec<Pid> {
    let is_child = |pid: &Pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
        let parsed = stat.ok().and_then(|stat| state_and_parent(&stat));
        parsed.is_some_and(|(state, parent)| state != 'Z' && parent == of.as_raw())
    };
    all().filter(is_child).collect()
}

/// Every process.
pub(super) fn all() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.map(Pid::from_raw)
}

/// The name of the file that a process executes.
pub(super) fn name(pid: Pid) -> Option<String> {
    let program = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    Some(program.file_name()?.to_string_lossy().into_owned())
}

/// Whether a process has to do with a directory whose own name is used once: its command line
/// names it, or something of it is mounted where the process is.
pub(super) fn concerns(pid: Pid, directory: &Path) -> bool {
    let path = directory.as_os_str().as_encoded_bytes();
    // The root of a bind mount is told as seen from its file system's own root.
    let name = directory.file_name().unwrap_or_default();
    let part = [b"/", name.as_encoded_bytes(), b"/"].concat();
    [("cmdline", path), ("mountinfo", &part)]
        .iter()
        .any(|(file, wanted)| {
            let text = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            text.windows(wanted.len()).any(|part| part == *wanted)
        })
}

/// Both in a line of `/proc/PID/stat`; the name before them may hold anything.
fn state_and_parent(stat: &str) -> Option<(char, i32)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_hide_the_parent() {
        assert_eq!(
            state_and_parent("12 (a) S (b) R 34 12 12 0"),
            Some(('R', 34))
        );
        assert_eq!(state_and_parent("garbage"), None);
    }

    #[test]
    fn a_process_concerns_what_its_command_line_names() {
        let own = nix::unistd::getpid();
        let program = std::env::current_exe().unwrap();
        assert!(concerns(own, &program));
        assert!(!concerns(own, Path::new("/nowhere/that-is-named")));
    }
}

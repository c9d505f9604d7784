//! Processes as `/proc` shows them. Any of them may end while it is looked at.

use std::fs;
use std::path::Path;

use nix::unistd::Pid;

/// The processes whose parent is this one, but for those that have ended and wait to be
/// collected.
pub(super) fn children(of: Pid) -> Vec<Pid> {
    living(|stat| stat.parent == of.as_raw())
}

/// The other processes of the group that this process leads, but for those that have ended.
pub(super) fn others_in_group(leader: Pid) -> Vec<Pid> {
    let mut found = living(|stat| stat.group == leader.as_raw());
    found.retain(|pid| *pid != leader);
    found
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
    let read = |file| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    // The root of a bind mount is told as seen from its file system's own root.
    let name = directory.file_name().unwrap_or_default();
    let part = [b"/", name.as_encoded_bytes(), b"/"].concat();
    names(&read("cmdline"), directory) || read("mountinfo").windows(part.len()).any(|p| p == part)
}

/// Whether a command line names a path, or one below it: not one that only holds its text.
fn names(command_line: &[u8], path: &Path) -> bool {
    let path = path.as_os_str().as_encoded_bytes();
    let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-/".contains(byte);
    command_line
        .windows(path.len())
        .enumerate()
        .filter(|(_, part)| *part == path)
        .any(|(at, _)| {
            let before = at.checked_sub(1).and_then(|at| command_line.get(at));
            let behind = command_line.get(at + path.len());
            !before.is_some_and(goes_on) && matches!(behind, None | Some(b'/' | 0))
        })
}

fn living(is_wanted: impl Fn(&Stat) -> bool) -> Vec<Pid> {
    let found = |pid: &Pid| {
        let line = fs::read_to_string(format!("/proc/{pid}/stat"));
        let stat = line.ok().and_then(|line| Stat::of(&line));
        stat.is_some_and(|stat| stat.state != 'Z' && is_wanted(&stat))
    };
    all().filter(found).collect()
}

/// A part of a line of `/proc/PID/stat` (`proc_pid_stat(5)`).
#[derive(Debug, Eq, PartialEq)]
struct Stat {
    state: char,
    parent: i32,
    group: i32,
}

impl Stat {
    /// The name before these fields may hold anything.
    fn of(line: &str) -> Option<Self> {
        let (_, rest) = line.rsplit_once(')')?;
        let mut fields = rest.split_whitespace();
        Some(Self {
            state: fields.next()?.chars().next()?,
            parent: fields.next()?.parse().ok()?,
            group: fields.next()?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_hide_the_parent() {
        let (state, parent, group) = ('R', 34, 12);
        let stat = Stat {
            state,
            parent,
            group,
        };
        assert_eq!(Stat::of("12 (a) S (b) R 34 12 12 0"), Some(stat));
        assert_eq!(Stat::of("garbage"), None);
    }

    #[test]
    fn a_process_concerns_what_its_command_line_names() {
        let own = nix::unistd::getpid();
        let program = std::env::current_exe().unwrap();
        assert!(concerns(own, &program));
        assert!(!concerns(own, Path::new("/nowhere/that-is-named")));
    }

    #[test]
    fn a_path_is_named_whole() {
        let path = Path::new("/tmp/x");
        for line in [
            "qemu\0file=/tmp/x/w1/vda\0",
            "reaper\0/tmp/x\0id\0",
            "worker\0/tmp/x",
            "qemu\0{\"filename\":\"/tmp/x/vda\"}\0",
            "qemu\0/tmp/x-copy/vda\0/tmp/x/vda\0",
        ] {
            assert!(names(line.as_bytes(), path), "{line:?}");
        }
        for line in [
            "qemu\0file=/tmp/x-copy/vda\0",
            "qemu\0file=/tmp/xy\0",
            "qemu\0file=/home/tmp/x/vda\0",
            "qemu\0file=/tmp/x,id=a\0",
        ] {
            assert!(!names(line.as_bytes(), path), "{line:?}");
        }
    }
}

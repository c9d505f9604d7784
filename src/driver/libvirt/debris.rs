//! What a scenario has left behind in the driver's world.
//!
//! Looked for before a scenario and after it, so that what one leaves is never met by the next.
//! Domains are told apart by their names, and so is what libvirt keeps of them in its
//! directories; of processes there is none but the worker's. Where the machine's mounts are in
//! sight, those alone count that lie in the worker's directory.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::unistd::{Pid, getppid};
use serde::{Deserialize, Serialize};

use super::calls::Session;
use super::connection::{Connection, DOMAIN_PREFIX, domain_prefix};
use super::pause::pause;
use super::proc;
use super::root::Root;
use crate::driver::DriverError;

/// For how long a process that was ended may still be there.
const END_LIMIT: Duration = Duration::from_secs(2);

/// The world of one worker, as it was when the worker began.
pub(super) struct World {
    directory: PathBuf,
    /// Parent of every QEMU that has detached itself.
    reaper: Pid,
    prefix: String,
    state: Vec<PathBuf>,
    before: Baseline,
    own_mounts: bool,
}

/// What was there before.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Baseline {
    entries: BTreeSet<OsString>,
    /// What was mounted; of the machine's mounts, only what lies in the directory.
    mounts: BTreeSet<String>,
}

impl World {
    /// The world of the worker in this directory, which nothing has happened in yet.
    /// `own_mounts` tells whether nobody else can mount anything in its sight.
    pub(super) fn of(directory: &Path, connection: &Connection, own_mounts: bool) -> Self {
        let state = if connection.is_private() {
            Root::of(directory, connection).state()
        } else {
            Vec::new()
        };
        Self {
            directory: directory.to_owned(),
            reaper: getppid(),
            prefix: domain_prefix(directory),
            state,
            before: Baseline {
                entries: entries(directory),
                mounts: mounts(directory, own_mounts),
            },
            own_mounts,
        }
    }

    /// What was there before.
    pub(super) const fn baseline(&self) -> &Baseline {
        &self.before
    }

    /// The world as it was when an earlier process began.
    pub(super) fn since(&mut self, before: Baseline) {
        self.before = before;
    }

    /// What is there and does not belong there, each thing by its name; empty where all is well.
    pub(super) fn debris(&self, session: &Session) -> Result<Vec<String>, DriverError> {
        let domains = session.domains(&self.prefix)?.into_iter();
        let mut found: Vec<String> = domains.map(|name| format!("domain {name}")).collect();
        found.extend(self.emulators_that_stay());
        found.extend(self.files());
        let now = mounts(&self.directory, self.own_mounts);
        let added = now.difference(&self.before.mounts);
        found.extend(added.map(|point| format!("a mount on {point}")));
        Ok(found)
    }

    fn emulators_that_stay(&self) -> Vec<String> {
        let until = Instant::now() + END_LIMIT;
        loop {
            let found = self.emulators();
            if found.is_empty() || Instant::now() >= until {
                return found;
            }
            pause();
        }
    }

    fn emulators(&self) -> Vec<String> {
        let children = proc::children(self.reaper);
        let names = children.into_iter().filter_map(|pid| {
            let name = proc::name(pid)?;
            name.starts_with("qemu-").then_some((pid, name))
        });
        let told = names.map(|(pid, name)| format!("process {pid} ({name})"));
        told.collect()
    }

    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        for directory in &self.state {
            find_domains_files(directory, &mut found);
        }
        let entries = entries(&self.directory);
        let added = entries.difference(&self.before.entries);
        found.extend(added.map(|name| self.directory.join(name)));
        let told = found
            .iter()
            .map(|path| format!("file {}", path.to_string_lossy()));
        told.collect()
    }
}

/// Everything below a directory that bears the name of a domain of ours.
fn find_domains_files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().contains(DOMAIN_PREFIX) {
            found.push(entry.path());
        } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            find_domains_files(&entry.path(), found);
        }
    }
}

fn entries(directory: &Path) -> BTreeSet<OsString> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name()).collect()
}

/// The mount points that this process sees, everywhere or in a directory.
fn mounts(directory: &Path, everywhere: bool) -> BTreeSet<String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    points(&mounts, (!everywhere).then_some(directory))
}

/// The mount points in a table (`proc_pid_mountinfo(5)`).
fn points(table: &str, below: Option<&Path>) -> BTreeSet<String> {
    let points = table.lines().filter_map(|line| line.split(' ').nth(4));
    points
        .filter(|point| below.is_none_or(|directory| Path::new(point).starts_with(directory)))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(directory: &Path) -> World {
        World {
            reaper: nix::unistd::getpid(),
            ..World::of(directory, &Connection::Embed, true)
        }
    }

    #[test]
    fn what_libvirt_keeps_of_a_domain_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let etc = directory.path().join("r/etc/qemu");
        fs::create_dir_all(&etc).unwrap();
        let world = world(directory.path());
        assert_eq!(world.files(), [""; 0]);
        fs::write(etc.join("networks"), "").unwrap();
        assert_eq!(world.files(), [""; 0]);
        let kept = etc.join("backup-tck-0af31c-1.xml");
        fs::write(&kept, "").unwrap();
        assert_eq!(world.files(), [format!("file {}", kept.display())]);
    }

    #[test]
    fn what_is_new_in_the_directory_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let world = world(directory.path());
        let scenario = directory.path().join("s1");
        fs::create_dir(&scenario).unwrap();
        assert_eq!(world.files(), [format!("file {}", scenario.display())]);
    }

    #[test]
    fn what_others_mount_is_theirs() {
        let table = "36 35 0:1 / /mnt/stick rw - tmpfs none rw\n\
                     37 35 0:2 / /tmp/backup-tck-x/w0af31c/s1/m rw - tmpfs none rw\n\
                     38 35 0:3 / /tmp/backup-tck-x/w0af31cd rw - tmpfs none rw\n";
        assert_eq!(points(table, None).len(), 3);
        let below = points(table, Some(Path::new("/tmp/backup-tck-x/w0af31c")));
        assert_eq!(Vec::from_iter(below), ["/tmp/backup-tck-x/w0af31c/s1/m"]);
    }

    #[test]
    fn an_emulator_is_found_until_it_has_ended() {
        let directory = tempfile::tempdir().unwrap();
        let emulator = directory.path().join("qemu-system-none");
        fs::copy("/bin/sleep", &emulator).unwrap();
        let world = world(directory.path());
        let mut child = std::process::Command::new(&emulator)
            .arg("60")
            .spawn()
            .unwrap();
        let told = world.emulators();
        child.kill().unwrap();
        assert_eq!(told, [format!("process {} (qemu-system-none)", child.id())]);
        // Not waited for yet: a process that has ended and is still listed is none.
        let until = Instant::now() + END_LIMIT;
        while !world.emulators().is_empty() {
            assert!(Instant::now() < until);
        }
        child.wait().unwrap();
    }
}

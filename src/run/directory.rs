//! The directory of a run, in which its workers live, and what dead runs have left.
//!
//! A run holds a lock on its directory for as long as it lives. One that was killed together with
//! its reapers cannot clean up; the next run finds the directory unlocked and does it. Whoever can
//! write to the temporary directory can make one of that name, so the name is not believed: it
//! must be a directory of the same user, with the file that a run puts there first of all.

use std::fs::{self, DirEntry, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use super::{Backing, DriverChoice};
use crate::driver::{DriverError, RUN_MARK};

/// What the name of a run's directory begins with.
const DIRECTORY_PREFIX: &str = "backup-tck-";

/// Letters and digits behind it.
const RANDOM: usize = 6;

/// A directory younger than this may be one whose run has not locked it yet.
const GRACE: Duration = Duration::from_secs(10);

/// A directory of this run alone, removed with it.
#[derive(Debug)]
pub(super) struct RunDirectory {
    directory: TempDir,
    /// Held, never read.
    _lock: File,
}

impl RunDirectory {
    /// Makes one where the driver needs it, and sweeps what dead runs have left.
    ///
    /// # Errors
    /// [`DriverError::Unavailable`] where its path cannot serve the driver.
    pub(super) fn of(
        driver: &DriverChoice,
        backing: &Backing,
    ) -> Result<Option<Self>, DriverError> {
        if !driver.is_real() {
            return Ok(None);
        }
        let failed = |error| {
            DriverError::Failed(format!(
                "cannot make the run's temporary directory: {error}"
            ))
        };
        let directory = tempfile::Builder::new()
            .prefix(DIRECTORY_PREFIX)
            .rand_bytes(RANDOM)
            .tempdir()
            .map_err(failed)?;
        let mark = directory.path().join(RUN_MARK);
        fs::write(mark, format!("{}\n", std::process::id())).map_err(failed)?;
        let lock = File::open(directory.path()).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let owner = lock.metadata().map_err(failed)?.uid();
        sweep_dead_runs(&std::env::temp_dir(), owner, GRACE, |dead| {
            driver.sweep(backing, dead);
        });
        driver.check_directory(directory.path())?;
        if driver.is_shared() {
            // QEMU, which may run as another user, has to pass through.
            let mode = Permissions::from_mode(0o711);
            fs::set_permissions(directory.path(), mode).map_err(failed)?;
        }
        Ok(Some(Self {
            directory,
            _lock: lock,
        }))
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Removes the directories of this owner's runs that are dead, with what still runs in them.
fn sweep_dead_runs(temporary: &Path, owner: u32, grace: Duration, sweep: impl Fn(&Path)) {
    for entry in fs::read_dir(temporary).into_iter().flatten().flatten() {
        let path = entry.path();
        // Asked before it is opened: a FIFO would hold whoever opens it.
        if !may_be_dead(&entry, owner, grace).unwrap_or(false) {
            continue;
        }
        if File::open(&path).is_ok_and(|lock| lock.try_lock().is_ok()) {
            if is_marked(&path, owner) {
                sweep(&path);
            } else {
                // A run may have been killed before it could mark it; what holds anything stays.
                let _ = fs::remove_dir(&path);
            }
        }
    }
}

fn may_be_dead(entry: &DirEntry, owner: u32, grace: Duration) -> io::Result<bool> {
    if !is_name(&entry.file_name().to_string_lossy()) {
        return Ok(false);
    }
    // Of a link, not of what it leads to.
    let found = entry.metadata()?;
    let is_old = |at: std::time::SystemTime| at.elapsed().is_ok_and(|age| age >= grace);
    Ok(is_of(&found, owner) && found.is_dir() && is_old(found.modified()?))
}

fn is_name(name: &str) -> bool {
    name.strip_prefix(DIRECTORY_PREFIX).is_some_and(|random| {
        random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

fn is_marked(directory: &Path, owner: u32) -> bool {
    let mark = fs::symlink_metadata(directory.join(RUN_MARK));
    mark.is_ok_and(|found| found.is_file() && is_of(&found, owner))
}

fn is_of(found: &Metadata, owner: u32) -> bool {
    found.uid() == owner
}

#[cfg(test)]
#[cfg(feature = "libvirt")]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use super::*;

    /// A temporary directory that everybody writes to.
    struct Temporary(TempDir);

    impl Temporary {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        /// A directory that holds a worker's, with the mark of a run or without.
        fn make(&self, name: &str, is_marked: bool) -> PathBuf {
            let path = self.0.path().join(name);
            fs::create_dir_all(path.join("w0af31c")).unwrap();
            if is_marked {
                fs::write(path.join(RUN_MARK), "").unwrap();
            }
            path
        }

        fn owner(&self) -> u32 {
            fs::metadata(self.0.path()).unwrap().uid()
        }

        fn sweep(&self, owner: u32, grace: Duration) {
            let backing = Backing::own().unwrap();
            let sweep = |dead: &Path| DriverChoice::Embed.sweep(&backing, dead);
            sweep_dead_runs(self.0.path(), owner, grace, sweep);
        }
    }

    #[test]
    fn only_directories_of_dead_runs_are_swept() {
        let temporary = Temporary::new();
        let dead = temporary.make("backup-tck-aB3dEf", true);
        let alive = temporary.make("backup-tck-aB3dEg", true);
        let lock = File::open(&alive).unwrap();
        lock.lock().unwrap();
        temporary.sweep(temporary.owner(), Duration::from_mins(1));
        assert!(dead.exists(), "too young to tell");
        temporary.sweep(temporary.owner(), Duration::ZERO);
        assert!(!dead.exists() && alive.exists());
    }

    #[test]
    fn what_no_run_has_made_stays() {
        let temporary = Temporary::new();
        let mut kept: Vec<PathBuf> = ["backup-tck-notes", "backup-tck-aB3dEfg", "other"]
            .map(|name| temporary.make(name, true))
            .into();
        kept.push(temporary.make("backup-tck-thesis", false));
        let target = temporary.make("elsewhere", true);
        let link = temporary.0.path().join("backup-tck-aB3dEf");
        symlink(&target, &link).unwrap();
        let linked_mark = temporary.make("backup-tck-aB3dEg", false);
        symlink(target.join(RUN_MARK), linked_mark.join(RUN_MARK)).unwrap();
        kept.extend([target, link, linked_mark]);
        let empty = temporary.0.path().join("backup-tck-empty0");
        fs::create_dir(&empty).unwrap();
        temporary.sweep(temporary.owner(), Duration::ZERO);
        assert!(kept.iter().all(|path| path.exists()), "{kept:?}");
        assert!(!empty.exists(), "a run was killed before it could mark it");
    }

    #[test]
    fn what_is_another_users_stays_unread() {
        let temporary = Temporary::new();
        let foreign = temporary.make("backup-tck-aB3dEf", true);
        let fifo = temporary.0.path().join("backup-tck-aB3dEg");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success());
        // Whoever opened the FIFO would wait for ever.
        temporary.sweep(temporary.owner() + 1, Duration::ZERO);
        assert!(foreign.exists());
        temporary.sweep(temporary.owner(), Duration::ZERO);
        assert!(!foreign.exists() && fifo.exists());
    }
}

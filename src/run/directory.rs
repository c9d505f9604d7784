//! The directory of a run, in which its workers live, and what dead runs have left.
//!
//! A run holds a lock on its directory for as long as it lives. One that was killed together with
//! its reapers cannot clean up; the next run finds the directory unlocked and does it.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use super::{Backing, DriverChoice};
use crate::driver::DriverError;

const PREFIX: &str = "backup-tck-";

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
    /// Makes one where the driver needs it, after sweeping what dead runs have left.
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
        sweep_dead_runs(&std::env::temp_dir(), GRACE, |dead| {
            driver.sweep(backing, dead);
        });
        let failed = |error| {
            DriverError::Failed(format!(
                "cannot make the run's temporary directory: {error}"
            ))
        };
        let directory = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir()
            .map_err(failed)?;
        driver.check_directory(directory.path())?;
        if driver.is_shared() {
            // To be passed through, not to be listed: the names below it cannot be guessed.
            let mode = Permissions::from_mode(0o711);
            std::fs::set_permissions(directory.path(), mode).map_err(failed)?;
        }
        let lock = File::open(directory.path()).map_err(failed)?;
        lock.lock().map_err(failed)?;
        Ok(Some(Self {
            directory,
            _lock: lock,
        }))
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Removes the directories of runs that are dead, with what still runs in them. Whatever cannot be
/// looked at belongs to somebody else.
fn sweep_dead_runs(temporary: &Path, grace: Duration, sweep: impl Fn(&Path)) {
    for entry in std::fs::read_dir(temporary).into_iter().flatten().flatten() {
        let is_run = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let is_old = modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age >= grace));
        let Ok(lock) = File::open(entry.path()) else {
            continue;
        };
        if is_run && is_old && lock.try_lock().is_ok() {
            sweep(&entry.path());
        }
    }
}

#[cfg(all(test, feature = "libvirt"))]
mod tests {
    use super::*;

    #[test]
    fn only_directories_of_dead_runs_are_swept() {
        let temporary = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = temporary.path().join(name);
            std::fs::create_dir_all(path.join("w1")).unwrap();
            path
        };
        let (dead, alive, foreign) = (make("backup-tck-a"), make("backup-tck-b"), make("other"));
        let lock = File::open(&alive).unwrap();
        lock.lock().unwrap();
        let backing = Backing::own().unwrap();
        let sweep = |dead: &Path| DriverChoice::Embed.sweep(&backing, dead);
        sweep_dead_runs(temporary.path(), Duration::from_mins(1), sweep);
        assert!(dead.exists(), "too young to tell");
        sweep_dead_runs(temporary.path(), Duration::ZERO, sweep);
        assert!(!dead.exists() && alive.exists() && foreign.exists());
    }
}

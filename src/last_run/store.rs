//! Where it is kept.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use twox_hash::XxHash64;

use super::{LastRun, Memory};
use crate::suite::Suite;

/// The version of the file that this build reads and writes.
const VERSION: u32 = 1;

/// The file of one suite.
#[derive(Clone, Debug)]
pub struct Store {
    path: PathBuf,
    suite: String,
}

/// What is kept cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is nowhere to keep it.
    #[error("there is no home directory to keep the last run in; set XDG_STATE_HOME")]
    NoHome,
    /// The suite's own path cannot be found.
    #[error("cannot find the path of the suite: {0}")]
    Suite(io::Error),
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{path} does not hold a last run ({reason}); delete it and run again")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another version of backup-tck wrote the file.
    #[error(
        "{path} is of version {version}, and this build knows version {VERSION}; \
         delete it, or use the backup-tck that wrote it"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// The file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The file's text.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    /// The suite's path, for people: the file's name is made of it.
    suite: String,
    runs: BTreeMap<String, LastRun>,
}

/// The only part that every version has.
#[derive(Deserialize)]
struct Head {
    version: u32,
}

impl Store {
    /// The file of this suite, which need not be there.
    pub fn of(suite: &Suite) -> Result<Self, StoreError> {
        let directory = directory().ok_or(StoreError::NoHome)?;
        Self::below(&directory, suite)
    }

    /// What is kept; nothing at all if no run was kept yet.
    pub fn read(&self) -> Result<Memory, StoreError> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Memory::default()),
            Err(source) => {
                let path = self.path.clone();
                return Err(StoreError::Read { path, source });
            }
        };
        let foreign = |error: serde_json::Error| StoreError::Foreign {
            path: self.path.clone(),
            reason: error.to_string(),
        };
        let head: Head = serde_json::from_str(&text).map_err(foreign)?;
        if head.version != VERSION {
            return Err(StoreError::Version {
                path: self.path.clone(),
                version: head.version,
            });
        }
        let kept: Kept = serde_json::from_str(&text).map_err(foreign)?;
        Ok(Memory { runs: kept.runs })
    }

    /// Changes what is kept. Runs that end at the same time wait for each other, and a reader
    /// sees the file as it was before or as it is after.
    pub fn update(&self, change: impl FnOnce(&mut Memory)) -> Result<(), StoreError> {
        let failed = |source| StoreError::Write {
            path: self.path.clone(),
            source,
        };
        let directory = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory).map_err(failed)?;
        let lock = File::open(directory).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let mut memory = self.read()?;
        change(&mut memory);
        let kept = Kept {
            version: VERSION,
            suite: self.suite.clone(),
            runs: memory.runs,
        };
        let mut text = serde_json::to_vec_pretty(&kept).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        let mut file = NamedTempFile::new_in(directory).map_err(failed)?;
        file.write_all(&text).map_err(failed)?;
        file.persist(&self.path)
            .map_err(|error| failed(error.error))?;
        Ok(())
    }

    fn below(directory: &Path, suite: &Suite) -> Result<Self, StoreError> {
        let (key, suite) = match suite {
            Suite::Embedded => ("embedded".to_owned(), "embedded".to_owned()),
            Suite::Folder(folder) => {
                // The suite of the working directory has an empty path.
                let folder = fs::canonicalize(folder.join(".")).map_err(StoreError::Suite)?;
                let hash = XxHash64::oneshot(0, folder.as_os_str().as_encoded_bytes());
                (format!("{hash:016x}"), folder.display().to_string())
            }
        };
        Ok(Self {
            path: directory.join(format!("{key}.json")),
            suite,
        })
    }
}

/// `$XDG_STATE_HOME` or `$HOME/.local/state`, and our place in it. A relative path does not count.
fn directory() -> Option<PathBuf> {
    let set = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?;
    Some(base.join("backup-tck"))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use jiff::Timestamp;

    use super::*;
    use crate::run::Outcome;

    fn note(store: &Store, name: &str) {
        let finished = BTreeMap::from([(name.to_owned(), Outcome::Interrupted)]);
        store
            .update(|memory| {
                memory.note("mock", Timestamp::UNIX_EPOCH, [name], &finished, |_| true);
            })
            .unwrap();
    }

    #[test]
    fn what_is_noted_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::below(&directory.path().join("new"), &Suite::Embedded).unwrap();
        assert_eq!(store.read().unwrap(), Memory::default());
        note(&store, "a/one");
        let run = &store.read().unwrap().runs["mock"];
        assert_eq!(run.not_passed["a/one"], "interrupted");
    }

    #[test]
    fn suites_have_files_of_their_own() {
        let directory = tempfile::tempdir().unwrap();
        let suites = ["x", "y"].map(|name| {
            let folder = directory.path().join(name);
            fs::create_dir(&folder).unwrap();
            Store::below(directory.path(), &Suite::Folder(folder)).unwrap()
        });
        note(&suites[0], "a/one");
        assert_eq!(suites[1].read().unwrap(), Memory::default());
        let same = directory.path().join("x/../x");
        let same = Store::below(directory.path(), &Suite::Folder(same)).unwrap();
        assert_eq!(same.read().unwrap().runs.len(), 1);
    }

    #[test]
    fn runs_at_the_same_time_lose_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::below(directory.path(), &Suite::Embedded).unwrap();
        thread::scope(|scope| {
            for number in 0..16 {
                let store = &store;
                scope.spawn(move || note(store, &format!("a/{number}")));
            }
        });
        assert_eq!(store.read().unwrap().runs["mock"].not_passed.len(), 16);
        let files = fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(files, 1, "no temporary file stays");
    }

    #[test]
    fn what_cannot_be_read_is_told_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::below(directory.path(), &Suite::Embedded).unwrap();
        for (text, part) in [
            ("{", "does not hold a last run"),
            ("[]", "does not hold a last run"),
            (r#"{"version":1,"suite":"x","runs":[]}"#, "does not hold"),
            (r#"{"version":2,"more":true}"#, "is of version 2"),
        ] {
            fs::write(&store.path, text).unwrap();
            let told = store.read().unwrap_err().to_string();
            assert!(told.contains(part), "{told}");
            assert!(store.update(|_| {}).is_err());
            assert_eq!(fs::read_to_string(&store.path).unwrap(), text);
        }
    }
}

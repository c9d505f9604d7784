//! Carries libvirt's cache of QEMU's capabilities from one driver root to the next.
//!
//! On a fresh root libvirt asks QEMU for its capabilities, which takes more than half a second;
//! it keeps the answer in `cache/qemu/capabilities/`, and drops a file by itself when QEMU, the
//! kernel or libvirt has changed (`src/qemu/qemu_capabilities.c:virQEMUCapsIsValid`). So the
//! files are shared between processes under the user's cache directory. What libvirt takes for
//! itself is not the same in a worker and in its daemon; either drops the other's files, so they
//! are kept apart. Whatever fails here only costs time.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{env, fs, io};

/// The capability cache of one driver root.
pub(super) struct CapabilityCache {
    shared: Option<PathBuf>,
    own: PathBuf,
    known: BTreeMap<OsString, SystemTime>,
}

impl CapabilityCache {
    /// The cache that a driver, of this name, keeps in this directory, filled with what is shared.
    pub(super) fn of(driver: &str, own: PathBuf) -> Self {
        let shared = shared_directory().map(|shared| shared.join(driver));
        Self::between(shared, own)
    }

    /// Shares the files that libvirt has written since.
    pub(super) fn store(&mut self) {
        if let Some(shared) = self.shared.clone() {
            for (name, modified) in files(&self.own) {
                if self.known.get(&name) != Some(&modified)
                    && publish(&self.own.join(&name), &shared).is_ok()
                {
                    self.known.insert(name, modified);
                }
            }
        }
    }

    fn between(shared: Option<PathBuf>, own: PathBuf) -> Self {
        if let Some(shared) = &shared
            && fs::create_dir_all(&own).is_ok()
        {
            for (name, _) in files(shared) {
                // A copy that fails is a file that libvirt makes anew.
                let _ = fs::copy(shared.join(&name), own.join(&name));
            }
        }
        let known = files(&own);
        Self { shared, own, known }
    }
}

/// `$XDG_CACHE_HOME`, or `$HOME/.cache`, and our place in it.
fn shared_directory() -> Option<PathBuf> {
    let set = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let caches = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?;
    Some(caches.join("backup-tck/qemu-capabilities"))
}

/// The cache files of a directory and when they were written.
fn files(directory: &Path) -> BTreeMap<OsString, SystemTime> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let files = entries.filter_map(|entry| {
        let name = entry.file_name();
        let is_cache = Path::new(&name).extension().is_some_and(|end| end == "xml");
        let modified = entry.metadata().ok()?.modified().ok()?;
        is_cache.then_some((name, modified))
    });
    files.collect()
}

/// Copies a file into a directory in one step, so that no reader sees half of it.
fn publish(file: &Path, directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let name = file.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let copy = tempfile::NamedTempFile::new_in(directory)?;
    fs::copy(file, copy.path())?;
    copy.persist(directory.join(name))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_root_learns_the_next_one_knows() {
        let place = tempfile::tempdir().unwrap();
        let shared = place.path().join("shared");
        let roots = [place.path().join("a"), place.path().join("b")];
        let mut first = CapabilityCache::between(Some(shared.clone()), roots[0].clone());
        fs::write(roots[0].join("qemu.xml"), "caps").unwrap();
        fs::write(roots[0].join("other"), "").unwrap();
        first.store();
        CapabilityCache::between(Some(shared.clone()), roots[1].clone());
        assert_eq!(
            fs::read_to_string(roots[1].join("qemu.xml")).unwrap(),
            "caps"
        );
        assert_eq!(fs::read_dir(shared).unwrap().count(), 1);
    }
}

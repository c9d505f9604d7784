//! Where libvirt stores the metadata of checkpoints: whether it can, and damage that keeps it from
//! doing so.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::driver::DriverError;
use crate::model::edited;

/// The store of a libvirt. Only that of a private one is ever damaged.
#[derive(Debug, Default)]
pub(super) struct MetadataStore {
    is_private: bool,
    /// Holds a directory for each domain with checkpoints (`src/qemu/qemu_conf.c:checkpointDir`).
    directory: Option<PathBuf>,
    /// Domains whose directory was taken away.
    blocked: BTreeSet<String>,
}

impl MetadataStore {
    pub(super) const fn at(directory: Option<PathBuf>, is_private: bool) -> Self {
        Self {
            is_private,
            directory,
            blocked: BTreeSet::new(),
        }
    }

    /// Puts a plain file in the place of a domain's directory; root, too, can store nothing then.
    pub(super) fn block(&mut self, domain: &str) -> Result<(), DriverError> {
        let (place, aside) = self.places(domain)?;
        self.require_private()?;
        let blocked = || {
            if place.is_dir() {
                fs::rename(&place, &aside)?;
            }
            if let Some(parent) = place.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::File::create_new(&place)?;
            Ok(())
        };
        blocked().map_err(|error| failed("block", &place, &error))?;
        self.blocked.insert(domain.to_owned());
        Ok(())
    }

    /// Gives the directory back.
    pub(super) fn unblock(&mut self, domain: &str) -> Result<(), DriverError> {
        let (place, aside) = self.places(domain)?;
        let unblocked = || {
            fs::remove_file(&place)?;
            if aside.is_dir() {
                fs::rename(&aside, &place)?;
            }
            Ok(())
        };
        unblocked().map_err(|error| failed("unblock", &place, &error))?;
        self.blocked.remove(domain);
        Ok(())
    }

    /// The domains whose directory was taken away.
    pub(super) const fn blocked(&self) -> &BTreeSet<String> {
        &self.blocked
    }

    /// The same store, of which an earlier process has taken these directories away.
    pub(super) fn with_blocked(self, blocked: BTreeSet<String>) -> Self {
        Self { blocked, ..self }
    }

    /// Removes the file of a checkpoint.
    pub(super) fn remove(&self, domain: &str, checkpoint: &str) -> Result<(), DriverError> {
        let file = self.file(domain, checkpoint)?;
        fs::remove_file(&file).map_err(|error| failed("remove", &file, &error))
    }

    /// Replaces texts in the file of a checkpoint, each of which must be there.
    pub(super) fn edit(
        &self,
        domain: &str,
        checkpoint: &str,
        edits: &[(String, String)],
    ) -> Result<(), DriverError> {
        let file = self.file(domain, checkpoint)?;
        let text = fs::read_to_string(&file).map_err(|error| failed("read", &file, &error))?;
        let edited = edited(&text, edits).map_err(|missing| {
            let file = file.display();
            DriverError::Failed(format!("`{missing}` is not in {file}"))
        })?;
        fs::write(&file, edited).map_err(|error| failed("write", &file, &error))
    }

    /// The file of a checkpoint, where it may be damaged.
    fn file(&self, domain: &str, checkpoint: &str) -> Result<PathBuf, DriverError> {
        let (place, _) = self.places(domain)?;
        self.require_private()?;
        Ok(place.join(format!("{checkpoint}.xml")))
    }

    fn require_private(&self) -> Result<(), DriverError> {
        if self.is_private {
            return Ok(());
        }
        let text = "the metadata of a daemon that was there before is not damaged";
        Err(DriverError::Failed(text.to_owned()))
    }

    /// Why a domain's metadata could not be stored; `None` where it can. A file is made and removed.
    pub(super) fn probe(&self, domain: &str) -> Result<Option<String>, DriverError> {
        let (place, _) = self.places(domain)?;
        let reason = match fs::metadata(&place) {
            Ok(found) if !found.is_dir() => return Ok(Some("not a directory".to_owned())),
            Ok(_) => tempfile::Builder::new()
                .prefix(".probe")
                .tempfile_in(&place)
                .err(),
            // libvirt makes the directory with the first checkpoint.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => Some(error),
        };
        Ok(reason.map(|error| error.to_string()))
    }

    /// Gives every directory back.
    pub(super) fn clear(&mut self) -> Result<(), DriverError> {
        for domain in self.blocked.clone() {
            self.unblock(&domain)?;
        }
        Ok(())
    }

    fn places(&self, domain: &str) -> Result<(PathBuf, PathBuf), DriverError> {
        let Some(directory) = &self.directory else {
            let text = "where this libvirt stores the metadata of checkpoints is not known";
            return Err(DriverError::Failed(text.to_owned()));
        };
        Ok((
            directory.join(domain),
            directory.join(format!(".{domain}.blocked")),
        ))
    }
}

fn failed(what: &str, place: &Path, error: &io::Error) -> DriverError {
    DriverError::Failed(format!("cannot {what} {}: {error}", place.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_comes_back() {
        let root = tempfile::tempdir().unwrap();
        let directory = Some(root.path().join("checkpoint"));
        let mut store = MetadataStore::at(directory.clone(), true);
        assert_eq!(store.probe("d").unwrap(), None, "nothing is there yet");
        store.block("d").unwrap();
        assert_eq!(
            store.probe("d").unwrap().as_deref(),
            Some("not a directory")
        );
        store.unblock("d").unwrap();
        let own = root.path().join("checkpoint/d");
        fs::create_dir(&own).unwrap();
        fs::write(own.join("c1.xml"), "kept").unwrap();
        assert_eq!(store.probe("d").unwrap(), None);
        store.block("d").unwrap();
        assert!(store.block("d").is_err(), "twice");
        store.clear().unwrap();
        assert_eq!(fs::read_to_string(own.join("c1.xml")).unwrap(), "kept");
        assert!(store.unblock("d").is_err(), "it is not blocked");
        assert!(MetadataStore::default().probe("d").is_err());
        let mut of_others = MetadataStore::at(directory, false);
        assert_eq!(of_others.probe("d").unwrap(), None);
        assert!(of_others.block("d").is_err());
    }
}

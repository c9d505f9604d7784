//! A copy of a suite in a folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Suite, SuiteError, source_of};

/// What was written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Exported {
    /// Scenarios.
    pub scenarios: usize,
    /// Snapshots.
    pub snapshots: usize,
}

/// A suite cannot be copied out.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The suite cannot be read.
    #[error(transparent)]
    Suite(#[from] SuiteError),
    /// A scenario of the suite cannot be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// The scenario's file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The place is taken.
    #[error("{} is not empty; name another folder, or replace files there with --force", .0.display())]
    NotEmpty(PathBuf),
    /// The place is no folder.
    #[error("{} is not a folder", .0.display())]
    NotFolder(PathBuf),
    /// Something cannot be written.
    #[error("cannot write {path}: {source}; nothing new was left there")]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// Why it could not be.
        source: io::Error,
    },
}

/// A file of the suite, by its path below the suite's folder.
type File = (PathBuf, String);

/// Copies a suite into a folder. It is written beside and then moved, so that nothing new stays if
/// that fails. In a folder that is not empty, `force` replaces files of the same name, each at
/// once, and keeps all others; one that is replaced by the time of a failure stays replaced.
pub fn export(suite: &Suite, folder: &Path, force: bool) -> Result<Exported, ExportError> {
    let there = folder.is_dir();
    if !there && folder.exists() {
        return Err(ExportError::NotFolder(folder.to_owned()));
    }
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ExportError::Write { path, source }
    };
    let is_empty = |folder: &Path| fs::read_dir(folder).map(|mut entries| entries.next().is_none());
    if there && !force && !is_empty(folder).map_err(failed(folder))? {
        return Err(ExportError::NotEmpty(folder.to_owned()));
    }
    let (files, exported) = files(suite)?;
    // On the same file system, so that moving cannot run out of space.
    let beside = if there {
        folder
    } else {
        existing_above(folder)
    };
    let staging = tempfile::Builder::new()
        .prefix(".backup-tck-export-")
        .tempdir_in(beside)
        .map_err(failed(folder))?;
    // The temporary directory itself is for its owner only.
    let staged = staging.path().join("suite");
    write(&staged, &files).map_err(|(path, source)| ExportError::Write {
        path: folder.join(path),
        source,
    })?;
    if there {
        move_into(&staged, folder, &files)?;
    } else {
        let parent = folder.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(failed(folder))?;
        fs::rename(&staged, folder).map_err(failed(folder))?;
    }
    Ok(exported)
}

fn files(suite: &Suite) -> Result<(Vec<File>, Exported), ExportError> {
    let mut files = Vec::new();
    let mut exported = Exported::default();
    for file in suite.files()? {
        let unreadable = |reason| ExportError::Unreadable {
            path: file.path.clone(),
            reason,
        };
        let text = file.text.map_err(unreadable)?;
        files.push((PathBuf::from(source_of(&file.name)), text));
        exported.scenarios += 1;
    }
    for case in suite.cases()? {
        if let Some(text) = suite.snapshot(&case.name)? {
            files.push((PathBuf::from(format!("snapshots/{}.snap", case.name)), text));
            exported.snapshots += 1;
        }
    }
    if let Some(text) = suite.divergences()? {
        files.push((Path::new("snapshots").join(Suite::DIVERGENCES), text));
    }
    if let Some(text) = suite.catalogue()? {
        files.push((Path::new("scenarios").join(Suite::CATALOGUE), text));
    }
    if let Some(text) = suite.schema()? {
        files.push((Path::new("scenarios").join(Suite::SCHEMA), text));
    }
    Ok((files, exported))
}

fn existing_above(folder: &Path) -> &Path {
    let above = folder.ancestors().skip(1).find(|above| above.is_dir());
    // Of a relative path, the last ancestor is empty.
    above.unwrap_or(Path::new("."))
}

/// Writes the files into a new folder; what could not be written, and why.
fn write(folder: &Path, files: &[File]) -> Result<(), (PathBuf, io::Error)> {
    // A folder with both is a suite, even an empty one.
    for part in ["scenarios", "snapshots"] {
        fs::create_dir_all(folder.join(part)).map_err(|error| (PathBuf::from(part), error))?;
    }
    for (name, text) in files {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| (name.clone(), error))?;
    }
    Ok(())
}

/// Moves the files, each at once. If one cannot be, those go that were not there before.
fn move_into(staged: &Path, folder: &Path, files: &[File]) -> Result<(), ExportError> {
    let mut new = Vec::new();
    let mut move_one = |name: &Path| {
        let target = folder.join(name);
        let is_new = !target.exists();
        fs::create_dir_all(target.parent().unwrap_or(folder))?;
        fs::rename(staged.join(name), &target)?;
        if is_new {
            new.push(target);
        }
        Ok(())
    };
    let mut moved = Ok(());
    for part in ["scenarios", "snapshots"] {
        let path = folder.join(part);
        moved = moved.and_then(|()| fs::create_dir_all(&path).map_err(|error| (path, error)));
    }
    for (name, _) in files {
        moved = moved
            .and_then(|()| move_one(name).map_err(|error: io::Error| (folder.join(name), error)));
    }
    moved.map_err(|(path, source)| {
        for file in &new {
            // What cannot be removed either is at least whole.
            let _ = fs::remove_file(file);
        }
        ExportError::Write { path, source }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exported(folder: &Path, force: bool) -> Result<Exported, ExportError> {
        export(&Suite::Embedded, folder, force)
    }

    /// Every path below a folder.
    fn listing(folder: &Path) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                paths.extend(listing(&path));
            }
            paths.push(path);
        }
        paths
    }

    #[test]
    fn a_copy_is_the_same_suite() {
        let place = tempfile::tempdir().unwrap();
        for folder in ["new", "deep/er/new", "."] {
            let folder = place.path().join("x").join(folder);
            fs::create_dir_all(place.path().join("x")).unwrap();
            let exported = exported(&folder, false).unwrap();
            let copy = Suite::in_folder(&folder).unwrap();
            let (copied, original) = (copy.files().unwrap(), Suite::Embedded.files().unwrap());
            assert_eq!(exported.scenarios, original.len());
            assert!(exported.snapshots > 0);
            for (copied, original) in copied.iter().zip(&original) {
                assert_eq!(
                    (&copied.name, &copied.text),
                    (&original.name, &original.text)
                );
                let name = &copied.name;
                let snapshots = [&copy, &Suite::Embedded].map(|suite| suite.snapshot(name));
                let [copied, original] = snapshots.map(Result::unwrap);
                assert_eq!(copied, original);
            }
            fs::remove_dir_all(place.path().join("x")).unwrap();
        }
    }

    #[test]
    fn what_is_there_is_kept() {
        let place = tempfile::tempdir().unwrap();
        let own = place.path().join("scenarios/own/mine.yaml");
        fs::create_dir_all(own.parent().unwrap()).unwrap();
        fs::write(&own, "mine").unwrap();
        assert!(matches!(
            exported(place.path(), false),
            Err(ExportError::NotEmpty(_))
        ));
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
        exported(place.path(), true).unwrap();
        assert_eq!(fs::read_to_string(&own).unwrap(), "mine");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2, "no staging");
    }

    #[test]
    fn a_file_in_the_way_leaves_nothing_half_written() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(
            exported(&file, true),
            Err(ExportError::NotFolder(_))
        ));
        assert!(exported(&file.join("below"), false).is_err());
        assert_eq!(listing(place.path()), [file]);

        // The first scenario is moved before the snapshots fail.
        let folder = place.path().join("folder");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("snapshots"), "in the way").unwrap();
        let told = exported(&folder, true).unwrap_err().to_string();
        assert!(told.contains("folder/snapshots"), "{told}");
        let left = listing(&folder);
        assert!(
            left.iter().all(|path| path.extension().is_none()),
            "{left:?}"
        );
    }
}

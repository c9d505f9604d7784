//! Plain files and directories of a scenario.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};

use crate::driver::DriverError;
use crate::model::Size;

/// Makes a directory; nothing of that name may be there.
pub(super) fn make_directory(path: &str) -> Result<(), DriverError> {
    fs::create_dir(path).map_err(|error| failed("make directory", path, &error))
}

/// Removes an empty directory.
pub(super) fn remove_directory(path: &str) -> Result<(), DriverError> {
    fs::remove_dir(path).map_err(|error| failed("remove directory", path, &error))
}

/// Makes an empty file; nothing of that name may be there.
pub(super) fn make_file(path: &str) -> Result<(), DriverError> {
    let made = fs::File::create_new(path);
    made.map_err(|error| failed("make file", path, &error))?;
    Ok(())
}

/// Removes a file, or a socket.
pub(super) fn remove_file(path: &str) -> Result<(), DriverError> {
    fs::remove_file(path).map_err(|error| failed("remove file", path, &error))
}

/// Those of the files that are there; a link that leads nowhere counts, as it is in the way.
pub(super) fn find(paths: &[String]) -> Vec<String> {
    let there = paths
        .iter()
        .filter(|path| fs::symlink_metadata(path).is_ok());
    there.cloned().collect()
}

/// The names in a directory, sorted.
pub(super) fn list(directory: &str) -> Result<Vec<String>, DriverError> {
    let unreadable = |error| DriverError::Failed(format!("cannot list {directory}: {error}"));
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        names.push(name.to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Copies a file; nothing of the copy's name may be there.
pub(super) fn copy(path: &str, copy: &str) -> Result<(), DriverError> {
    if fs::symlink_metadata(copy).is_ok() {
        return Err(failed(
            "copy to",
            copy,
            &io::ErrorKind::AlreadyExists.into(),
        ));
    }
    fs::copy(path, copy).map_err(|error| failed("copy", path, &error))?;
    Ok(())
}

/// Puts a copy of `copy` in the place of `path`.
pub(super) fn put_copy(copy: &str, path: &str) -> Result<(), DriverError> {
    let bytes = fs::read(copy).map_err(|error| failed("read", copy, &error))?;
    replace(path, &bytes)
}

/// Puts other bytes in the place of a file, in one go. Owner and permissions stay.
pub(super) fn replace(path: &str, bytes: &[u8]) -> Result<(), DriverError> {
    let new = format!("{path}.new");
    let put = || -> io::Result<()> {
        let old = fs::metadata(path)?;
        fs::write(&new, bytes)?;
        fs::set_permissions(&new, old.permissions())?;
        let now = fs::metadata(&new)?;
        if (now.uid(), now.gid()) != (old.uid(), old.gid()) {
            chown(&new, Some(old.uid()), Some(old.gid()))?;
        }
        fs::rename(&new, path)
    };
    put().map_err(|error| {
        let _nothing_to_remove = fs::remove_file(&new);
        failed("replace", path, &error)
    })
}

/// Cuts the end of a file off.
pub(super) fn truncate(path: &str, by: Size) -> Result<(), DriverError> {
    let cut = || -> io::Result<()> {
        let file = fs::OpenOptions::new().write(true).open(path)?;
        let length = file.metadata()?.len().checked_sub(by.bytes());
        file.set_len(length.ok_or(io::ErrorKind::InvalidInput)?)
    };
    cut().map_err(|error| failed("truncate", path, &error))
}

fn failed(what: &str, path: &str, error: &io::Error) -> DriverError {
    DriverError::Failed(format!("cannot {what} {path}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_replaced_and_nothing_full_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name).to_string_lossy().into_owned();
        make_directory(&path("d")).unwrap();
        make_file(&path("d/f")).unwrap();
        fs::write(path("d/f"), "kept").unwrap();
        for refused in [
            make_directory(&path("d")),
            make_file(&path("d/f")),
            make_file(&path("d")),
            make_file(&path("none/f")),
            remove_directory(&path("d")),
            remove_directory(&path("d/f")),
            remove_file(&path("d")),
            remove_file(&path("none")),
        ] {
            let message = refused.unwrap_err().to_string();
            assert!(message.contains(&path("")), "{message}");
        }
        assert_eq!(fs::read_to_string(path("d/f")).unwrap(), "kept");
        assert_eq!(list(&path("d")).unwrap(), ["f"]);
        remove_file(&path("d/f")).unwrap();
        remove_directory(&path("d")).unwrap();
        assert_eq!(list(&path("")).unwrap(), [""; 0]);
    }
}

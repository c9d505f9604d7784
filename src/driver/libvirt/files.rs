//! Plain files and directories of a scenario.

use std::fs;
use std::io;

use crate::driver::DriverError;

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

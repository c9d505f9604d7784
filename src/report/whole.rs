//! A file that is there as a whole, or as it was before.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// Keeps what is written, and puts it in the place of a file when it is flushed.
#[derive(Debug)]
pub struct WholeFile {
    target: Target,
    text: Vec<u8>,
}

#[derive(Debug)]
enum Target {
    /// A file to replace.
    File(PathBuf),
    /// A device or a pipe, which must not be replaced.
    Stream(File),
}

impl WholeFile {
    /// For the file at `path`, which is not touched yet.
    ///
    /// # Errors
    /// No file can be written there.
    pub fn at(path: &Path) -> io::Result<Self> {
        let target = match fs::metadata(path) {
            // A link stays, and what it points at is replaced.
            Ok(found) if found.is_file() => Target::File(fs::canonicalize(path)?),
            Ok(_) => Target::Stream(File::options().write(true).open(path)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Target::File(path.to_owned()),
            Err(error) => return Err(error),
        };
        if let Target::File(path) = &target {
            // Whether it can be done is to be known now, not after the run.
            sibling(path)?;
        }
        Ok(Self {
            target,
            text: Vec::new(),
        })
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.target {
            Target::File(path) => {
                let mut file = sibling(path)?;
                file.write_all(&self.text)?;
                file.as_file().sync_all()?;
                file.persist(path).map_err(|error| error.error)?;
            }
            Target::Stream(stream) => {
                stream.write_all(&self.text)?;
                stream.flush()?;
            }
        }
        Ok(())
    }
}

/// A temporary file beside `path`, readable as the user's other files are.
fn sibling(path: &Path) -> io::Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    };
    let mut builder = Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // What the user's mask forbids stays forbidden.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder).map_err(without_path)
}

/// The name of a temporary file tells a user nothing.
fn without_path(error: io::Error) -> io::Error {
    let text = error.to_string();
    match text.split_once(" at path ") {
        Some((reason, _)) => io::Error::new(error.kind(), reason),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_there_before_all_of_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.xml");
        fs::write(&path, "old").unwrap();
        let mut file = WholeFile::at(&path).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        file.flush().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_place_without_a_folder_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        assert!(WholeFile::at(&folder.path().join("no/report.xml")).is_err());
        assert!(WholeFile::at(folder.path()).is_err(), "a folder");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_is_written_to_and_stays() {
        let mut file = WholeFile::at(Path::new("/dev/full")).unwrap();
        file.write_all(b"x").unwrap();
        assert!(file.flush().is_err());
        assert!(!fs::metadata("/dev/full").unwrap().is_file());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&path, "old").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let mut file = WholeFile::at(&link).unwrap();
        file.write_all(b"new").unwrap();
        file.flush().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}

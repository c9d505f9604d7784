//! File systems of limited size, mounted where nobody but the worker and its domains sees them: in
//! the mount namespace that ends with them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::driver::DriverError;
use crate::model::Size;

/// Name of the file that takes the space.
const FILLER: &str = ".filler";

/// The file systems that a scenario has mounted.
#[derive(Debug, Default)]
pub(super) struct Mounted {
    /// Nobody else sees what is mounted, and nothing stays when the worker is killed.
    is_own: bool,
    paths: Vec<String>,
}

impl Mounted {
    /// None yet; those that are to come are the worker's alone, or are refused.
    pub(super) const fn none(is_own: bool) -> Self {
        Self {
            is_own,
            paths: Vec::new(),
        }
    }

    /// Takes up what an earlier process has mounted.
    pub(super) fn go_on(&mut self, paths: Vec<String>) {
        self.paths = paths;
    }

    /// The directories that they are mounted on.
    pub(super) fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Mounts a file system in memory on a new directory.
    pub(super) fn mount(&mut self, path: &str, size: Size) -> Result<(), DriverError> {
        if !self.is_own {
            let text = "a file system that everybody would see is not mounted: it takes a mount \
                        namespace and a private daemon";
            return Err(DriverError::Failed(text.to_owned()));
        }
        let options = format!("size={},mode=755", size.bytes());
        let mounted = || -> io::Result<()> {
            fs::create_dir(path)?;
            let none: Option<&str> = None;
            let flags = MsFlags::empty();
            mount(none, path, Some("tmpfs"), flags, Some(options.as_str()))?;
            Ok(())
        };
        mounted().map_err(|error| failed("mount", path, &error))?;
        self.paths.push(path.to_owned());
        Ok(())
    }

    /// Unmounts all, at once for who looks and in the end for who has a file open.
    pub(super) fn clear(&mut self) -> Result<(), DriverError> {
        for path in self.paths.drain(..) {
            umount2(path.as_str(), MntFlags::MNT_DETACH)
                .map_err(|error| failed("unmount", &path, &error.into()))?;
        }
        Ok(())
    }
}

/// Fills a file system up to its last byte.
pub(super) fn fill(path: &str) -> Result<(), DriverError> {
    const PAGE: [u8; 4096] = [0xFF; 4096];
    let filled = || -> io::Result<()> {
        let mut filler = File::create_new(Path::new(path).join(FILLER))?;
        loop {
            match filler.write_all(&PAGE) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    };
    filled().map_err(|error| failed("fill", path, &error))
}

/// Gives a file system that was filled its space back.
pub(super) fn free(path: &str) -> Result<(), DriverError> {
    let filler = Path::new(path).join(FILLER);
    fs::remove_file(filler).map_err(|error| failed("free", path, &error))
}

fn failed(what: &str, path: &str, error: &io::Error) -> DriverError {
    DriverError::Failed(format!("cannot {what} {path}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_mounted_where_others_would_see_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("small");
        let mut mounted = Mounted::none(false);
        let error = mounted.mount(&path.to_string_lossy(), Size(1 << 20));
        assert!(error.unwrap_err().to_string().contains("everybody"));
        assert!(!path.exists());
    }
}

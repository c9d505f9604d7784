//! File systems of limited size. Nobody counts their bytes but for two questions: whether one is
//! full, and whether a backup is larger than all of it.

use super::host::impossible;
use super::{Impossible, World};
use crate::model::Size;

/// Bytes that images may need beside their data.
const METADATA: u64 = 1 << 20;

/// A file system that is mounted on a directory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FileSystem {
    /// How many bytes it holds.
    pub size: Size,
    /// No byte of it is free.
    pub is_full: bool,
}

impl World {
    /// Mounts a file system on a new directory.
    pub fn mount(&mut self, path: &str, size: Size) -> Result<(), Impossible> {
        self.make_directory(path)?;
        let mounted = FileSystem {
            size,
            is_full: false,
        };
        self.file_systems.insert(path.to_owned(), mounted);
        Ok(())
    }

    /// Fills a file system, or gives it its space back.
    pub fn fill(&mut self, path: &str, is_full: bool) -> Result<(), Impossible> {
        match self.file_systems.get_mut(path) {
            Some(found) if found.is_full != is_full => {
                found.is_full = is_full;
                Ok(())
            }
            Some(_) => impossible(format!("filling {path} twice, or giving it back")),
            None => impossible(format!("filling {path}, which is no file system")),
        }
    }

    /// The file system of limited size that a file lies in.
    #[must_use]
    pub fn file_system_of(&self, path: &str) -> Option<FileSystem> {
        let (parent, _) = path.rsplit_once('/')?;
        self.file_systems.get(parent).copied()
    }

    /// Whether so many bytes more have room in a file. What is about as large as the room that is left
    /// may or may not fit.
    pub(super) fn has_room(&self, path: &str, bytes: Size) -> Result<bool, Impossible> {
        let Some(found) = self.file_system_of(path) else {
            return Ok(true);
        };
        let total = bytes.bytes() + self.used(path);
        if bytes.bytes() == 0 || total + METADATA < found.size.bytes() && !found.is_full {
            return Ok(true);
        }
        if found.is_full || total > found.size.bytes() {
            return Ok(false);
        }
        impossible(format!("{bytes} more in a file system of {}", found.size))
    }

    /// The bytes that the images beside a file hold.
    fn used(&self, path: &str) -> u64 {
        let directory = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let held = |name| self.image(&format!("{directory}/{name}"));
        let images = self.names_in(directory).filter_map(held);
        images.map(|image| image.allocated.bytes().bytes()).sum()
    }

    /// The guest writes to a disk in a pull backup whose scratch file cannot grow: QEMU cannot keep what
    /// was there before, and refuses the write (QEMU `block/copy-before-write.c:cbw_do_copy_before_write`).
    pub fn fail_guest_write(&self, name: &str, disk: &str, length: Size) -> Result<(), Impossible> {
        let active = self
            .domains
            .get(name)
            .and_then(|domain| domain.active.as_ref());
        let job = active.and_then(|active| active.job.as_ref());
        let part = job.and_then(|job| job.disks.iter().find(|part| part.disk == disk));
        match part {
            Some(part) if !self.has_room(&part.store, length)? => Ok(()),
            _ => impossible(format!("a guest write to {disk} that fails")),
        }
    }
}

//! The files of a backup: what libvirt makes of them, and what QEMU says when it opens them.

use super::align::Selected;
use crate::driver::mock::Mock;
use crate::driver::mock::answer::{Ruled, not_modelled, refuse, refuse_monitor, refuse_system};
use crate::model::{Call, DiskFormat, ErrorCode, ErrorDomain, Size, flags};
use crate::world::{Errno, File, JobDisk};

impl Mock {
    /// `qemu_backup.c:qemuBackupDiskPrepareOneStorage`, disk by disk.
    pub(super) fn stores(&self, call: &Call, selected: &[Selected]) -> Ruled<Vec<String>> {
        let is_given = call.flags & flags::BACKUP_BEGIN_REUSE_EXTERNAL != 0;
        let mut stores: Vec<String> = Vec::new();
        for disk in selected {
            if disk.store.is_none() && disk.is_listed && !self.rules.names_file_of_listed {
                let text = "argument key 'filename' must not have null value";
                return refuse(ErrorCode::INTERNAL_ERROR, ErrorDomain::NONE, text);
            }
            let Some(path) = &disk.store else {
                return not_modelled("a backup file whose name libvirt makes up from the clock");
            };
            if !self.is_in_directory(path) {
                return not_modelled("a backup file outside the scenario's directory");
            }
            if is_given || disk.is_block {
                self.open_store(disk, path)?;
                if stores.contains(path) {
                    return not_modelled("a given file for two disks");
                }
            } else {
                self.make_store(disk, path, &stores)?;
            }
            stores.push(path.clone());
        }
        Ok(stores)
    }

    /// libvirt makes the file, and QEMU formats it.
    fn make_store(&self, disk: &Selected, path: &String, made: &[String]) -> Ruled<()> {
        if self.world.files.contains_key(path) || made.contains(path) {
            let text = format!("store '{path}' for backup of '{}' exists", disk.target);
            return refuse(ErrorCode::INVALID_ARG, ErrorDomain::QEMU, &text);
        }
        let file_system = self.world.file_system_of(path);
        if file_system.is_some_and(|found| found.is_full) {
            if disk.format != DiskFormat::Qcow2 {
                return not_modelled("a raw target in a full file system");
            }
            let text = "failed to format image: 'Could not write qcow2 header: No space left on \
                        device'";
            return refuse(ErrorCode::OPERATION_FAILED, ErrorDomain::QEMU, text);
        }
        match self.world.no_place(path) {
            Some(errno) => refuse_system(errno, &format!("failed to create image file '{path}'")),
            None => Ok(()),
        }
    }

    /// libvirt makes nothing, and QEMU opens what is there.
    fn open_store(&self, disk: &Selected, path: &str) -> Ruled<()> {
        let Some(found) = self.world.files.get(path) else {
            let text = self.world.no_place(path).unwrap_or(Errno::NoEntry).text();
            let reason = format!("Could not open '{path}': {text}");
            return refuse_monitor("blockdev-add", &reason);
        };
        let format = match found {
            File::Image(image) => image.format,
            File::Plain => DiskFormat::Raw,
            File::Directory | File::Socket => {
                return not_modelled("a backup into something that is no file");
            }
        };
        if disk.is_block {
            return not_modelled("a backup onto a block device");
        }
        let fits = disk.format == DiskFormat::Raw || disk.format == format;
        match (self.world.is_open(path), fits) {
            (false, true) => Ok(()),
            (false, false) => refuse_monitor("blockdev-add", "Image is not in qcow2 format"),
            (true, true) => refuse_monitor("blockdev-add", "Failed to get \"write\" lock"),
            (true, false) => not_modelled("a backup into an open image of another format"),
        }
    }

    /// The virtual size of a store; `None` where it is none. What libvirt will make has the size
    /// of the disk.
    pub(super) fn size_of(&self, disk: &JobDisk) -> Option<Size> {
        if !disk.is_given {
            return Some(disk.content.size());
        }
        match self.world.files.get(&disk.store)? {
            File::Image(image) => Some(image.content.size()),
            File::Plain => Some(Size(0)),
            File::Directory | File::Socket => None,
        }
    }
}

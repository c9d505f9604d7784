//! What changes about a domain's disks while it is active, and its libvirt.

use std::collections::BTreeMap;

use super::host::{defined, impossible};
use super::{Bitmaps, Disk, Impossible, MadeUp, Standing, World};
use crate::model::{DiskFormat, Size};

impl World {
    /// The disk of an active domain gets another size. Bitmaps follow; what is new in them is clean
    /// (QEMU `block/dirty-bitmap.c:bdrv_dirty_bitmap_truncate`).
    pub fn resize_disk(&mut self, name: &str, index: usize, size: Size) -> Result<(), Impossible> {
        let domain = defined(&mut self.domains, name)?;
        let source = domain.disks[index].source.clone();
        let Some(active) = &mut domain.active else {
            return impossible(format!("resizing a disk of {name}, which is not active"));
        };
        let top = active.bitmaps[index].first_mut().into_iter();
        for bitmap in top.flat_map(Bitmaps::values_mut) {
            bitmap.dirty = bitmap.dirty.resized(size);
        }
        let Some(image) = self.image_mut(&source) else {
            return impossible(format!("resizing the removed image {source}"));
        };
        *image = image.resized(size);
        Ok(())
    }

    /// A disk comes to an active domain: QEMU opens its image and loads its bitmaps.
    pub fn attach_disk(&mut self, name: &str, disk: Disk) -> Result<(), Impossible> {
        self.require_closed(&disk.source)?;
        let image = self.image(&disk.source);
        if image.is_none_or(|image| image.format != disk.format) {
            let source = &disk.source;
            return impossible(format!("attaching {source}, which is no such image"));
        }
        self.open_images(std::slice::from_ref(&disk))
            .map_err(Impossible)?;
        let bitmaps = self.load_bitmaps(std::slice::from_ref(&disk))?;
        let domain = defined(&mut self.domains, name)?;
        let behind = |other: &Disk| other.target > disk.target;
        let place = domain.disks.iter().position(behind);
        let place = place.unwrap_or(domain.disks.len());
        domain.disks.insert(place, disk);
        let Some(active) = &mut domain.active else {
            return impossible(format!("attaching a disk to {name}, which is not active"));
        };
        let node = active.take_node();
        active.nodes.insert(place, node);
        active
            .bitmaps
            .insert(place, bitmaps.into_iter().flatten().collect());
        active.renumber(|index| if index >= place { index + 1 } else { index });
        Ok(())
    }

    /// A disk leaves an active domain: QEMU closes its image, and the bitmaps reach it.
    pub fn detach_disk(&mut self, name: &str, index: usize) -> Result<(), Impossible> {
        let domain = defined(&mut self.domains, name)?;
        let disk = domain.disks.remove(index);
        let Some(active) = &mut domain.active else {
            return impossible(format!("detaching a disk of {name}, which is not active"));
        };
        active.nodes.remove(index);
        active.below.remove(&index);
        let layers = active.bitmaps.remove(index);
        active.renumber(|other| if other > index { other - 1 } else { other });
        if layers.len() > 1 {
            return impossible("detaching a disk of several layers");
        }
        let is_closed = !active.inactive_images && disk.format == DiskFormat::Qcow2;
        if is_closed {
            let top = layers.into_iter().next().unwrap_or_default();
            self.close_image(&disk.source, top)?;
        }
        Ok(())
    }

    /// libvirt ends and comes back: QEMU goes on, and so does a backup that libvirt has noted with
    /// the domain. What it has told nobody about earlier jobs is lost, and so are events
    /// (`src/qemu/qemu_process.c:qemuProcessReconnect`).
    pub fn restart_daemon(&mut self) -> Result<(), Impossible> {
        for (name, domain) in &mut self.domains {
            domain.ended_job = None;
            let Some(active) = &mut domain.active else {
                continue;
            };
            let job = active.job.as_ref();
            if job.is_some_and(|job| job.standing != Standing::Job) {
                return impossible("a restart of libvirt while an orphaned backup runs");
            }
            if job.is_some_and(|job| job.server.is_none()) {
                return impossible("a restart of libvirt while a push backup runs");
            }
            if !active.mirrors.is_empty() || active.inactive_images {
                return impossible(format!("a restart of libvirt with {name} in this state"));
            }
            if let Some(job) = &mut active.job
                && job.names == MadeUp::InMemory
            {
                job.names = MadeUp::Lost;
            }
        }
        self.events = BTreeMap::new();
        Ok(())
    }
}

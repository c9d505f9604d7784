//! Copy jobs: a disk's data goes to another image, which may take the disk's place.

use super::host::{defined, impossible};
use super::{Bitmap, File, Image, Impossible, World};
use crate::model::DiskFormat;

/// A running copy job of one disk.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mirror {
    /// Absolute path of the copy.
    pub copy: String,
    /// Format of the copy.
    pub format: DiskFormat,
    /// The number in the copy's node name.
    pub node: u32,
    /// True once somebody has waited for it: the copy is whole then.
    pub ready: bool,
    /// False once the guest has written to the disk.
    pub is_idle: bool,
}

impl World {
    /// Starts a copy of a disk into a new image (`src/qemu/qemu_driver.c:qemuDomainBlockCopyCommon`).
    pub fn begin_copy(
        &mut self,
        name: &str,
        index: usize,
        copy: &str,
        format: DiskFormat,
    ) -> Result<(), Impossible> {
        let domain = defined(&mut self.domains, name)?;
        let source = domain.disks[index].source.clone();
        let Some(size) = self.image(&source).map(|image| image.content.size()) else {
            return impossible(format!("copying the removed image {source}"));
        };
        self.create_image(copy, format, size)?;
        let Some(active) = &mut defined(&mut self.domains, name)?.active else {
            return impossible("a copy of an inactive domain's disk");
        };
        let node = active.take_node();
        let mirror = Mirror {
            copy: copy.to_owned(),
            format,
            node,
            ready: false,
            is_idle: true,
        };
        active.mirrors.insert(index, mirror);
        Ok(())
    }

    /// Waits until a disk's copy job is ready.
    pub fn await_copy(&mut self, name: &str, disk: &str) -> Result<(), Impossible> {
        let domain = defined(&mut self.domains, name)?;
        let (Some(index), Some(active)) = (domain.disk_index(disk), &mut domain.active) else {
            return impossible(format!("waiting for a block job of {disk}"));
        };
        if let Some(mirror) = active.mirrors.get_mut(&index) {
            mirror.ready = true;
            return Ok(());
        }
        if active
            .job
            .iter()
            .any(|job| job.disks.iter().any(|part| part.index == index))
        {
            return impossible(format!("waiting for the block job of a backup of {disk}"));
        }
        Ok(())
    }

    /// Ends a copy job: the copy stays as it is, and the disk where it was.
    pub fn abort_copy(&mut self, name: &str, index: usize) -> Result<(), Impossible> {
        let domain = defined(&mut self.domains, name)?;
        let source = domain.disks[index].source.clone();
        let mirror = domain
            .active
            .as_mut()
            .and_then(|active| active.mirrors.remove(&index));
        let Some(mirror) = mirror else {
            return impossible("aborting a copy job that is none");
        };
        self.fill_copy(&source, &mirror)
    }

    /// Ends a copy job by changing over to the copy. The disk's bitmaps go along, if the copy
    /// can hold them (`src/qemu/qemu_block.c:qemuBlockBitmapsHandleBlockcopy`); the old image is
    /// closed.
    pub fn pivot(&mut self, name: &str, index: usize) -> Result<(), Impossible> {
        let domain = defined(&mut self.domains, name)?;
        let source = domain.disks[index].source.clone();
        let Some(active) = &mut domain.active else {
            return impossible("changing over a disk of an inactive domain");
        };
        let Some(mirror) = active.mirrors.remove(&index) else {
            return impossible("changing over to a copy that is not made");
        };
        let old: Vec<_> = active.bitmaps[index].drain(..).collect();
        let [memory] = old.as_slice() else {
            return impossible("changing over a disk of more than one layer");
        };
        let goes_along = |(_, bitmap): &(&String, &Bitmap)| {
            mirror.format == DiskFormat::Qcow2 && bitmap.is_usable()
        };
        let moved = memory.iter().filter(goes_along);
        let moved = moved.map(|(name, bitmap)| (name.clone(), bitmap.clone()));
        active.bitmaps[index] = vec![moved.collect()];
        active.nodes[index] = mirror.node;
        domain.disks[index].source.clone_from(&mirror.copy);
        domain.disks[index].format = mirror.format;
        self.fill_copy(&source, &mirror)?;
        self.close_image(&source, memory.clone())
    }

    /// A copy holds what its disk holds, as long as the job runs.
    fn fill_copy(&mut self, source: &str, mirror: &Mirror) -> Result<(), Impossible> {
        let Some(content) = self.image(source).map(|image| image.content.clone()) else {
            return impossible(format!("copying the removed image {source}"));
        };
        let mut copy = Image::empty(mirror.format, content.size());
        copy.copy_from(&content, 0, content.size().bytes());
        self.files.insert(mirror.copy.clone(), File::Image(copy));
        Ok(())
    }
}

//! The block jobs of single disks: a disk's data goes to another image or between its layers, and
//! the disk may then have other layers.

use super::host::{defined, impossible};
use super::merge::{left_by_pivot, merged};
use super::{Active, Extents, File, Image, Impossible, World};
use crate::model::{DiskFormat, ImageRef};

/// A running block job of one disk.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mirror {
    /// What it does.
    pub work: Work,
    /// True once somebody has waited for it: nothing is left to be copied then.
    pub ready: bool,
    /// False once the guest has written to the disk.
    pub is_idle: bool,
}

/// What a block job of one disk does. Layers count from the top one, 0.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Work {
    /// Copies the disk to another image until it is told to end.
    Copy {
        /// The copy.
        copy: ImageRef,
        /// The number in the copy's node name.
        node: u32,
        /// Only the top layer is copied; the copy lies on what that lies on.
        shallow: bool,
    },
    /// Writes layers into one below them. From the top layer it goes on until it is told to end.
    Commit {
        /// The uppermost of them.
        top: usize,
        /// The layer that they are written into.
        base: usize,
    },
    /// Reads layers into the top one.
    Pull {
        /// The layer that stays; `None` where all are read.
        base: Option<usize>,
    },
}

impl Mirror {
    /// A job that begins.
    #[must_use]
    pub const fn new(work: Work) -> Self {
        Self {
            work,
            ready: false,
            is_idle: true,
        }
    }

    /// Absolute path of the copy.
    pub(super) fn copy(&self) -> Option<&str> {
        match &self.work {
            Work::Copy { copy, .. } => Some(&copy.path),
            Work::Commit { .. } | Work::Pull { .. } => None,
        }
    }

    /// Whether it goes on until it is told to end.
    const fn stays(&self) -> bool {
        matches!(self.work, Work::Copy { .. } | Work::Commit { top: 0, .. })
    }
}

impl World {
    /// Starts a block job (`src/qemu/qemu_driver.c:qemuDomainBlockCopyCommon`, `qemuDomainBlockCommit`,
    /// `qemuDomainBlockPullCommon`). A copy goes into a new image.
    pub fn begin_block_job(
        &mut self,
        name: &str,
        index: usize,
        work: Work,
    ) -> Result<(), Impossible> {
        if let Work::Copy { copy, shallow, .. } = &work {
            let source = defined(&mut self.domains, name)?.disks[index]
                .source
                .clone();
            let Some(image) = self.image(&source) else {
                return impossible(format!("copying the removed image {source}"));
            };
            let (size, backing) = (image.content.size(), image.backing.clone());
            self.create_image(&copy.path, copy.format, size)?;
            if let Some(copy) = self.image_mut(&copy.path) {
                copy.backing = backing.filter(|_| *shallow);
            }
        }
        let mirrors = &mut active_of(self, name)?.mirrors;
        mirrors.insert(index, Mirror::new(work));
        Ok(())
    }

    /// Waits until a disk's block job is ready, or has ended.
    pub fn await_block_job(&mut self, name: &str, disk: &str) -> Result<(), Impossible> {
        let domain = defined(&mut self.domains, name)?;
        let (Some(index), Some(active)) = (domain.disk_index(disk), &mut domain.active) else {
            return impossible(format!("waiting for a block job of {disk}"));
        };
        match active.mirrors.get_mut(&index) {
            Some(mirror) if mirror.stays() => {
                mirror.ready = true;
                if let Work::Commit { top, base } = mirror.work {
                    self.mark_committed(name, index, (top, base))?;
                }
            }
            Some(mirror) => {
                let work = mirror.work.clone();
                active.mirrors.remove(&index);
                self.finish(name, index, &work)?;
            }
            None => {
                let mut parts = active.job.iter().flat_map(|job| &job.disks);
                if parts.any(|part| part.index == index) {
                    return impossible(format!("waiting for the block job of a backup of {disk}"));
                }
            }
        }
        Ok(())
    }

    /// Ends a copy job: the copy stays as it is, and the disk where it was.
    pub fn abort_block_job(&mut self, name: &str, index: usize) -> Result<(), Impossible> {
        let source = defined(&mut self.domains, name)?.disks[index]
            .source
            .clone();
        let mirror = active_of(self, name)?.mirrors.remove(&index);
        match mirror.map(|mirror| mirror.work) {
            Some(Work::Copy { copy, shallow, .. }) => self.fill_copy(&source, &copy, shallow),
            // What was written into the layer below is what the disk reads there anyway.
            Some(Work::Commit { top: 0, .. }) => Ok(()),
            Some(Work::Commit { .. } | Work::Pull { .. }) | None => {
                impossible("aborting a block job that may have ended")
            }
        }
    }

    /// Ends a job by changing over: to the copy, or to the layer that the upper ones were written into.
    pub fn pivot(&mut self, name: &str, index: usize) -> Result<(), Impossible> {
        match active_of(self, name)?.mirrors.remove(&index) {
            Some(mirror) if mirror.stays() => self.finish(name, index, &mirror.work),
            Some(_) | None => impossible("changing over to something that is not made"),
        }
    }

    fn finish(&mut self, name: &str, index: usize, work: &Work) -> Result<(), Impossible> {
        match work {
            Work::Copy {
                copy,
                node,
                shallow,
            } => self.change_over(name, index, (copy, *node), *shallow),
            Work::Commit { top, base } => self.commit(name, index, (*top, *base)),
            Work::Pull { base } => self.pull(name, index, *base),
        }
    }

    /// The copy takes the disk's place, and the old images are closed. Bitmaps go along, if the copy can
    /// hold them: what all layers that are copied mark of those that can be used
    /// (`src/qemu/qemu_block.c:qemuBlockBitmapsHandleBlockcopy`).
    fn change_over(
        &mut self,
        name: &str,
        index: usize,
        (copy, node): (&ImageRef, u32),
        shallow: bool,
    ) -> Result<(), Impossible> {
        let source = defined(&mut self.domains, name)?.disks[index]
            .source
            .clone();
        self.fill_copy(&source, copy, shallow)?;
        let moves = !self.copies_lose_bitmaps;
        let copy_size = self.image(&copy.path).map(|image| image.content.size());
        let active = active_of(self, name)?;
        let old = std::mem::take(&mut active.bitmaps[index]);
        let copied = if shallow { 1 } else { old.len() };
        let top = if moves && copy.format == DiskFormat::Qcow2 {
            merged(&old, 0..copied, None)
        } else {
            left_by_pivot(copy_size)
        };
        let below = old.iter().skip(copied).cloned();
        active.bitmaps[index] = std::iter::once(top).chain(below).collect();
        if !shallow {
            active.below.remove(&index);
        }
        active.nodes[index] = node;
        let domain = defined(&mut self.domains, name)?;
        domain.disks[index].source.clone_from(&copy.path);
        domain.disks[index].format = copy.format;
        self.close_image(&source, old.into_iter().next().unwrap_or_default())
    }

    /// A copy holds what its disk holds, as long as the job runs.
    fn fill_copy(
        &mut self,
        source: &str,
        copy: &ImageRef,
        shallow: bool,
    ) -> Result<(), Impossible> {
        let (Some(content), Some(image)) = (self.content(source), self.image(source)) else {
            return impossible(format!("copying the removed image {source}"));
        };
        let mut filled = Image::empty(copy.format, content.size());
        let ranges = if shallow {
            filled.backing.clone_from(&image.backing);
            image.allocated.clone()
        } else {
            Extents::all(content.size())
        };
        for (offset, length) in ranges.ranges() {
            filled.copy_from(&content, offset, length);
        }
        self.files.insert(copy.path.clone(), File::Image(filled));
        Ok(())
    }
}

pub(super) fn active_of<'a>(
    world: &'a mut World,
    name: &str,
) -> Result<&'a mut Active, Impossible> {
    let active = defined(&mut world.domains, name)?.active.as_mut();
    active.ok_or_else(|| Impossible(format!("a block job of {name}, which is not active")))
}

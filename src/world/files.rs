//! The files of the simulated host.

use super::host::impossible;
use super::{Domain, Image, Impossible, World};
use crate::model::{DiskFormat, Size};

impl World {
    /// Makes an empty image; a file of that name is replaced.
    pub fn create_image(
        &mut self,
        path: &str,
        format: DiskFormat,
        size: Size,
    ) -> Result<(), Impossible> {
        let holds = |domain: &Domain| {
            domain.active.is_some() && domain.disks.iter().any(|disk| disk.source == path)
        };
        if self.domains.values().any(holds) {
            return impossible(format!("creating {path} while a domain has it open"));
        }
        self.images
            .insert(path.to_owned(), Image::empty(format, size));
        Ok(())
    }
}

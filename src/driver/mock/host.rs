//! The mock's host: actions on the simulated files and disks.

use super::Mock;
use crate::model::{Action, BitmapTable, ImageRef, Observation};
use crate::world::{Image, Impossible};

impl Mock {
    pub(super) fn observe(&mut self, action: &Action) -> Result<Observation, Impossible> {
        match action {
            Action::CreateImage { image, size } => {
                self.world.create_image(&image.path, image.format, *size)?;
                Ok(Observation::Done)
            }
            Action::GuestWrite {
                domain,
                disk,
                offset,
                length,
                pattern,
            } => {
                self.world
                    .guest_write(domain, disk, offset.bytes(), length.bytes(), *pattern)?;
                Ok(Observation::Done)
            }
            Action::LiveBitmaps { domain } => {
                self.world.live_bitmaps(domain).map(Observation::Bitmaps)
            }
            Action::StoredBitmaps { disks } => {
                let rows = |(disk, image): &(String, ImageRef)| {
                    self.world.stored_bitmaps(disk, &image.path)
                };
                let rows: Result<Vec<_>, _> = disks.iter().map(rows).collect();
                Ok(Observation::Bitmaps(BitmapTable::of(rows?.concat())))
            }
            Action::AwaitBackup { domain, disks: _ } => {
                self.world.finish_backup(domain).map(Observation::Events)
            }
            Action::ReadChain { layers } => {
                let image = |layer: &ImageRef| {
                    self.world
                        .images
                        .get(&layer.path)
                        .filter(|image| image.format == layer.format)
                };
                let images: Option<Vec<&Image>> = layers.iter().map(image).collect();
                let content = images.as_deref().and_then(Image::read_chain);
                let missing = || {
                    Impossible("reading an image that is missing or of another format".to_owned())
                };
                content.map(Observation::Content).ok_or_else(missing)
            }
            // Nothing in the world leaks or shares clusters.
            Action::CheckImage { image } => match self.world.images.get(&image.path) {
                Some(_) => Ok(Observation::Check(None)),
                None => Err(Impossible(format!(
                    "checking the missing image {}",
                    image.path
                ))),
            },
            Action::KillEmulator { .. }
            | Action::ChangeBitmap { .. }
            | Action::StartNbdServer { .. }
            | Action::StopNbdServer { .. }
            | Action::ReadExport { .. }
            | Action::AwaitBlockJob { .. }
            | Action::ProbeServer { .. }
            | Action::MakeDirectory { .. }
            | Action::RemoveDirectory { .. }
            | Action::MakeFile { .. }
            | Action::RemoveFile { .. }
            | Action::OccupyPort { .. }
            | Action::ReleasePort { .. } => {
                Err(Impossible(format!("not executed yet: {action:?}")))
            }
            Action::ListFiles { directory } => {
                let name = |path: &String| {
                    Some(path.strip_prefix(directory)?.strip_prefix('/')?.to_owned())
                };
                Ok(Observation::Files(
                    self.world.images.keys().filter_map(name).collect(),
                ))
            }
        }
    }
}

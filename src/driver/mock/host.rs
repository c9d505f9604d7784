//! The mock's host: actions on the simulated files and disks.

use std::collections::BTreeMap;

use super::Mock;
use crate::model::{Action, BitmapTable, Content, DiskFormat, ImageRef, Observation};
use crate::world::{Image, Impossible};

impl Mock {
    #[expect(clippy::too_many_lines, reason = "one arm for each action")]
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
            Action::DiskFormats { domain } => {
                let found = self.world.domains.get(domain).into_iter();
                let disks = found.flat_map(|domain| &domain.disks);
                let formats = disks.map(|disk| (disk.target.clone(), disk.format));
                Ok(Observation::Formats(formats.collect()))
            }
            Action::StoredBitmaps { disks } => {
                // Where a disk is given more than one image, they are its layers.
                let mut layers: BTreeMap<&str, u32> = BTreeMap::new();
                let mut rows = Vec::new();
                for (disk, image) in disks {
                    let next = layers.entry(disk).or_default();
                    rows.extend(self.world.stored_bitmaps((disk, *next), &image.path)?);
                    *next += 1;
                }
                Ok(Observation::Bitmaps(BitmapTable::of(rows)))
            }
            Action::AwaitBackup { domain, disks: _ } => {
                self.world.await_backup(domain).map(Observation::Events)
            }
            // Whatever the mock ends has ended.
            Action::SettleBackup { .. } => Ok(Observation::Done),
            Action::ReadChain { layers } => self.read_chain(layers).map(Observation::Content),
            Action::CheckImage { image } => self.check_image(image),
            Action::ListFiles { directory } => {
                let names = self.world.names_in(directory).map(str::to_owned);
                Ok(Observation::Files(names.collect()))
            }
            Action::ProbeServer { server, tls } => {
                // The simulated host has no certificates.
                let no_tls = || tls.then(|| "no certificates".to_owned());
                let reason = self.world.probe(server).or_else(no_tls);
                Ok(Observation::Usable(reason))
            }
            Action::ProbeMetadataStore { domain } => Ok(self.probe_metadata_store(domain)),
            Action::FindFiles { paths } => {
                let there = paths
                    .iter()
                    .filter(|path| self.world.files.contains_key(*path));
                Ok(Observation::Files(there.cloned().collect()))
            }
            Action::ImageVersions { disks } => Ok(self.image_versions(disks)),
            Action::DiskLayers { domain } => self.world.layers(domain).map(Observation::Layers),
            Action::BeginCall { label, call } => self.begin_call(label, call),
            Action::JoinCall { label } => self.join_call(label),
            // They show nothing.
            Action::FailGuestWrite { .. }
            | Action::RemoveMetadata { .. }
            | Action::EditMetadata { .. }
            | Action::RestartDaemon
            | Action::KillDaemon
            | Action::AwaitDetach { .. }
            | Action::PowerOffGuest { .. }
            | Action::MountFileSystem { .. }
            | Action::FillFileSystem { .. }
            | Action::FreeFileSystem { .. }
            | Action::KillEmulator { .. }
            | Action::ChangeBitmap { .. }
            | Action::ChangeLiveBitmap { .. }
            | Action::CreateOverlay { .. }
            | Action::CommitImage { .. }
            | Action::StartNbdServer { .. }
            | Action::StopNbdServer { .. }
            | Action::ReadExport { .. }
            | Action::AwaitBlockJob { .. }
            | Action::MakeDirectory { .. }
            | Action::RemoveDirectory { .. }
            | Action::MakeFile { .. }
            | Action::RemoveFile { .. }
            | Action::OccupyPort { .. }
            | Action::ReleasePort { .. }
            | Action::AmendImage { .. }
            | Action::DamageImage { .. }
            | Action::ResizeImage { .. }
            | Action::ConvertImage { .. }
            | Action::MergeBitmaps { .. }
            | Action::WriteImage { .. }
            | Action::CopyImage { .. }
            | Action::RestoreImage { .. }
            | Action::TruncateImage { .. }
            | Action::CrashImageWriter { .. }
            | Action::BlockMetadataStore { .. }
            | Action::UnblockMetadataStore { .. } => {
                self.disturb(action).map(|()| Observation::Done)
            }
        }
    }

    fn read_chain(&self, layers: &[ImageRef]) -> Result<Content, Impossible> {
        let image = |layer: &ImageRef| self.world.opened(layer);
        let images: Option<Vec<&Image>> = layers.iter().map(image).collect();
        let content = images.as_deref().and_then(Image::read_chain);
        content.ok_or_else(|| {
            Impossible("reading an image that is missing or of another format".to_owned())
        })
    }

    fn probe_metadata_store(&self, domain: &str) -> Observation {
        let found = self.world.domains.get(domain);
        let blocked = found.is_some_and(|domain| domain.metadata_is_blocked);
        Observation::Usable(blocked.then(|| "not a directory".to_owned()))
    }

    fn image_versions(&self, disks: &[(String, ImageRef)]) -> Observation {
        let version = |(disk, image): &(String, ImageRef)| {
            let found = self.world.image(&image.path)?;
            (found.format == DiskFormat::Qcow2).then(|| (disk.clone(), found.version()))
        };
        Observation::Versions(disks.iter().filter_map(version).collect())
    }

    fn check_image(&self, image: &ImageRef) -> Result<Observation, Impossible> {
        let path = &image.path;
        let found = self.world.image(path);
        let found =
            found.ok_or_else(|| Impossible(format!("checking the missing image {path}")))?;
        Ok(Observation::Check(match found.checked() {
            Ok((0, 0)) => None,
            Ok((corruptions, leaks)) => Some(format!(
                "{corruptions} corruptions, {leaks} leaked clusters"
            )),
            Err(reason) => Some(reason),
        }))
    }

    /// The actions that are done and show nothing.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the caller sends the actions that show nothing here"
    )]
    fn disturb(&mut self, action: &Action) -> Result<(), Impossible> {
        let world = &mut self.world;
        match action {
            Action::KillEmulator { domain } => world.kill(domain),
            Action::FailGuestWrite {
                domain,
                disk,
                length,
                ..
            } => world.fail_guest_write(domain, disk, *length),
            Action::PowerOffGuest { domain } => world.stop(domain),
            // It has left with the call.
            Action::AwaitDetach { .. } => Ok(()),
            Action::RestartDaemon | Action::KillDaemon => self.restart(),
            Action::RemoveMetadata { domain, checkpoint } => {
                self.remove_metadata(domain, checkpoint)
            }
            Action::EditMetadata {
                domain,
                checkpoint,
                edits,
            } => self.edit_metadata(domain, checkpoint, edits),
            Action::MountFileSystem { path, size } => world.mount(path, *size),
            Action::FillFileSystem { path } => world.fill(path, true),
            Action::FreeFileSystem { path } => world.fill(path, false),
            Action::ChangeBitmap {
                image,
                bitmap,
                change,
            } => world.change_bitmap(image, bitmap, *change),
            Action::StartNbdServer { domain, server } => {
                world.start_nbd(domain, server)?.map_err(Impossible)
            }
            Action::StopNbdServer { domain } => world.stop_nbd(domain)?.map_err(Impossible),
            Action::ReadExport {
                server,
                export,
                bitmap,
                image,
            } => world.read_export(server, export, bitmap.as_deref(), image),
            Action::AwaitBlockJob { domain, disk } => world.await_block_job(domain, disk),
            Action::MakeDirectory { path } => world.make_directory(path),
            Action::RemoveDirectory { path } => world.remove_directory(path),
            Action::MakeFile { path } => world.make_file(path),
            Action::RemoveFile { path } => world.remove_file(path),
            Action::OccupyPort { port } => world.occupy_port(*port),
            Action::ReleasePort { port } => world.release_port(*port),
            Action::CreateOverlay {
                image,
                backing,
                bitmaps,
            } => world.create_overlay(image, backing, *bitmaps),
            Action::CommitImage { image } => world.commit_image(image),
            Action::ChangeLiveBitmap {
                domain,
                disk,
                layer,
                bitmap,
                change,
            } => world.change_live_bitmap((domain, disk, *layer), bitmap, *change),
            Action::AmendImage { image, compat } => world.amend(image, *compat),
            Action::DamageImage { image, damage } => world.damage(image, damage),
            Action::ResizeImage { image, size } => world.resize_image(image, *size),
            Action::ConvertImage { image, bitmaps } => world.convert_image(image, *bitmaps),
            Action::MergeBitmaps {
                image,
                bitmap,
                from,
            } => world.merge_bitmaps(image, bitmap, from),
            Action::WriteImage {
                image,
                offset,
                length,
                pattern,
            } => world.write_image(image, (*offset, *length), *pattern),
            Action::CopyImage { image, copy } => world.copy_image(image, copy),
            Action::RestoreImage { image, copy } => world.restore_image(image, copy),
            Action::TruncateImage { image, by } => world.truncate_image(image, *by),
            Action::CrashImageWriter { image } => world.crash_writer(image),
            Action::BlockMetadataStore { domain } => world.block_metadata(domain, true),
            Action::UnblockMetadataStore { domain } => world.block_metadata(domain, false),
            other => Err(Impossible(format!("{other:?}"))),
        }
    }
}

//! What a scenario does to the real host, and sees of it, beside libvirt: which module does what.

use std::path::Path;

use super::background::Background;
use super::calls::Session;
use super::file_systems::Mounted;
use super::metadata::MetadataStore;
use super::ports::Occupied;
use super::{bitmaps, content, damage, emulator, file_systems, files, images, jobs, nbd, tools};
use crate::driver::DriverError;
use crate::model::{Action, Observation};

/// What a scenario has taken from the host, until it gives it back or ends.
#[derive(Default)]
pub(super) struct Taken {
    /// The ports that it listens on.
    pub(super) occupied: Occupied,
    /// libvirt's store of checkpoint metadata.
    pub(super) metadata: MetadataStore,
    /// The file systems that it has mounted.
    pub(super) mounted: Mounted,
    /// The calls whose answers are waited for later.
    pub(super) background: Background,
}

/// Does one action; `scratch` is a directory for passing files.
#[expect(clippy::too_many_lines, reason = "one arm for each action")]
pub(super) fn act(
    session: &mut Session,
    taken: &mut Taken,
    scratch: &Path,
    action: &Action,
) -> Result<Observation, DriverError> {
    match action {
        Action::CreateImage { image, size } => done(images::create(image, *size)),
        Action::GuestWrite {
            domain,
            disk,
            offset,
            length,
            pattern,
        } => {
            let domain = session.handle(domain)?;
            let range = (*offset, *length);
            done(emulator::guest_write(&domain, disk, range, *pattern))
        }
        Action::LiveBitmaps { domain } => {
            let domain = session.handle(domain)?;
            let xml = emulator::live_xml(&domain)?;
            let reply = emulator::monitor(&domain, bitmaps::QUERY, 0)?;
            bitmaps::live(&xml, &reply).map(Observation::Bitmaps)
        }
        Action::DiskFormats { domain } => {
            let xml = emulator::live_xml(&session.handle(domain)?)?;
            bitmaps::formats(&xml).map(Observation::Formats)
        }
        Action::DiskLayers { domain } => {
            let xml = emulator::live_xml(&session.handle(domain)?)?;
            images::layers(bitmaps::tops(&xml)?).map(Observation::Layers)
        }
        Action::CreateOverlay {
            image,
            backing,
            bitmaps,
        } => done(images::create_overlay(image, backing, *bitmaps)),
        Action::CommitImage { image } => done(images::commit(image)),
        Action::ChangeLiveBitmap {
            domain,
            disk,
            layer,
            bitmap,
            change,
        } => {
            let domain = session.handle(domain)?;
            let node = bitmaps::node_of(&emulator::live_xml(&domain)?, disk, *layer)?;
            done(emulator::change_bitmap(&domain, &node, bitmap, *change))
        }
        Action::StoredBitmaps { disks } => bitmaps::stored(disks).map(Observation::Bitmaps),
        Action::AwaitBackup { domain, disks } => {
            jobs::await_backup(session, domain, disks).map(Observation::Events)
        }
        Action::SettleBackup { domain } => done(jobs::settle_backup(&session.handle(domain)?)),
        Action::ReadChain { layers } => {
            content::read_chain(layers, scratch).map(Observation::Content)
        }
        Action::CheckImage { image } => images::check(image).map(Observation::Check),
        Action::ListFiles { directory } => files::list(directory).map(Observation::Files),
        Action::KillEmulator { domain } => done(emulator::kill(&session.handle(domain)?)),
        Action::ChangeBitmap {
            image,
            bitmap,
            change,
        } => done(images::change_bitmap(image, bitmap, *change)),
        Action::StartNbdServer { domain, server } => {
            done(nbd::start_server(&session.handle(domain)?, server))
        }
        Action::StopNbdServer { domain } => done(nbd::stop_server(&session.handle(domain)?)),
        Action::ReadExport {
            server,
            export,
            bitmap,
            image,
        } => done(nbd::read_export(server, export, bitmap.as_deref(), image)),
        Action::AwaitBlockJob { domain, disk } => {
            done(jobs::await_block_job(&session.handle(domain)?, disk))
        }
        Action::ProbeServer { server, tls } => Ok(Observation::Usable(nbd::probe(server, *tls))),
        Action::ProbeMetadataStore { domain } => {
            taken.metadata.probe(domain).map(Observation::Usable)
        }
        Action::FindFiles { paths } => Ok(Observation::Files(files::find(paths))),
        Action::ImageVersions { disks } => images::versions(disks).map(Observation::Versions),
        Action::AmendImage { image, compat } => done(images::amend(image, *compat)),
        Action::DamageImage { image, damage } => done(damage::damage(image, damage)),
        Action::ResizeImage { image, size } => done(images::resize(image, *size)),
        Action::ConvertImage { image, bitmaps } => done(images::convert(image, *bitmaps)),
        Action::MergeBitmaps {
            image,
            bitmap,
            from,
        } => done(images::merge_bitmaps(image, bitmap, from)),
        Action::WriteImage {
            image,
            offset,
            length,
            pattern,
        } => done(images::write(image, *offset, *length, *pattern)),
        Action::CopyImage { image, copy } => done(files::copy(&image.path, copy)),
        Action::RestoreImage { image, copy } => done(files::put_copy(copy, &image.path)),
        Action::TruncateImage { image, by } => done(files::truncate(&image.path, *by)),
        Action::CrashImageWriter { image } => done(tools::crash_writer(image)),
        Action::FailGuestWrite { .. }
        | Action::BlockMetadataStore { .. }
        | Action::UnblockMetadataStore { .. }
        | Action::RemoveMetadata { .. }
        | Action::EditMetadata { .. }
        | Action::AwaitDetach { .. }
        | Action::PowerOffGuest { .. }
        | Action::MountFileSystem { .. }
        | Action::FillFileSystem { .. }
        | Action::FreeFileSystem { .. }
        | Action::BeginCall { .. }
        | Action::JoinCall { .. }
        | Action::RestartDaemon
        | Action::KillDaemon => act_around(session, taken, action),
        Action::MakeDirectory { path } => done(files::make_directory(path)),
        Action::RemoveDirectory { path } => done(files::remove_directory(path)),
        Action::MakeFile { path } => done(files::make_file(path)),
        Action::RemoveFile { path } => done(files::remove_file(path)),
        Action::OccupyPort { port } => done(taken.occupied.occupy(*port)),
        Action::ReleasePort { port } => done(taken.occupied.release(*port)),
    }
}

/// Does one action that is about what goes on around checkpoints and backups.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the caller sends these actions here"
)]
fn act_around(
    session: &mut Session,
    taken: &mut Taken,
    action: &Action,
) -> Result<Observation, DriverError> {
    match action {
        Action::FailGuestWrite {
            domain,
            disk,
            offset,
            length,
        } => {
            let domain = session.handle(domain)?;
            let range = (*offset, *length);
            done(emulator::fail_guest_write(&domain, disk, range))
        }
        Action::BlockMetadataStore { domain } => done(taken.metadata.block(domain)),
        Action::UnblockMetadataStore { domain } => done(taken.metadata.unblock(domain)),
        Action::RemoveMetadata { domain, checkpoint } => {
            done(taken.metadata.remove(domain, checkpoint))
        }
        Action::EditMetadata {
            domain,
            checkpoint,
            edits,
        } => done(taken.metadata.edit(domain, checkpoint, edits)),
        Action::AwaitDetach { domain, disk } => {
            done(emulator::await_detach(&session.handle(domain)?, disk))
        }
        Action::PowerOffGuest { domain } => done(emulator::power_off(&session.handle(domain)?)),
        Action::MountFileSystem { path, size } => done(taken.mounted.mount(path, *size)),
        Action::FillFileSystem { path } => done(file_systems::fill(path)),
        Action::FreeFileSystem { path } => done(file_systems::free(path)),
        Action::BeginCall { label, call } => {
            taken.background.begin(session, label, call);
            Ok(Observation::Done)
        }
        Action::JoinCall { label } => taken
            .background
            .join(session, label)
            .map(Observation::Answer),
        // The worker restarts libvirt: the session does not outlive it.
        other => {
            let text = format!("{other:?} in the middle of another action");
            Err(DriverError::Failed(text))
        }
    }
}

fn done(result: Result<(), DriverError>) -> Result<Observation, DriverError> {
    result.map(|()| Observation::Done)
}

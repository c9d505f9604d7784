//! What a scenario does to the real host, and sees of it, beside libvirt: which module does what.

use std::path::Path;

use super::calls::Session;
use super::ports::Occupied;
use super::{bitmaps, content, emulator, files, images, jobs, nbd};
use crate::driver::DriverError;
use crate::model::{Action, Observation};

/// Does one action; `scratch` is a directory for passing files, `occupied` keeps the ports that
/// the scenario listens on.
pub(super) fn act(
    session: &mut Session,
    occupied: &mut Occupied,
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
        Action::StoredBitmaps { disks } => bitmaps::stored(disks).map(Observation::Bitmaps),
        Action::AwaitBackup { domain, disks } => {
            jobs::await_backup(session, domain, disks).map(Observation::Events)
        }
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
        Action::ProbeServer { server } => Ok(Observation::Listening(nbd::probe(server))),
        Action::MakeDirectory { path } => done(files::make_directory(path)),
        Action::RemoveDirectory { path } => done(files::remove_directory(path)),
        Action::MakeFile { path } => done(files::make_file(path)),
        Action::RemoveFile { path } => done(files::remove_file(path)),
        Action::OccupyPort { port } => done(occupied.occupy(*port)),
        Action::ReleasePort { port } => done(occupied.release(*port)),
    }
}

fn done(result: Result<(), DriverError>) -> Result<Observation, DriverError> {
    result.map(|()| Observation::Done)
}

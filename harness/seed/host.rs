//! What a scenario does beside libvirt's calls, by hand.
//!
//! What a person does with `mkdir`, `touch`, `rm` and `ls` is done here without a process of its
//! own, and does not count.

use std::fs;
use std::net::TcpListener;

use backup_tck::driver::DriverError;
use backup_tck::model::{
    Action, BitmapTable, Content, DiskFormat, ImageRef, NbdServer, Observation, Size,
};
use serde_json::json;

use crate::by_hand::{ByHand, failed};
use crate::tools;
use crate::virsh::quoted;

impl ByHand {
    /// Does it, and holds what is seen against what must be seen.
    pub(crate) fn perform(
        &mut self,
        action: &Action,
        observation: &Observation,
    ) -> Result<(), DriverError> {
        match action {
            Action::CreateImage { .. } | Action::ChangeBitmap { .. } => {
                tools::perform(&mut self.taken, action)?;
            }
            Action::GuestWrite {
                domain,
                disk,
                offset,
                length,
                pattern,
            } => self.guest_write(domain, disk, (*offset, *length), *pattern)?,
            Action::LiveBitmaps { domain } => {
                let query =
                    json!({"execute": "query-named-block-nodes", "arguments": {"flat": true}});
                let text = self.monitor(domain, &query.to_string())?;
                shows_bitmaps(&text, observation)?;
            }
            Action::StoredBitmaps { disks } => self.stored_bitmaps(disks, observation)?,
            Action::AwaitBackup { domain, .. } => self.await_backup(domain)?,
            Action::ReadChain { layers } => self.read_chain(layers, observation)?,
            Action::CheckImage { image } => self.check_image(action, image, observation)?,
            Action::ListFiles { directory } => list_files(directory, observation)?,
            Action::KillEmulator { domain } => self.kill_emulator(domain)?,
            Action::StartNbdServer { domain, server } => self.start_server(domain, server)?,
            Action::StopNbdServer { domain } => {
                self.monitor(domain, r#"{"execute":"nbd-server-stop"}"#)?;
            }
            Action::ReadExport {
                server,
                export,
                bitmap,
                image,
            } => {
                let from = (server, export.as_str());
                tools::read_export(&mut self.taken, from, bitmap.as_deref(), image)?;
            }
            Action::AwaitBlockJob { domain, disk } => self.await_block_job(domain, disk)?,
            Action::ProbeServer { .. }
            | Action::DiskFormats { .. }
            | Action::SettleBackup { .. }
            | Action::ProbeMetadataStore { .. }
            | Action::FindFiles { .. }
            | Action::ImageVersions { .. } => {}
            Action::AmendImage { .. }
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
            | Action::UnblockMetadataStore { .. }
            | Action::FailGuestWrite { .. }
            | Action::RemoveMetadata { .. }
            | Action::EditMetadata { .. }
            | Action::RestartDaemon
            | Action::KillDaemon
            | Action::AwaitDetach { .. }
            | Action::PowerOffGuest { .. }
            | Action::MountFileSystem { .. }
            | Action::FillFileSystem { .. }
            | Action::FreeFileSystem { .. }
            | Action::BeginCall { .. }
            | Action::JoinCall { .. } => {
                return Err(failed("no step of the seed's scenarios does this"));
            }
            Action::MakeDirectory { path } => {
                fs::create_dir(path).map_err(|error| plain(path, &error))?;
            }
            Action::RemoveDirectory { path } => {
                fs::remove_dir(path).map_err(|error| plain(path, &error))?;
            }
            Action::MakeFile { path } => {
                fs::File::create_new(path).map_err(|error| plain(path, &error))?;
            }
            Action::RemoveFile { path } => {
                fs::remove_file(path).map_err(|error| plain(path, &error))?;
            }
            Action::OccupyPort { port } => {
                let listener = TcpListener::bind(("127.0.0.1", *port));
                let listener = listener.map_err(|error| plain(&port.to_string(), &error))?;
                self.occupied.insert(*port, listener);
            }
            Action::ReleasePort { port } => drop(self.occupied.remove(port)),
            Action::DiskLayers { .. }
            | Action::CreateOverlay { .. }
            | Action::CommitImage { .. }
            | Action::ChangeLiveBitmap { .. } => {
                return Err(failed("no disk of the report has more than one layer"));
            }
        }
        Ok(())
    }

    /// Passes a QMP command to QEMU, which must not refuse it; what it returned.
    fn monitor(&mut self, domain: &str, command: &str) -> Result<String, DriverError> {
        let line = format!("qemu-monitor-command {domain} {}", quoted(command));
        let text = self.succeed(&line)?;
        if text.contains("{\"return\":") {
            return Ok(text);
        }
        Err(failed(&format!("QEMU refused `{line}`:\n{text}")))
    }

    /// That the write has reached the disk is shown by the bytes of the next backup.
    fn guest_write(
        &mut self,
        domain: &str,
        disk: &str,
        (offset, length): (Size, Size),
        pattern: u8,
    ) -> Result<(), DriverError> {
        // The aliases of virtio disks are numbered in the order of the domain's XML.
        let number = disk.bytes().last().unwrap_or(b'a') - b'a';
        let device = format!("/machine/peripheral/virtio-disk{number}/virtio-backend");
        let (offset, length) = (offset.bytes(), length.bytes());
        let write = format!("write -f -P {pattern:#04x} {offset} {length}");
        let command = quoted(&format!("qemu-io -d {device} \"{write}\""));
        let text = self.succeed(&format!("qemu-monitor-command --hmp {domain} {command}"))?;
        if text.contains("Error") {
            return Err(failed(&format!("QEMU refused {command}:\n{text}")));
        }
        Ok(())
    }

    fn stored_bitmaps(
        &mut self,
        disks: &[(String, ImageRef)],
        observation: &Observation,
    ) -> Result<(), DriverError> {
        let mut text = String::new();
        for (_, image) in disks {
            if image.format != DiskFormat::Raw {
                text += &tools::info(&mut self.taken, image)?;
            }
        }
        shows_bitmaps(&text, observation)
    }

    /// Asks for the job again and again; nobody could be done with it earlier.
    fn await_backup(&mut self, domain: &str) -> Result<(), DriverError> {
        loop {
            let (text, is_refusal) = self.send(&format!("backup-dumpxml {domain}"))?;
            let is_over = ["no domain backup job present", "is not running"];
            if is_refusal && is_over.iter().any(|over| text.contains(over)) {
                return Ok(());
            }
            if is_refusal {
                return Err(failed(&format!("the backup cannot be awaited:\n{text}")));
            }
        }
    }

    /// The same with the copy job of a disk, until it is over or ready to pivot.
    fn await_block_job(&mut self, domain: &str, disk: &str) -> Result<(), DriverError> {
        loop {
            let text = self.succeed(&format!("blockjob {domain} {disk} --info"))?;
            if text.contains("No current block job") {
                return Ok(());
            }
            let xml = self.succeed(&format!("dumpxml {domain}"))?;
            if xml.contains("ready='yes'") {
                return Ok(());
            }
        }
    }

    fn read_chain(
        &mut self,
        layers: &[ImageRef],
        observation: &Observation,
    ) -> Result<(), DriverError> {
        let flat = self.passing_file();
        let target = flat.to_string_lossy();
        tools::flatten(&mut self.taken, layers, &target)?;
        let found = fs::read(&flat).map_err(|error| plain(&target, &error))?;
        fs::remove_file(&flat).map_err(|error| plain(&target, &error))?;
        if let Observation::Content(content) = observation
            && found == bytes_of(content)
        {
            return Ok(());
        }
        Err(failed(&format!("other bytes than expected in {layers:?}")))
    }

    fn check_image(
        &mut self,
        action: &Action,
        image: &ImageRef,
        observation: &Observation,
    ) -> Result<(), DriverError> {
        if image.format == DiskFormat::Raw {
            return Ok(());
        }
        let checked = tools::perform(&mut self.taken, action);
        match (checked, observation) {
            (Ok(_), Observation::Check(None)) | (Err(_), Observation::Check(Some(_))) => Ok(()),
            (Ok(_), _) => Err(failed(&format!("{} is sound, unexpectedly", image.path))),
            (Err(error), _) => Err(error),
        }
    }

    /// `kill -9`, and then a look at the domain's state until it is off.
    fn kill_emulator(&mut self, domain: &str) -> Result<(), DriverError> {
        let path = self.pid_file(domain);
        let pid = fs::read_to_string(&path);
        let pid = pid.map_err(|error| plain(&path.to_string_lossy(), &error))?;
        let pid = pid
            .trim()
            .parse()
            .map_err(|_| failed("no number of a process"))?;
        let killed = nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(pid),
            nix::sys::signal::Signal::SIGKILL,
        );
        killed.map_err(|error| failed(&format!("cannot kill QEMU: {error}")))?;
        while !self
            .succeed(&format!("domstate {domain}"))?
            .contains("shut off")
        {}
        Ok(())
    }

    fn start_server(&mut self, domain: &str, server: &NbdServer) -> Result<(), DriverError> {
        let command =
            json!({"execute": "nbd-server-start", "arguments": {"addr": server.address()}});
        self.monitor(domain, &command.to_string()).map(drop)
    }
}

/// Every bitmap that must be there is named.
fn shows_bitmaps(text: &str, observation: &Observation) -> Result<(), DriverError> {
    let Observation::Bitmaps(BitmapTable(rows)) = observation else {
        return Err(failed("the mock shows no bitmaps"));
    };
    let text: String = text.split_whitespace().collect();
    let missing = |name: &str| !text.contains(&format!("\"name\":\"{name}\""));
    match rows.iter().find(|row| missing(&row.name)) {
        None => Ok(()),
        Some(row) => Err(failed(&format!("no bitmap {} on {}", row.name, row.disk))),
    }
}

fn list_files(directory: &str, observation: &Observation) -> Result<(), DriverError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(|error| plain(directory, &error))? {
        let name = entry.map_err(|error| plain(directory, &error))?.file_name();
        names.push(name.to_string_lossy().into_owned());
    }
    names.sort();
    if let Observation::Files(expected) = observation
        && *expected == names
    {
        return Ok(());
    }
    Err(failed(&format!(
        "found the files {names:?}, expected {observation:?}"
    )))
}

fn bytes_of(content: &Content) -> Vec<u8> {
    let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    let mut bytes = vec![0; index(content.size().bytes())];
    for run in content.runs() {
        bytes[index(run.offset)..index(run.offset + run.length)].fill(run.fill);
    }
    bytes
}

fn plain(what: &str, error: &std::io::Error) -> DriverError {
    failed(&format!("{what}: {error}"))
}

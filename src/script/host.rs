//! The lines for what a scenario does beside libvirt's calls.

use serde_json::json;

use super::quote::Names;
use super::tool::{converted, qemu_io, tool_words};
use crate::model::{Action, NbdServer};
use crate::plan::PlannedDisk;

/// What the lines of a step are made with.
pub(super) struct Lines<'a> {
    pub(super) names: Names,
    pub(super) disks: &'a [PlannedDisk],
}

impl Lines<'_> {
    /// The lines that do it; what only looks has none.
    ///
    /// Fails where there is no plain command, and says why.
    pub(super) fn action(&self, action: &Action) -> Result<String, String> {
        if let Some(words) = tool_words(action) {
            let command = self.names.words(&words);
            let Action::ConvertImage { image, .. } = action else {
                return Ok(format!("{command}\n"));
            };
            let copy = self.names.word(&converted(image));
            return Ok(format!(
                "{command}\nmv {copy} {}\n",
                self.names.word(&image.path)
            ));
        }
        let word = |text: &String| self.names.word(text);
        Ok(match action {
            Action::GuestWrite {
                disk,
                offset,
                length,
                pattern,
                ..
            } => {
                let write = format!(
                    "write -f -P {pattern:#04x} {} {}",
                    offset.bytes(),
                    length.bytes()
                );
                self.guest_write(disk, &write)?
            }
            Action::AwaitBackup { .. } => AWAIT_BACKUP.to_owned(),
            Action::AwaitBlockJob { disk, .. } => await_block_job(&word(disk)),
            Action::KillEmulator { .. } => KILL_EMULATOR.to_owned(),
            Action::StartNbdServer { server, .. } => self.start_server(server),
            Action::StopNbdServer { .. } => monitor("'{\"execute\":\"nbd-server-stop\"}'"),
            Action::CopyImage { image, copy } => {
                format!("cp {} {}\n", word(&image.path), word(copy))
            }
            Action::RestoreImage { image, copy } => {
                format!("cp {} {}\n", word(copy), word(&image.path))
            }
            Action::TruncateImage { image, by } => {
                format!("truncate -s -{} {}\n", by.bytes(), word(&image.path))
            }
            // QEMU's own words for a crash; the shell tells that it was killed.
            Action::CrashImageWriter { image } => {
                let command = self.names.words(&qemu_io(image, "sigraise 9"));
                format!("{command} || :\n")
            }
            Action::BlockMetadataStore { .. } => BLOCK_STORE.to_owned(),
            Action::UnblockMetadataStore { .. } => UNBLOCK_STORE.to_owned(),
            Action::MakeDirectory { path } => format!("mkdir {}\n", word(path)),
            Action::RemoveDirectory { path } => format!("rmdir {}\n", word(path)),
            Action::MakeFile { path } => format!(": >{}\n", word(path)),
            Action::RemoveFile { path } => format!("rm {}\n", word(path)),
            Action::OccupyPort { port } => occupy(&self.names.word(&port.to_string())),
            Action::ReleasePort { port } => {
                let port = self.names.word(&port.to_string());
                format!("kill \"$(cat \"$dir\"/{port}.pid)\"\n")
            }
            Action::RemoveMetadata { checkpoint, .. } => {
                let file = word(&format!("{checkpoint}.xml"));
                format!("rm \"$store/$domain\"/{file}\n")
            }
            Action::AwaitDetach { disk, .. } => await_detach(&word(disk)),
            Action::PowerOffGuest { .. } => POWER_OFF.to_owned(),
            // The data is the client's, and reading it changes nothing.
            Action::ReadExport { .. }
            | Action::LiveBitmaps { .. }
            | Action::DiskFormats { .. }
            | Action::DiskLayers { .. }
            | Action::StoredBitmaps { .. }
            | Action::SettleBackup { .. }
            | Action::ReadChain { .. }
            | Action::ListFiles { .. }
            | Action::ProbeServer { .. }
            | Action::ProbeMetadataStore { .. }
            | Action::FindFiles { .. }
            | Action::ImageVersions { .. } => String::new(),
            Action::CreateImage { .. }
            | Action::CommitImage { .. }
            | Action::ChangeBitmap { .. }
            | Action::MergeBitmaps { .. }
            | Action::AmendImage { .. }
            | Action::ResizeImage { .. }
            | Action::ConvertImage { .. }
            | Action::WriteImage { .. }
            | Action::CheckImage { .. }
            | Action::DamageImage { .. }
            | Action::EditMetadata { .. }
            | Action::RestartDaemon
            | Action::KillDaemon
            | Action::MountFileSystem { .. }
            | Action::FillFileSystem { .. }
            | Action::FreeFileSystem { .. }
            | Action::FailGuestWrite { .. }
            | Action::BeginCall { .. }
            | Action::JoinCall { .. }
            | Action::CreateOverlay { .. }
            | Action::ChangeLiveBitmap { .. } => return Err(no_command(action).to_owned()),
        })
    }

    /// The aliases of virtio disks are numbered in the order of the domain's XML.
    fn guest_write(&self, disk: &str, write: &str) -> Result<String, String> {
        let number = self.disks.iter().position(|known| known.target == disk);
        let number = number.ok_or_else(|| format!("the domain has no disk {disk}"))?;
        Ok(format!(
            "virsh qemu-monitor-command --hmp \"$domain\" \\\n    \
             'qemu-io -d /machine/peripheral/virtio-disk{number}/virtio-backend \"{write}\"'\n"
        ))
    }

    fn start_server(&self, server: &NbdServer) -> String {
        let command =
            json!({"execute": "nbd-server-start", "arguments": {"addr": server.address()}});
        monitor(&self.names.word(&command.to_string()))
    }
}

/// Until the block job of a disk, a word that is quoted already, has ended or can change over.
fn await_block_job(disk: &str) -> String {
    format!(
        "until virsh dumpxml \"$domain\" | grep -q \"ready='yes'\" ||\n    \
         ! virsh blockjob \"$domain\" {disk} --info | grep -q %; do sleep 0.1; done\n"
    )
}

fn await_detach(disk: &str) -> String {
    format!("while virsh domblklist \"$domain\" | grep -qw {disk}; do sleep 0.1; done\n")
}

/// Something listens on the port, a word that is quoted already.
fn occupy(port: &str) -> String {
    format!(
        "qemu-img create -q -f raw \"$dir\"/blank 1M\n\
         qemu-nbd --fork --pid-file=\"$dir\"/{port}.pid -f raw -b 127.0.0.1 -p {port} \
         \"$dir\"/blank\n"
    )
}

/// Why there is no plain command for it.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not named is done by an image tool"
)]
const fn no_command(action: &Action) -> &'static str {
    match action {
        Action::DamageImage { .. } => {
            "the bytes lie elsewhere in each image; `backup-tck run` finds them"
        }
        Action::EditMetadata { .. } => "the text of libvirt's own file is changed",
        Action::RestartDaemon | Action::KillDaemon => "the daemon belongs to who runs the script",
        Action::MountFileSystem { .. }
        | Action::FillFileSystem { .. }
        | Action::FreeFileSystem { .. }
        | Action::FailGuestWrite { .. } => "a script mounts nothing on the host",
        Action::BeginCall { .. } | Action::JoinCall { .. } => "a call waits in the background",
        Action::CreateOverlay { .. } => "which bitmaps the image below has is known only then",
        Action::ChangeLiveBitmap { .. } => "which node of QEMU has the bitmap is known only then",
        _ => "no image tool does this",
    }
}

/// A command for QEMU itself, by a word that is quoted already. virsh succeeds also where QEMU
/// refuses.
fn monitor(command: &str) -> String {
    format!("virsh qemu-monitor-command \"$domain\" {command} | grep '\"return\"'\n")
}

/// Libvirt tells the document of a backup for as long as it runs.
const AWAIT_BACKUP: &str =
    "while virsh backup-dumpxml \"$domain\" >/dev/null 2>&1; do sleep 0.1; done\n";

const KILL_EMULATOR: &str = "\
kill -9 \"$(pgrep -f \"guest=$domain,\")\"
while virsh list --name | grep -qx \"$domain\"; do sleep 0.1; done
";

/// ACPI's register, as the guest writes it; QEMU 11.1 takes the byte only. Firmware has put it there
/// some time after the start.
const POWER_OFF: &str = "\
while virsh list --name | grep -qx \"$domain\"; do
    virsh qemu-monitor-command --hmp \"$domain\" 'o/w 0x604 0x2000' || :
    virsh qemu-monitor-command --hmp \"$domain\" 'o/b 0x605 0x20' || :
    sleep 0.2
done
";

const BLOCK_STORE: &str = "\
mkdir -p \"$store\"
[ ! -d \"$store/$domain\" ] || mv \"$store/$domain\" \"$store/$domain.aside\"
: >\"$store/$domain\"
";

const UNBLOCK_STORE: &str = "\
rm -f \"$store/$domain\"
[ ! -d \"$store/$domain.aside\" ] || mv \"$store/$domain.aside\" \"$store/$domain\"
";

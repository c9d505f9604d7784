//! The XML documents that a plan sends, as text.
//!
//! Shapes: libvirt's `docs/formatdomain.rst`, `docs/formatbackup.rst`,
//! `docs/formatcheckpoint.rst`.

use std::fmt::Write;

use quick_xml::escape::escape;

use super::PlannedDisk;
use crate::model::{DiskFormat, ImageRef, NbdServer, Place};

/// A domain that is cheap to start: TCG, 32 MiB, nothing but its disks.
///
/// Without the QEMU capability `cpu-unavailable-features` libvirt reads the guest CPU by two
/// monitor commands instead of 464, which is half of the time a start takes
/// (`src/qemu/qemu_process.c:qemuProcessFetchGuestCPU`).
#[must_use]
pub fn domain_xml(place: &Place, disks: &[PlannedDisk]) -> String {
    machine_xml(place, disks, Machine::default())
}

/// What a domain has beside its disks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Machine {
    /// A guest can switch itself off.
    pub(super) acpi: bool,
    /// Disks can come and go while it runs, without the guest's help.
    pub(super) scsi: bool,
}

/// The same on a machine that has more.
pub(super) fn machine_xml(place: &Place, disks: &[PlannedDisk], machine: Machine) -> String {
    let mut xml = Document::default();
    xml.line("<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>");
    xml.line(format_args!("  <name>{}</name>", escape(&place.domain)));
    xml.line(format_args!("  <uuid>{}</uuid>", escape(&place.uuid)));
    xml.line("  <memory unit='MiB'>32</memory>");
    xml.line("  <os><type arch='x86_64' machine='pc'>hvm</type></os>");
    if machine.acpi {
        xml.line("  <features><acpi/></features>");
    }
    xml.line("  <devices>");
    xml.line(format_args!(
        "    <emulator>{}</emulator>",
        escape(&place.emulator)
    ));
    for disk in disks {
        xml.domain_disk(disk, "    ");
    }
    if machine.scsi {
        xml.line("    <controller type='scsi' model='virtio-scsi'/>");
    }
    xml.line("    <controller type='usb' model='none'/>");
    xml.line("    <memballoon model='none'/>");
    xml.line("  </devices>");
    xml.line("  <qemu:capabilities>");
    for capability in &place.capabilities {
        let capability = escape(capability);
        xml.line(format_args!("    <qemu:add capability='{capability}'/>"));
    }
    xml.line("    <qemu:del capability='cpu-unavailable-features'/>");
    xml.line("  </qemu:capabilities>");
    xml.line("</domain>");
    xml.0
}

/// A `<domaincheckpoint>` document. `bitmap_disks` is `None` to leave the choice of disks to
/// libvirt; else every disk of the domain is listed, as `bitmap` or as `no`.
#[must_use]
pub fn checkpoint_xml(
    name: &str,
    description: Option<&str>,
    bitmap_disks: Option<&[&str]>,
    disks: &[PlannedDisk],
) -> String {
    let mut xml = Document::default();
    xml.line("<domaincheckpoint>");
    xml.line(format_args!("  <name>{}</name>", escape(name)));
    if let Some(description) = description {
        xml.line(format_args!(
            "  <description>{}</description>",
            escape(description)
        ));
    }
    if let Some(chosen) = bitmap_disks {
        xml.line("  <disks>");
        for disk in disks {
            let kind = if chosen.contains(&disk.target.as_str()) {
                "bitmap"
            } else {
                "no"
            };
            let target = escape(&disk.target);
            xml.line(format_args!(
                "    <disk name='{target}' checkpoint='{kind}'/>"
            ));
        }
        xml.line("  </disks>");
    }
    xml.line("</domaincheckpoint>");
    xml.0
}

/// How a disk takes part in a snapshot.
#[derive(Clone, Debug)]
pub(super) enum SnapshotPart {
    /// It does not.
    No,
    /// Inside its image.
    Internal,
    /// With a new layer at this path.
    External(String),
}

/// A `<domainsnapshot>` document; without disks libvirt chooses.
pub(super) fn snapshot_xml(name: &str, disks: &[(&str, SnapshotPart)]) -> String {
    let mut xml = Document::default();
    xml.line("<domainsnapshot>");
    xml.line(format_args!("  <name>{}</name>", escape(name)));
    if !disks.is_empty() {
        xml.line("  <disks>");
    }
    for (disk, part) in disks {
        let disk = escape(*disk);
        match part {
            SnapshotPart::No => {
                xml.line(format_args!("    <disk name='{disk}' snapshot='no'/>"));
            }
            SnapshotPart::Internal => {
                xml.line(format_args!(
                    "    <disk name='{disk}' snapshot='internal'/>"
                ));
            }
            SnapshotPart::External(overlay) => {
                let overlay = escape(overlay);
                xml.line(format_args!("    <disk name='{disk}' snapshot='external'>"));
                xml.line(format_args!("      <source file='{overlay}'/>"));
                xml.line("    </disk>");
            }
        }
    }
    if !disks.is_empty() {
        xml.line("  </disks>");
    }
    xml.line("</domainsnapshot>");
    xml.0
}

/// A disk as a device of its own.
pub(super) fn disk_xml(disk: &PlannedDisk) -> String {
    let mut xml = Document::default();
    xml.domain_disk(disk, "");
    xml.0
}

/// The destination of a block copy.
pub(super) fn copy_xml(image: &ImageRef) -> String {
    let mut xml = Document::default();
    xml.line("<disk type='file'>");
    xml.line(format_args!("  <driver type='{}'/>", image.format));
    xml.line(format_args!("  <source file='{}'/>", escape(&image.path)));
    xml.line("</disk>");
    xml.0
}

/// What a backup document says.
#[derive(Clone, Debug, Default)]
pub struct BackupXml<'a> {
    /// Whether the client moves the data over NBD.
    pub is_pull: bool,
    /// Name of the checkpoint that the backup is based on.
    pub incremental: Option<&'a str>,
    /// Where the NBD server of a pull backup listens.
    pub server: Option<&'a NbdServer>,
    /// Whether its connection is encrypted.
    pub tls: bool,
    /// The disks that take part.
    pub disks: Vec<BackupDisk<'a>>,
}

/// One disk of a backup document.
#[derive(Clone, Debug, Default)]
pub struct BackupDisk<'a> {
    /// Target device.
    pub disk: &'a str,
    /// Absolute path of the target of a push backup, or of the scratch file of a pull backup;
    /// `None` leaves it to libvirt.
    pub path: Option<&'a str>,
    /// Its format; `None` leaves it to libvirt (qcow2).
    pub format: Option<DiskFormat>,
    /// The attribute `backupmode`.
    pub mode: Option<&'a str>,
    /// The attribute `incremental`.
    pub incremental: Option<&'a str>,
    /// The attribute `exportname`.
    pub export_name: Option<&'a str>,
    /// The attribute `exportbitmap`.
    pub export_bitmap: Option<&'a str>,
    /// Usage name of the secret of a LUKS-encrypted target.
    pub luks_secret_usage: Option<&'a str>,
}

impl<'a> BackupDisk<'a> {
    /// A disk with a plain target.
    #[must_use]
    pub fn plain(disk: &'a str, image: &'a ImageRef) -> Self {
        Self {
            disk,
            path: Some(&image.path),
            format: Some(image.format),
            ..Self::default()
        }
    }
}

/// A `<domainbackup>` document; every disk of the domain is listed, and those that take no part
/// say so.
pub(super) fn backup_xml(backup: &BackupXml<'_>, disks: &[PlannedDisk]) -> String {
    let mut xml = Document::default();
    let mode = if backup.is_pull { "pull" } else { "push" };
    xml.line(format_args!("<domainbackup mode='{mode}'>"));
    if let Some(base) = backup.incremental {
        xml.line(format_args!(
            "  <incremental>{}</incremental>",
            escape(base)
        ));
    }
    if let Some(server) = backup.server {
        let tls = if backup.tls { " tls='yes'" } else { "" };
        match server {
            NbdServer::Socket(path) => {
                let path = escape(path);
                xml.line(format_args!(
                    "  <server transport='unix' socket='{path}'{tls}/>"
                ));
            }
            NbdServer::Port(port) => xml.line(format_args!(
                "  <server transport='tcp' name='127.0.0.1' port='{port}'{tls}/>"
            )),
        }
    }
    xml.line("  <disks>");
    for disk in disks {
        match backup.disks.iter().find(|part| part.disk == disk.target) {
            Some(part) => xml.backup_disk(part, backup.is_pull),
            None => xml.line(format_args!(
                "    <disk name='{}' backup='no'/>",
                escape(&disk.target)
            )),
        }
    }
    xml.line("  </disks>");
    xml.line("</domainbackup>");
    xml.0
}

#[derive(Default)]
struct Document(String);

impl Document {
    fn line(&mut self, line: impl std::fmt::Display) {
        // Writing into a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }

    /// The bus goes by the target device, as libvirt takes it where none is given.
    fn domain_disk(&mut self, disk: &PlannedDisk, indent: &str) {
        let bus = if disk.is_scsi() { "scsi" } else { "virtio" };
        self.line(format_args!("{indent}<disk type='file' device='disk'>"));
        self.line(format_args!(
            "{indent}  <driver name='qemu' type='{}'/>",
            disk.image.format
        ));
        self.line(format_args!(
            "{indent}  <source file='{}'/>",
            escape(&disk.image.path)
        ));
        self.line(format_args!(
            "{indent}  <target dev='{}' bus='{bus}'/>",
            escape(&disk.target)
        ));
        self.line(format_args!("{indent}</disk>"));
    }

    fn backup_disk(&mut self, disk: &BackupDisk<'_>, is_pull: bool) {
        let given = [
            ("type", disk.path.map(|_| "file")),
            ("backupmode", disk.mode),
            ("incremental", disk.incremental),
            ("exportname", disk.export_name),
            ("exportbitmap", disk.export_bitmap),
        ];
        let attribute =
            |(name, value): (&str, Option<&str>)| Some(format!(" {name}='{}'", escape(value?)));
        let attributes: String = given.into_iter().filter_map(attribute).collect();
        let name = escape(disk.disk);
        let Some(path) = disk.path.map(escape) else {
            self.line(format_args!("    <disk name='{name}'{attributes}/>"));
            return;
        };
        self.line(format_args!("    <disk name='{name}'{attributes}>"));
        if let Some(format) = disk.format {
            self.line(format_args!("      <driver type='{format}'/>"));
        }
        let element = if is_pull { "scratch" } else { "target" };
        match disk.luks_secret_usage.map(escape) {
            None => self.line(format_args!("      <{element} file='{path}'/>")),
            Some(usage) => {
                self.line(format_args!("      <{element} file='{path}'>"));
                self.line("        <encryption format='luks'>");
                self.line(format_args!(
                    "          <secret type='passphrase' usage='{usage}'/>"
                ));
                self.line("        </encryption>");
                self.line(format_args!("      </{element}>"));
            }
        }
        self.line("    </disk>");
    }
}

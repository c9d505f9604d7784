//! The XML documents that a plan sends, as text.
//!
//! Shapes: libvirt's `docs/formatdomain.rst`, `docs/formatbackup.rst`,
//! `docs/formatcheckpoint.rst`.

use std::fmt::Write;

use quick_xml::escape::escape;

use super::PlannedDisk;
use crate::model::{DiskFormat, ImageRef, Place};

/// A domain that is cheap to start: TCG, 32 MiB, nothing but its disks.
///
/// Without the QEMU capability `cpu-unavailable-features` libvirt reads the guest CPU by two
/// monitor commands instead of 464, which is half of the time a start takes
/// (`src/qemu/qemu_process.c:qemuProcessFetchGuestCPU`).
#[must_use]
pub fn domain_xml(place: &Place, disks: &[PlannedDisk]) -> String {
    let mut xml = Document::default();
    xml.line("<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>");
    xml.line(format_args!("  <name>{}</name>", escape(&place.domain)));
    xml.line(format_args!("  <uuid>{}</uuid>", escape(&place.uuid)));
    xml.line("  <memory unit='MiB'>32</memory>");
    xml.line("  <os><type arch='x86_64' machine='pc'>hvm</type></os>");
    xml.line("  <devices>");
    xml.line(format_args!(
        "    <emulator>{}</emulator>",
        escape(&place.emulator)
    ));
    for disk in disks {
        xml.line("    <disk type='file' device='disk'>");
        xml.line(format_args!(
            "      <driver name='qemu' type='{}'/>",
            disk.image.format
        ));
        xml.line(format_args!(
            "      <source file='{}'/>",
            escape(&disk.image.path)
        ));
        xml.line(format_args!(
            "      <target dev='{}' bus='virtio'/>",
            escape(&disk.target)
        ));
        xml.line("    </disk>");
    }
    xml.line("    <controller type='usb' model='none'/>");
    xml.line("    <memballoon model='none'/>");
    xml.line("  </devices>");
    xml.line("  <qemu:capabilities><qemu:del capability='cpu-unavailable-features'/></qemu:capabilities>");
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

/// What a push backup document says.
#[derive(Clone, Debug, Default)]
pub struct BackupXml<'a> {
    /// Name of the checkpoint that the backup is based on.
    pub incremental: Option<&'a str>,
    /// Target device, target image, whether the format is written, and the secret of an
    /// encrypted target.
    pub targets: Vec<BackupTarget<'a>>,
}

/// One disk of a push backup document.
#[derive(Clone, Debug)]
pub struct BackupTarget<'a> {
    /// Target device.
    pub disk: &'a str,
    /// Absolute path of the target.
    pub path: &'a str,
    /// Its format; `None` leaves it to libvirt (qcow2).
    pub format: Option<DiskFormat>,
    /// The attribute `backupmode`.
    pub mode: Option<&'a str>,
    /// The attribute `incremental`.
    pub incremental: Option<&'a str>,
    /// Usage name of the secret of a LUKS-encrypted target.
    pub luks_secret_usage: Option<&'a str>,
}

impl<'a> BackupTarget<'a> {
    /// A plain target.
    #[must_use]
    pub fn plain(disk: &'a str, image: &'a ImageRef) -> Self {
        Self {
            disk,
            path: &image.path,
            format: Some(image.format),
            mode: None,
            incremental: None,
            luks_secret_usage: None,
        }
    }
}

/// A `<domainbackup mode='push'>` document; every disk of the domain is listed, and those that
/// take no part say so.
pub(super) fn backup_xml(backup: &BackupXml<'_>, disks: &[PlannedDisk]) -> String {
    let mut xml = Document::default();
    xml.line("<domainbackup mode='push'>");
    if let Some(base) = backup.incremental {
        xml.line(format_args!(
            "  <incremental>{}</incremental>",
            escape(base)
        ));
    }
    xml.line("  <disks>");
    for disk in disks {
        let target = backup
            .targets
            .iter()
            .find(|target| target.disk == disk.target);
        let name = escape(&disk.target);
        let Some(target) = target else {
            xml.line(format_args!("    <disk name='{name}' backup='no'/>"));
            continue;
        };
        let mode = target.mode.map(|mode| format!(" backupmode='{mode}'"));
        let base = target
            .incremental
            .map(|base| format!(" incremental='{}'", escape(base)));
        let attributes: String = mode.into_iter().chain(base).collect();
        xml.line(format_args!(
            "    <disk name='{name}' type='file'{attributes}>"
        ));
        if let Some(format) = target.format {
            xml.line(format_args!("      <driver type='{format}'/>"));
        }
        let path = escape(target.path);
        match target.luks_secret_usage {
            None => xml.line(format_args!("      <target file='{path}'/>")),
            Some(usage) => {
                let usage = escape(usage);
                xml.line(format_args!("      <target file='{path}'>"));
                xml.line("        <encryption format='luks'>");
                xml.line(format_args!(
                    "          <secret type='passphrase' usage='{usage}'/>"
                ));
                xml.line("        </encryption>");
                xml.line("      </target>");
            }
        }
        xml.line("    </disk>");
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
}

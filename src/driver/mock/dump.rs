//! XML out: dumps as libvirt formats them.

use std::collections::BTreeMap;

use quick_xml::escape::escape;

use crate::model::{NbdServer, Size};
use crate::world::{BackupJob, Checkpoint, JobDisk, MadeUp};

/// `src/conf/checkpoint_conf.c:virDomainCheckpointDefFormat`; `sizes` are those of disks that have
/// one. The nested domain is the text that defined it, which libvirt would write out in full.
pub(super) fn checkpoint(
    name: &str,
    checkpoint: &Checkpoint,
    sizes: &BTreeMap<String, Size>,
    with_domain: bool,
) -> String {
    let mut lines = vec![
        "<domaincheckpoint>".to_owned(),
        format!("  <name>{}</name>", escape(name)),
    ];
    if let Some(description) = &checkpoint.description {
        lines.push(format!(
            "  <description>{}</description>",
            escape(description)
        ));
    }
    if let Some(parent) = &checkpoint.parent {
        lines.push("  <parent>".to_owned());
        lines.push(format!("    <name>{}</name>", escape(parent)));
        lines.push("  </parent>".to_owned());
    }
    if checkpoint.creation_time != 0 {
        lines.push(format!(
            "  <creationTime>{}</creationTime>",
            checkpoint.creation_time
        ));
    }
    if !checkpoint.disks.is_empty() {
        lines.push("  <disks>".to_owned());
        for disk in &checkpoint.disks {
            let name = escape(&disk.name);
            let size = sizes.get(&disk.name);
            let size = size.map(|size| format!(" size='{}'", size.bytes()));
            let size = size.unwrap_or_default();
            lines.push(match &disk.bitmap {
                Some(bitmap) => {
                    let bitmap = escape(bitmap);
                    format!("    <disk name='{name}' checkpoint='bitmap' bitmap='{bitmap}'{size}/>")
                }
                None => format!("    <disk name='{name}' checkpoint='no'/>"),
            });
        }
        lines.push("  </disks>".to_owned());
    }
    if with_domain {
        lines.extend(checkpoint.definition.clone());
    }
    lines.push("</domaincheckpoint>\n".to_owned());
    lines.join("\n")
}

/// `src/conf/backup_conf.c:virDomainBackupDefFormat`.
pub(super) fn backup(job: &BackupJob) -> String {
    let mode = if job.server.is_some() { "pull" } else { "push" };
    let mut lines = vec![format!("<domainbackup mode='{mode}'>")];
    if let Some(base) = &job.incremental {
        lines.push(format!("  <incremental>{}</incremental>", escape(base)));
    }
    if let Some(server) = &job.server {
        let name = server.name.as_ref();
        let name = name.map(|name| format!(" name='{}'", escape(name)));
        let name = name.unwrap_or_default();
        lines.push(match &server.place {
            NbdServer::Socket(path) => {
                format!(
                    "  <server transport='unix'{name} socket='{}'/>",
                    escape(path)
                )
            }
            NbdServer::Port(port) => format!("  <server transport='tcp'{name} port='{port}'/>"),
        });
    }
    lines.push("  <disks>".to_owned());
    for disk in &job.order {
        match job.disks.iter().find(|part| part.disk == *disk) {
            Some(part) => lines.extend(backup_disk(part, job)),
            None => lines.push(format!("    <disk name='{}' backup='no'/>", escape(disk))),
        }
    }
    lines.push("  </disks>".to_owned());
    lines.push("</domainbackup>\n".to_owned());
    lines.join("\n")
}

/// `virDomainBackupDiskDefFormat`.
fn backup_disk(part: &JobDisk, job: &BackupJob) -> [String; 4] {
    let is_pull = job.server.is_some();
    let export = match job.names {
        MadeUp::InMemory | MadeUp::Noted => Some(part.export_name()),
        MadeUp::Lost => part.given_export.as_deref(),
    };
    let mode = if part.base.is_some() {
        "incremental"
    } else {
        "full"
    };
    let attributes = [
        ("incremental", part.base.as_deref()),
        ("exportname", export.filter(|_| is_pull)),
        ("exportbitmap", part.given_bitmap.as_deref()),
    ];
    let attribute =
        |(name, value): (&str, Option<&str>)| Some(format!(" {name}='{}'", escape(value?)));
    let attributes: String = attributes.into_iter().filter_map(attribute).collect();
    let (disk, node) = (escape(&part.disk), part.node);
    let element = if is_pull { "scratch" } else { "target" };
    [
        format!(
            "    <disk name='{disk}' backup='yes' type='file' backupmode='{mode}'{attributes} index='{node}'>"
        ),
        format!("      <driver type='{}'/>", part.format),
        format!("      <{element} file='{}'/>", escape(&part.store)),
        "    </disk>".to_owned(),
    ]
}

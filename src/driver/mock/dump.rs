//! XML out: dumps as libvirt formats them.

use quick_xml::escape::escape;

use crate::world::Checkpoint;

/// `src/conf/checkpoint_conf.c:virDomainCheckpointDefFormat` without the nested domain.
pub(super) fn checkpoint(name: &str, checkpoint: &Checkpoint) -> String {
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
            lines.push(match &disk.bitmap {
                Some(bitmap) => {
                    let bitmap = escape(bitmap);
                    format!("    <disk name='{name}' checkpoint='bitmap' bitmap='{bitmap}'/>")
                }
                None => format!("    <disk name='{name}' checkpoint='no'/>"),
            });
        }
        lines.push("  </disks>".to_owned());
    }
    lines.push("</domaincheckpoint>\n".to_owned());
    lines.join("\n")
}

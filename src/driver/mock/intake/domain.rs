//! `<domain>`, as far as the plan writes one.

use roxmltree::Node;

use super::grammar::{element, known, text_of, well_formed};
use crate::driver::mock::answer::{Ruled, not_modelled, refuse};
use crate::model::{DiskFormat, ErrorCode, ErrorDomain};
use crate::world::Disk;

/// A `<domain>`, as far as the plan writes one.
pub(in crate::driver::mock) struct DomainDocument {
    pub(in crate::driver::mock) name: String,
    pub(in crate::driver::mock) uuid: String,
    pub(in crate::driver::mock) disks: Vec<Disk>,
}

pub(in crate::driver::mock) fn domain(xml: Option<&str>) -> Ruled<DomainDocument> {
    let Some(xml) = xml else {
        return not_modelled("virDomainDefineXMLFlags with NULL");
    };
    let document = well_formed(xml)?;
    let root = document.root_element();
    known(
        root,
        &["type"],
        &[
            "name",
            "uuid",
            "memory",
            "os",
            "features",
            "devices",
            "capabilities",
        ],
    )?;
    let Some((name, uuid)) = text_of(root, "name").zip(text_of(root, "uuid")) else {
        return not_modelled("a domain without name or UUID");
    };
    if root.attribute("type") != Some("qemu") {
        return not_modelled("a domain of another type than qemu");
    }
    let Some(devices) = element(root, "devices") else {
        return not_modelled("a domain without devices");
    };
    let disks = disks_of(devices)?;
    Ok(DomainDocument { name, uuid, disks })
}

/// The disks of the `<domain>` in a checkpoint's document. It passes the schema without memory and not
/// the parser (`src/conf/domain_postparse.c:virDomainDefPostParseMemory`).
pub(in crate::driver::mock) fn nested_disks(xml: &str) -> Ruled<Vec<Disk>> {
    let document = well_formed(xml)?;
    let root = document.root_element();
    if element(root, "memory").is_none() {
        let text = "Memory size must be specified via <memory> or in the <numa> configuration";
        return refuse(ErrorCode::XML_ERROR, ErrorDomain::DOMAIN, text);
    }
    let devices = element(root, "devices");
    let disks = devices.map_or(Ok(Vec::new()), disks_of)?;
    let mut targets: Vec<&str> = disks.iter().map(|disk| disk.target.as_str()).collect();
    targets.sort_unstable();
    if targets.windows(2).any(|pair| pair[0] == pair[1]) {
        // libvirt accepts it and loses its memory (seen on 11.3.0).
        return not_modelled("a <domain> with two disks of one target");
    }
    Ok(disks)
}

/// The `<disk>` of a device that is attached or detached.
pub(in crate::driver::mock) fn disk(xml: Option<&str>) -> Ruled<Disk> {
    let Some(xml) = xml else {
        return not_modelled("a device that is NULL");
    };
    let document = well_formed(xml)?;
    let root = document.root_element();
    if !root.has_tag_name("disk") {
        return not_modelled("a device other than a disk");
    }
    domain_disk(root)
}

fn disks_of(devices: Node<'_, '_>) -> Ruled<Vec<Disk>> {
    let mut disks = Vec::new();
    for device in devices.children().filter(Node::is_element) {
        match device.tag_name().name() {
            "disk" => disks.push(domain_disk(device)?),
            "controller" | "memballoon" => known(device, &["type", "model"], &[])?,
            "emulator" => known(device, &[], &[])?,
            name => return not_modelled(format!("<{name}> in <devices>")),
        }
    }
    Ok(disks)
}

fn domain_disk(disk: Node<'_, '_>) -> Ruled<Disk> {
    known(
        disk,
        &["type", "device"],
        &["driver", "source", "target", "readonly", "transient"],
    )?;
    let attribute = |child: &'static str, name: &'static str| {
        element(disk, child)
            .and_then(|node| node.attribute(name))
            .map(str::to_owned)
    };
    let is_drive = disk.attribute("device") == Some("cdrom");
    let format = attribute("driver", "type").and_then(|word| word.parse().ok());
    let (source, format) = match (attribute("source", "file"), format) {
        (Some(source), Some(format)) => (source, format),
        (None, None) if is_drive => (String::new(), DiskFormat::Raw),
        (_, _) => return not_modelled("a disk other than a qcow2 or raw file, or an empty drive"),
    };
    let Some(target) = attribute("target", "dev") else {
        return not_modelled("a disk without target");
    };
    Ok(Disk {
        target,
        source,
        format,
        read_only: is_drive || element(disk, "readonly").is_some(),
        transient: element(disk, "transient").is_some(),
    })
}

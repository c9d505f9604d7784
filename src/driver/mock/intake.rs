//! XML in: the mock's own typed grammar of the documents it is given.
//!
//! Libvirt validates these documents against its schemas; here, what the grammar does not know
//! is not modelled, so a document is never judged by a rule that was not written down.

use roxmltree::{Document, Node};

use super::answer::{Ruled, not_modelled, refuse, refuse_flags};
use crate::model::{DiskFormat, ErrorCode, ErrorDomain};
use crate::world::Disk;

/// A `<domain>`, as far as the plan writes one.
pub(super) struct DomainDocument {
    pub(super) name: String,
    pub(super) uuid: String,
    pub(super) disks: Vec<Disk>,
}

/// A `<domaincheckpoint>`.
#[derive(Debug)]
pub(super) struct CheckpointDocument {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) parent: Option<String>,
    pub(super) creation_time: Option<u64>,
    /// `None` where the document has no `<disks>`.
    pub(super) disks: Option<Vec<CheckpointDiskElement>>,
    pub(super) has_domain: bool,
}

/// A `<disk>` of a checkpoint document.
#[derive(Debug)]
pub(super) struct CheckpointDiskElement {
    pub(super) name: String,
    /// False for `checkpoint='no'`.
    pub(super) has_bitmap: bool,
    pub(super) bitmap: Option<String>,
}

/// A `<domainbackup mode='push'>`.
pub(super) struct BackupDocument {
    pub(super) incremental: Option<String>,
    pub(super) disks: Option<Vec<BackupDiskElement>>,
}

/// A `<disk>` of a backup document.
pub(super) struct BackupDiskElement {
    pub(super) name: String,
    pub(super) backup: bool,
    pub(super) target: Option<String>,
    pub(super) format: Option<DiskFormat>,
    /// Usage name of the secret of an encrypted target.
    pub(super) secret_usage: Option<String>,
}

pub(super) fn domain(xml: Option<&str>) -> Ruled<DomainDocument> {
    let Some(xml) = xml else {
        return not_modelled("virDomainDefineXMLFlags with NULL");
    };
    let document = well_formed(xml)?;
    let root = document.root_element();
    known(
        root,
        &["type"],
        &["name", "uuid", "memory", "os", "devices", "capabilities"],
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
    let mut disks = Vec::new();
    for device in devices.children().filter(Node::is_element) {
        match device.tag_name().name() {
            "disk" => disks.push(domain_disk(device)?),
            "controller" | "memballoon" => known(device, &["type", "model"], &[])?,
            "emulator" => known(device, &[], &[])?,
            name => return not_modelled(format!("<{name}> in <devices>")),
        }
    }
    Ok(DomainDocument { name, uuid, disks })
}

fn domain_disk(disk: Node<'_, '_>) -> Ruled<Disk> {
    known(disk, &["type", "device"], &["driver", "source", "target"])?;
    let attribute = |child: &'static str, name: &'static str| {
        element(disk, child)
            .and_then(|node| node.attribute(name))
            .map(str::to_owned)
    };
    let format = attribute("driver", "type").and_then(|word| word.parse().ok());
    match (
        attribute("target", "dev"),
        attribute("source", "file"),
        format,
    ) {
        (Some(target), Some(source), Some(format)) => Ok(Disk {
            target,
            source,
            format,
        }),
        (_, _, _) => not_modelled("a disk other than a qcow2 or raw file"),
    }
}

pub(super) fn checkpoint(xml: Option<&str>, function: &str) -> Ruled<CheckpointDocument> {
    let Some(xml) = xml else {
        let message = format!("xmlDesc in {function} must not be NULL");
        return refuse_flags(ErrorDomain::DOMAIN_CHECKPOINT, message);
    };
    let document = well_formed(xml)?;
    let root = rooted(&document, "domaincheckpoint")?;
    known(
        root,
        &[],
        &[
            "name",
            "description",
            "parent",
            "creationTime",
            "disks",
            "domain",
        ],
    )?;
    let creation_time = match text_of(root, "creationTime") {
        None => None,
        Some(text) => Some(seconds(&text)?),
    };
    let parent = match element(root, "parent") {
        None => None,
        Some(parent) => {
            known(parent, &[], &["name"])?;
            text_of(parent, "name")
        }
    };
    let name = text_of(root, "name");
    if let Some(name) = &name {
        plain_name(name)?;
    }
    let disks = match element(root, "disks") {
        None => None,
        Some(list) => Some(
            disk_elements(list)?
                .map(checkpoint_disk)
                .collect::<Ruled<_>>()?,
        ),
    };
    Ok(CheckpointDocument {
        name,
        description: text_of(root, "description"),
        parent,
        creation_time,
        disks,
        has_domain: element(root, "domain").is_some(),
    })
}

/// Digits only, and less than 2^63: the rest is refused by the schema or misread.
fn seconds(text: &str) -> Ruled<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<i64>() {
        Ok(seconds) if digits => Ok(seconds.unsigned_abs()),
        Ok(_) | Err(_) => not_modelled("a creationTime out of the ordinary"),
    }
}

/// What the schema takes for a name, and short enough for a metadata file.
fn plain_name(name: &str) -> Ruled<()> {
    let inner = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let plain = !name.is_empty() && !name.starts_with('.') && name.chars().all(inner);
    if plain && name.len() <= 247 {
        return Ok(());
    }
    not_modelled("a checkpoint name out of the ordinary")
}

fn checkpoint_disk(disk: Node<'_, '_>) -> Ruled<CheckpointDiskElement> {
    known(disk, &["name", "checkpoint", "bitmap", "size"], &[])?;
    let has_bitmap = match disk.attribute("checkpoint") {
        None | Some("bitmap") => true,
        Some("no") => false,
        Some(kind) => return not_modelled(format!("a checkpoint disk of type {kind}")),
    };
    let Some(name) = disk.attribute("name") else {
        return not_modelled("a checkpoint disk without name");
    };
    if !has_bitmap && (disk.has_attribute("bitmap") || disk.has_attribute("size")) {
        return not_modelled("a bitmap of a checkpoint disk of type no");
    }
    let bitmap = disk.attribute("bitmap").map(str::to_owned);
    Ok(CheckpointDiskElement {
        name: name.to_owned(),
        has_bitmap,
        bitmap,
    })
}

pub(super) fn backup(xml: Option<&str>) -> Ruled<BackupDocument> {
    let Some(xml) = xml else {
        let message = "backupXML in virDomainBackupBegin must not be NULL".to_owned();
        return refuse_flags(ErrorDomain::DOMAIN, message);
    };
    let document = well_formed(xml)?;
    let root = rooted(&document, "domainbackup")?;
    known(root, &["mode"], &["incremental", "disks"])?;
    if root.attribute("mode").is_some_and(|mode| mode != "push") {
        return not_modelled("a pull backup");
    }
    let disks = match element(root, "disks") {
        None => None,
        Some(list) => Some(
            disk_elements(list)?
                .map(backup_disk)
                .collect::<Ruled<_>>()?,
        ),
    };
    // An empty global `<incremental/>` counts as absent.
    let incremental = text_of(root, "incremental").filter(|base| !base.is_empty());
    Ok(BackupDocument { incremental, disks })
}

fn backup_disk(disk: Node<'_, '_>) -> Ruled<BackupDiskElement> {
    known(disk, &["name", "backup", "type"], &["driver", "target"])?;
    let Some(name) = disk.attribute("name") else {
        return not_modelled("a backup disk without name");
    };
    let backup = match disk.attribute("backup") {
        None | Some("yes") => true,
        Some("no") => false,
        Some(word) => return not_modelled(format!("backup='{word}'")),
    };
    // The schema wants a type where there is a target (seen on 11.3.0).
    match (disk.attribute("type"), element(disk, "target")) {
        (Some("file"), _) | (None, None) => {}
        (Some(kind), _) => return not_modelled(format!("a backup target of type {kind}")),
        (None, Some(_)) => return not_modelled("a backup target without a type"),
    }
    if let Some(driver) = element(disk, "driver") {
        known(driver, &["type"], &[])?;
    }
    let format = element(disk, "driver").and_then(|driver| driver.attribute("type"));
    let format = match format.map(str::parse) {
        None => None,
        Some(Ok(format)) => Some(format),
        Some(Err(_)) => return not_modelled("a target format other than qcow2 and raw"),
    };
    let target = element(disk, "target");
    let mut secret_usage = None;
    if let Some(target) = target {
        known(target, &["file"], &["encryption"])?;
        secret_usage = element(target, "encryption").map(encryption).transpose()?;
    }
    Ok(BackupDiskElement {
        name: name.to_owned(),
        backup,
        target: target
            .and_then(|target| target.attribute("file"))
            .map(str::to_owned),
        format,
        secret_usage,
    })
}

/// The usage name of the secret.
fn encryption(encryption: Node<'_, '_>) -> Ruled<String> {
    known(encryption, &["format"], &["secret"])?;
    if encryption.attribute("format") != Some("luks") {
        return not_modelled("an encryption other than luks");
    }
    let secret = element(encryption, "secret");
    if let Some(secret) = secret {
        known(secret, &["type", "usage"], &[])?;
    }
    let usage = secret.filter(|secret| secret.attribute("type") == Some("passphrase"));
    match usage.and_then(|secret| secret.attribute("usage")) {
        Some(usage) => Ok(usage.to_owned()),
        None => not_modelled("an encrypted target whose secret is not named by usage"),
    }
}

fn well_formed(xml: &str) -> Ruled<Document<'_>> {
    Document::parse(xml).or_else(|_| not_modelled("XML that is not well-formed"))
}

/// `src/util/virxml.c:virXMLParseHelper`.
fn rooted<'a, 'input>(document: &'a Document<'input>, name: &str) -> Ruled<Node<'a, 'input>> {
    let root = document.root_element();
    if root.has_tag_name(name) {
        return Ok(root);
    }
    let found = root.tag_name().name();
    let text = format!("expecting root element of '{name}', not '{found}'");
    refuse(ErrorCode::XML_ERROR, ErrorDomain::XML, &text)
}

/// Everything in `node` must be known, and stand there once, or the schema's verdict would be
/// invented.
fn known(node: Node<'_, '_>, attributes: &[&str], elements: &[&str]) -> Ruled<()> {
    let inside = node.tag_name().name();
    let foreign = node
        .attributes()
        .find(|attribute| !attributes.contains(&attribute.name()));
    if let Some(attribute) = foreign {
        return not_modelled(format!("attribute {} of <{inside}>", attribute.name()));
    }
    let mut seen = Vec::new();
    for child in node.children().filter(Node::is_element) {
        let name = child.tag_name().name();
        if !elements.contains(&name) {
            return not_modelled(format!("<{name}> in <{inside}>"));
        }
        if seen.contains(&name) && name != "disk" {
            return not_modelled(format!("two <{name}> in <{inside}>"));
        }
        seen.push(name);
    }
    Ok(())
}

/// The `<disk>` elements of a `<disks>`; an empty list is a schema error, which is not modelled.
fn disk_elements<'a, 'input>(
    list: Node<'a, 'input>,
) -> Ruled<impl Iterator<Item = Node<'a, 'input>>> {
    known(list, &[], &["disk"])?;
    let mut disks = list.children().filter(Node::is_element).peekable();
    if disks.peek().is_none() {
        return not_modelled("an empty <disks>");
    }
    Ok(disks)
}

fn element<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn text_of(node: Node<'_, '_>, name: &str) -> Option<String> {
    Some(element(node, name)?.text().unwrap_or_default().to_owned())
}

//! `<domainbackup>`.

use roxmltree::Node;

use super::grammar::{disk_elements, element, known, rooted, text_of, well_formed};
use crate::driver::mock::answer::{Ruled, not_modelled, refuse_flags};
use crate::model::{DiskFormat, ErrorDomain};

/// A `<domainbackup mode='push'>`.
pub(in crate::driver::mock) struct BackupDocument {
    pub(in crate::driver::mock) incremental: Option<String>,
    pub(in crate::driver::mock) disks: Option<Vec<BackupDiskElement>>,
}

/// A `<disk>` of a backup document.
pub(in crate::driver::mock) struct BackupDiskElement {
    pub(in crate::driver::mock) name: String,
    pub(in crate::driver::mock) backup: bool,
    pub(in crate::driver::mock) target: Option<String>,
    pub(in crate::driver::mock) format: Option<DiskFormat>,
    /// Usage name of the secret of an encrypted target.
    pub(in crate::driver::mock) secret_usage: Option<String>,
}

pub(in crate::driver::mock) fn backup(xml: Option<&str>) -> Ruled<BackupDocument> {
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

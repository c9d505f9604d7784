//! `src/conf/schemas/domainbackup.rng`.

use std::net::Ipv6Addr;

use roxmltree::Node;

use super::answer::ruled;
use super::pattern::{
    Fault, Open, Verdict, invalid, is_absolute_path, is_disk_target, is_unsigned_int, text_only,
    typed,
};
use crate::driver::mock::answer::Ruled;
use crate::driver::mock::version::{Descriptors, Rules};

/// `storagecommon.rng:storageFormat`, and `storageFormatBacking` in it.
const FORMATS: &[&str] = &[
    "raw", "dir", "bochs", "cloop", "dmg", "iso", "vpc", "vdi", "fat", "vhd", "ploop", "luks",
    "cow", "qcow", "qcow2", "qed", "vmdk",
];

/// Whether the schema lets a document through whose root element bears the right name.
pub(in crate::driver::mock::intake) fn validate(root: Node<'_, '_>, rules: Rules) -> Ruled<()> {
    ruled(domain_backup(root, rules), "domainbackup.rng")
}

fn domain_backup(root: Node<'_, '_>, rules: Rules) -> Verdict {
    let mut backup = Open::of(root)?;
    let is_pull = backup.one_of("mode", &["push", "pull"])? == Some("pull");
    if let Some(base) = backup.child("incremental") {
        text_only(base)?;
    }
    if is_pull {
        match backup.child("server") {
            Some(node) => server(node, rules)?,
            None => return invalid("a pull without server"),
        }
    }
    if let Some(disks) = backup.child("disks") {
        let mut list = Open::of(disks)?;
        for disk in list.one_or_more("disk")? {
            if is_pull {
                disk_of_pull(disk)?;
            } else {
                disk_of_push(disk, rules)?;
            }
        }
        list.close()?;
    }
    backup.close()
}

/// One form for each transport.
fn server(node: Node<'_, '_>, rules: Rules) -> Verdict {
    let mut server = Open::of(node)?;
    server.one_of("tls", &["yes", "no"])?;
    let transports: &[&str] = if rules.descriptors == Descriptors::Unknown {
        &["tcp", "unix"]
    } else {
        &["tcp", "unix", "fd"]
    };
    match server.one_of("transport", transports)? {
        Some("unix") => typed(is_absolute_path, server.attribute("socket")?)?,
        Some("fd") => {
            server.attribute("fdgroup")?;
        }
        Some(_) | None => {
            typed(is_host, server.attribute("name")?)?;
            if let Some(port) = server.optional("port") {
                typed(is_unsigned_int, port)?;
            }
        }
    }
    server.close()
}

/// `dnsName`, which every IPv4 address is, or `ipAddr`.
fn is_host(value: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    let is_name = !value.is_empty() && value.chars().all(inner);
    is_name || value.parse::<Ipv6Addr>().is_ok()
}

/// `backupDisksPush`.
fn disk_of_push(node: Node<'_, '_>, rules: Rules) -> Verdict {
    let mut disk = Open::of(node)?;
    typed(is_disk_target, disk.attribute("name")?)?;
    mode(&mut disk)?;
    if disk.one_of("backup", &["yes", "no"])? == Some("no") {
        return disk.close();
    }
    let Some(kind) = disk.one_of("type", &["file", "block"])? else {
        if !rules.takes_plain_disk {
            return invalid("a disk without type");
        }
        return disk.close();
    };
    if let Some(target) = disk.child("target") {
        store(target, kind)?;
    }
    if let Some(node) = disk.child("driver") {
        driver(node, FORMATS)?;
    }
    disk.close()
}

/// `backupDisksPull`. A file needs no type, but `backup='yes'` does; a driver needs a scratch.
fn disk_of_pull(node: Node<'_, '_>) -> Verdict {
    let mut disk = Open::of(node)?;
    typed(is_disk_target, disk.attribute("name")?)?;
    mode(&mut disk)?;
    disk.optional("exportname");
    disk.optional("exportbitmap");
    let chosen = disk.one_of("backup", &["yes", "no"])?;
    if chosen == Some("no") {
        return disk.close();
    }
    let kind = disk.one_of("type", &["file", "block"])?;
    if chosen.is_some() && kind.is_none() {
        return invalid("a chosen disk without type");
    }
    match disk.child("scratch") {
        Some(scratch) => {
            store(scratch, kind.unwrap_or("file"))?;
            if let Some(node) = disk.child("driver") {
                driver(node, &["qcow2"])?;
            }
        }
        None if kind == Some("block") => return invalid("a block device without scratch"),
        None => {}
    }
    disk.close()
}

/// `backupDiskMode`: a base is given to an incremental disk only.
fn mode(disk: &mut Open<'_, '_>) -> Verdict {
    let mode = disk.one_of("backupmode", &["full", "incremental"])?;
    if mode != Some("full") {
        disk.optional("incremental");
    }
    Ok(())
}

/// `<target>` or `<scratch>`.
fn store(node: Node<'_, '_>, kind: &str) -> Verdict {
    let mut store = Open::of(node)?;
    let path = if kind == "block" { "dev" } else { "file" };
    typed(is_absolute_path, store.attribute(path)?)?;
    if let Some(encryption) = store.child("encryption") {
        encrypted(encryption)?;
    }
    if store.child("seclabel").is_some() {
        return Err(Fault::NotModelled("a label of a backup file".to_owned()));
    }
    store.close()
}

fn driver(node: Node<'_, '_>, formats: &[&str]) -> Verdict {
    let mut driver = Open::of(node)?;
    let format = driver.attribute("type")?;
    if !formats.contains(&format) {
        return invalid(format!("a format {format}"));
    }
    driver.close()
}

/// `backupEncryption`.
fn encrypted(node: Node<'_, '_>) -> Verdict {
    let mut encryption = Open::of(node)?;
    if encryption.attribute("format")? != "luks" {
        return invalid("an encryption other than luks");
    }
    encryption.one_of("engine", &["qemu"])?;
    let Some(secret) = encryption.child("secret") else {
        return invalid("an encryption without secret");
    };
    if encryption.child("cipher").is_some() || encryption.child("ivgen").is_some() {
        return Err(Fault::NotModelled("a cipher of a backup file".to_owned()));
    }
    encryption.close()?;
    let mut secret = Open::of(secret)?;
    if secret.attribute("type")? != "passphrase" {
        return invalid("a secret other than a passphrase");
    }
    if let Some(uuid) = secret.optional("uuid") {
        typed(is_uuid, uuid)?;
    } else {
        secret.attribute("usage")?;
    }
    secret.close()
}

/// `basictypes.rng:UUID`.
fn is_uuid(value: &str) -> bool {
    let is_hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let groups: Vec<&str> = value.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    (lengths == [32] || lengths == [8, 4, 4, 4, 12]) && groups.into_iter().all(is_hex)
}

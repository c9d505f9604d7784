//! `<domainbackup>` (`docs/formatbackup.rst`).

use roxmltree::Node;

use super::grammar::{disk_elements, element, known, rooted, text_of, well_formed};
use crate::driver::mock::answer::{Ruled, not_modelled, refuse_flags};
use crate::model::{DiskFormat, ErrorDomain, NbdServer};

/// A `<domainbackup>`.
pub(in crate::driver::mock) struct BackupDocument {
    /// The server of a pull backup; a push has none.
    pub(in crate::driver::mock) server: Option<ServerElement>,
    pub(in crate::driver::mock) incremental: Option<String>,
    pub(in crate::driver::mock) disks: Option<Vec<BackupDiskElement>>,
}

/// A `<server>`.
pub(in crate::driver::mock) struct ServerElement {
    /// `None` for TCP without a port.
    pub(in crate::driver::mock) place: Option<NbdServer>,
    pub(in crate::driver::mock) name: Option<String>,
}

/// A `<disk>` of a backup document.
pub(in crate::driver::mock) struct BackupDiskElement {
    pub(in crate::driver::mock) name: String,
    pub(in crate::driver::mock) backup: bool,
    pub(in crate::driver::mock) mode: Option<BackupDiskMode>,
    pub(in crate::driver::mock) incremental: Option<String>,
    pub(in crate::driver::mock) export_name: Option<String>,
    pub(in crate::driver::mock) export_bitmap: Option<String>,
    /// `<target>` of a push, `<scratch>` of a pull.
    pub(in crate::driver::mock) store: Option<String>,
    pub(in crate::driver::mock) format: Option<DiskFormat>,
    /// Usage name of the secret of an encrypted store.
    pub(in crate::driver::mock) secret_usage: Option<String>,
}

/// A `backupmode`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::driver::mock) enum BackupDiskMode {
    Full,
    Incremental,
}

impl BackupDiskElement {
    /// What a document without `<disks>` asks of each disk.
    pub(in crate::driver::mock) fn plain(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            backup: true,
            mode: None,
            incremental: None,
            export_name: None,
            export_bitmap: None,
            store: None,
            format: None,
            secret_usage: None,
        }
    }
}

pub(in crate::driver::mock) fn backup(xml: Option<&str>) -> Ruled<BackupDocument> {
    let Some(xml) = xml else {
        let message = "backupXML in virDomainBackupBegin must not be NULL".to_owned();
        return refuse_flags(ErrorDomain::DOMAIN, message);
    };
    let document = well_formed(xml)?;
    let root = rooted(&document, "domainbackup")?;
    known(root, &["mode"], &["incremental", "server", "disks"])?;
    let is_pull = match root.attribute("mode") {
        None | Some("push") => false,
        Some("pull") => true,
        Some(mode) => return not_modelled(format!("a backup of mode {mode}")),
    };
    let server = match (is_pull, element(root, "server")) {
        (false, None) => None,
        (true, Some(node)) => Some(server(node)?),
        // The schema wants it there and only there.
        (_, _) => return not_modelled("a <server> in a push, or a pull without one"),
    };
    let disks = match element(root, "disks") {
        None => None,
        Some(list) => Some(
            disk_elements(list)?
                .map(|disk| backup_disk(disk, is_pull))
                .collect::<Ruled<_>>()?,
        ),
    };
    // An empty global `<incremental/>` counts as absent.
    let incremental = text_of(root, "incremental").filter(|base| !base.is_empty());
    Ok(BackupDocument {
        server,
        incremental,
        disks,
    })
}

fn server(server: Node<'_, '_>) -> Ruled<ServerElement> {
    known(server, &["transport", "name", "port", "socket"], &[])?;
    let attribute = |name: &str| server.attribute(name);
    match (attribute("transport"), attribute("name")) {
        (Some("unix"), None) if attribute("port").is_none() => {
            let socket = attribute("socket").filter(|path| path.starts_with('/'));
            let Some(socket) = socket else {
                return not_modelled("a server without the absolute path of a socket");
            };
            Ok(ServerElement {
                place: Some(NbdServer::Socket(socket.to_owned())),
                name: None,
            })
        }
        (Some("tcp") | None, Some(name @ ("127.0.0.1" | "localhost")))
            if attribute("socket").is_none() =>
        {
            let port = match attribute("port").map(str::parse::<u16>) {
                None | Some(Ok(0)) => None,
                Some(Ok(port)) => Some(NbdServer::Port(port)),
                Some(Err(_)) => return not_modelled("a port that is none"),
            };
            Ok(ServerElement {
                place: port,
                name: Some(name.to_owned()),
            })
        }
        (_, _) => not_modelled("a server other than on a socket or a port of the loopback"),
    }
}

fn backup_disk(disk: Node<'_, '_>, is_pull: bool) -> Ruled<BackupDiskElement> {
    let (store, attributes): (_, &[&str]) = if is_pull {
        let attributes = &[
            "name",
            "backup",
            "type",
            "backupmode",
            "incremental",
            "exportname",
            "exportbitmap",
        ];
        ("scratch", attributes)
    } else {
        let attributes = &["name", "backup", "type", "backupmode", "incremental"];
        ("target", attributes)
    };
    known(disk, attributes, &["driver", store])?;
    let attribute = |name: &str| disk.attribute(name).map(str::to_owned);
    let Some(name) = attribute("name") else {
        return not_modelled("a backup disk without name");
    };
    let backup = match disk.attribute("backup") {
        None | Some("yes") => true,
        Some("no") => false,
        Some(word) => return not_modelled(format!("backup='{word}'")),
    };
    let mode = match disk.attribute("backupmode") {
        None => None,
        Some("full") => Some(BackupDiskMode::Full),
        Some("incremental") => Some(BackupDiskMode::Incremental),
        Some(word) => return not_modelled(format!("backupmode='{word}'")),
    };
    if mode == Some(BackupDiskMode::Full) && disk.has_attribute("incremental") {
        // The schema refuses it (seen on 11.3.0).
        return not_modelled("a full backup of a disk with a base");
    }
    // The schema wants a type where there is a target (seen on 11.3.0).
    match (disk.attribute("type"), element(disk, store)) {
        (Some("file"), _) | (None, None) => {}
        (Some(kind), _) => return not_modelled(format!("a backup <{store}> of type {kind}")),
        (None, Some(_)) => return not_modelled(format!("a backup <{store}> without a type")),
    }
    if let Some(driver) = element(disk, "driver") {
        known(driver, &["type"], &[])?;
    }
    let format = element(disk, "driver").and_then(|driver| driver.attribute("type"));
    let format = match format.map(str::parse) {
        None => None,
        // The schema takes no other format for a scratch file (seen on 11.3.0).
        Some(Ok(DiskFormat::Raw)) if is_pull => return not_modelled("a raw scratch file"),
        Some(Ok(format)) => Some(format),
        Some(Err(_)) => return not_modelled("a backup format other than qcow2 and raw"),
    };
    let node = element(disk, store);
    let mut secret_usage = None;
    if let Some(node) = node {
        known(node, &["file"], &["encryption"])?;
        secret_usage = element(node, "encryption").map(encryption).transpose()?;
    }
    let path = node.and_then(|node| node.attribute("file"));
    Ok(BackupDiskElement {
        name,
        backup,
        mode,
        incremental: attribute("incremental"),
        export_name: attribute("exportname"),
        export_bitmap: attribute("exportbitmap"),
        store: path.map(str::to_owned),
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

//! `<domainbackup>` (`docs/formatbackup.rst`).

use roxmltree::Node;

use super::grammar::{disk_elements, element, known, rooted, text_of, well_formed_of};
use super::schema::validate_backup;
use crate::driver::mock::answer::{Ruled, not_modelled, refuse, refuse_flags};
use crate::driver::mock::version::Rules;
use crate::model::{DiskFormat, ErrorCode, ErrorDomain, NbdServer};

/// A `<domainbackup>`.
pub(in crate::driver::mock) struct BackupDocument {
    /// The server of a pull backup; a push has none.
    pub(in crate::driver::mock) server: Option<ServerElement>,
    pub(in crate::driver::mock) incremental: Option<String>,
    pub(in crate::driver::mock) disks: Option<Vec<BackupDiskElement>>,
}

/// A `<server>`.
pub(in crate::driver::mock) struct ServerElement {
    pub(in crate::driver::mock) place: ServerPlace,
    pub(in crate::driver::mock) name: Option<String>,
    pub(in crate::driver::mock) tls: bool,
}

/// Where a server is to listen.
pub(in crate::driver::mock) enum ServerPlace {
    At(NbdServer),
    /// TCP without a port, or with port 0.
    NoPort,
    /// On a file descriptor that the client has passed, by the name of the group.
    Descriptors(String),
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
    /// Whether that is a block device and no file.
    pub(in crate::driver::mock) is_block: bool,
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
            is_block: false,
            format: None,
            secret_usage: None,
        }
    }
}

pub(in crate::driver::mock) fn backup(xml: Option<&str>, rules: Rules) -> Ruled<BackupDocument> {
    let Some(xml) = xml else {
        let message = "backupXML in virDomainBackupBegin must not be NULL".to_owned();
        return refuse_flags(ErrorDomain::DOMAIN, message);
    };
    let document = well_formed_of(xml, ErrorDomain::DOMAIN)?;
    let root = rooted(&document, "domainbackup", ErrorDomain::DOMAIN, rules)?;
    validate_backup(root, rules)?;
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

/// `src/conf/domain_conf.c:virDomainStorageNetworkParseHost`; the schema has seen to all but the
/// port.
fn server(server: Node<'_, '_>) -> Ruled<ServerElement> {
    known(
        server,
        &["transport", "name", "port", "socket", "fdgroup", "tls"],
        &[],
    )?;
    let attribute = |name: &str| server.attribute(name).map(str::to_owned);
    let name = attribute("name");
    let place = match server.attribute("transport") {
        Some("unix") => ServerPlace::At(NbdServer::Socket(attribute("socket").unwrap_or_default())),
        Some("fd") => ServerPlace::Descriptors(attribute("fdgroup").unwrap_or_default()),
        Some(_) | None => {
            let port = server.attribute("port").map(port).transpose()?;
            match port {
                None | Some(0) => ServerPlace::NoPort,
                Some(_) if !matches!(name.as_deref(), Some("127.0.0.1" | "localhost")) => {
                    return not_modelled("a server on another address than the loopback");
                }
                Some(port) => ServerPlace::At(NbdServer::Port(port)),
            }
        }
    };
    Ok(ServerElement {
        place,
        name,
        tls: server.attribute("tls") == Some("yes"),
    })
}

/// `src/util/virstring.c:virStringParsePort`.
fn port(text: &str) -> Ruled<u16> {
    text.parse().or_else(|_| {
        let text = format!("port '{text}' out of range");
        refuse(ErrorCode::INVALID_ARG, ErrorDomain::NONE, &text)
    })
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
    let is_block = disk.attribute("type") == Some("block");
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
        known(node, &["file", "dev"], &["encryption"])?;
        secret_usage = element(node, "encryption").map(encryption).transpose()?;
    }
    let path = if is_block { "dev" } else { "file" };
    let path = node.and_then(|node| node.attribute(path));
    Ok(BackupDiskElement {
        name,
        backup,
        mode,
        incremental: attribute("incremental"),
        export_name: attribute("exportname"),
        export_bitmap: attribute("exportbitmap"),
        store: path.map(str::to_owned),
        is_block,
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

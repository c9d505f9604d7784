//! What a call asks for, read back from its documents.
//!
//! A client knows what it sent. Reading that from the XML itself serves calls that were written
//! by hand as well as those that a plan wrote.

use roxmltree::{Document, Node};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::xml::{child, text};
use super::{Api, Call, DiskFormat, ImageRef, NbdServer};

/// What a call asks for, as far as it can be read.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// The checkpoint that is created, redefined, deleted or looked at.
    pub checkpoint: Option<String>,
    /// The parent that the document of a redefined checkpoint names.
    pub parent: Option<String>,
    /// The flags, as a number.
    pub flags: u32,
    /// The disks that the call is about; empty where the document leaves the choice to libvirt,
    /// see [`Request::over`].
    pub disks: Vec<RequestedDisk>,
    /// What a backup whose document lists no disks asks of each.
    pub each_disk: Option<EachDisk>,
    /// Where the NBD server of a pull backup is to listen.
    pub server: Option<NbdServer>,
    /// Whether that server is to use TLS.
    pub tls: bool,
}

/// What a backup asks of every disk.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct EachDisk {
    /// The checkpoint that the backup is based on.
    pub base: Option<String>,
    /// Whether it is offered over NBD.
    pub is_pull: bool,
}

/// A disk that a call is about.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RequestedDisk {
    /// Target device.
    pub disk: String,
    /// The checkpoint that an incremental backup of it is based on.
    pub base: Option<String>,
    /// Where a push backup of it goes.
    pub target: Option<ImageRef>,
    /// Absolute path of the scratch file of a pull backup of it.
    pub scratch: Option<String>,
    /// What a pull backup offers of it.
    pub export: Option<Export>,
}

/// What a pull backup offers of one disk over NBD.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// Name of the export.
    pub name: String,
    /// Name of the bitmap that tells what has changed; `None` for a full backup.
    pub bitmap: Option<String>,
}

impl Request {
    /// Reads the request of a call. What cannot be read is left out: a malformed document asks
    /// for nothing.
    #[must_use]
    pub fn of(call: &Call) -> Self {
        let document = |text: &Option<String>| text.clone().unwrap_or_default();
        let (xml, checkpoint_xml) = (document(&call.xml), document(&call.checkpoint_xml));
        let (xml, checkpoint_xml) = (Document::parse(&xml), Document::parse(&checkpoint_xml));
        let root = xml.as_ref().ok().map(Document::root_element);
        let checkpoint_root = checkpoint_xml.as_ref().ok().map(Document::root_element);
        let flags = call.flags;
        match (call.api, root) {
            (Api::CheckpointCreate, Some(root)) => Self {
                checkpoint: text(root, "name"),
                parent: child(root, "parent").and_then(|parent| text(parent, "name")),
                flags,
                disks: disks(root, "checkpoint"),
                ..Self::default()
            },
            (Api::DomainBackupBegin, Some(root)) => Self {
                checkpoint: checkpoint_root.and_then(|root| text(root, "name")),
                parent: None,
                flags,
                disks: disks(root, "backup"),
                each_disk: child(root, "disks").is_none().then(|| EachDisk {
                    base: text(root, "incremental").filter(|base| !base.is_empty()),
                    is_pull: is_pull(root),
                }),
                server: child(root, "server").and_then(NbdServer::of),
                tls: child(root, "server").and_then(|server| server.attribute("tls"))
                    == Some("yes"),
            },
            (Api::DomainAttachDevice | Api::DomainDetachDevice, Some(root)) => Self {
                flags,
                disks: child(root, "target")
                    .and_then(|target| target.attribute("dev"))
                    .map(RequestedDisk::named)
                    .into_iter()
                    .collect(),
                ..Self::default()
            },
            (_, _) => Self {
                checkpoint: call.checkpoint.clone(),
                flags,
                disks: call
                    .disk
                    .iter()
                    .map(|disk| RequestedDisk::named(disk))
                    .collect(),
                ..Self::default()
            },
        }
    }

    /// The same, where libvirt chooses among these disks of the domain: a backup without `<disks>`
    /// takes each that is neither empty nor read-only
    /// (`src/conf/backup_conf.c:virDomainBackupAlignDisks`).
    #[must_use]
    pub fn over(mut self, disks: impl IntoIterator<Item = String>) -> Self {
        if let Some(EachDisk { base, is_pull }) = self.each_disk.take() {
            let requested = |disk: String| RequestedDisk {
                export: is_pull.then(|| Export::of(&disk, base.is_some())),
                base: base.clone(),
                ..RequestedDisk::named(&disk)
            };
            self.disks = disks.into_iter().map(requested).collect();
        }
        self
    }

    /// The checkpoint whose bitmap each disk needs: the base of a backup, or the one that is
    /// redefined. Disks that need none are left out.
    pub fn needed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.disks
            .iter()
            .filter_map(|disk| Some((disk.disk.as_str(), disk.base.as_deref()?)))
    }

    /// Target and scratch files.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.disks.iter().filter_map(|disk| {
            let target = disk.target.as_ref().map(|target| target.path.as_str());
            target.or(disk.scratch.as_deref())
        })
    }

    /// Target devices of the disks.
    pub fn disk_names(&self) -> impl Iterator<Item = &str> {
        self.disks.iter().map(|disk| disk.disk.as_str())
    }
}

/// The disks of a document, but for those that `attribute` says `no` to. The base of each is what
/// `src/conf/backup_conf.c:virDomainBackupAlignDisks` makes of the document; the base of a
/// checkpoint's disk is the checkpoint itself.
fn disks(root: Node<'_, '_>, attribute: &str) -> Vec<RequestedDisk> {
    let common = text(
        root,
        if attribute == "checkpoint" {
            "name"
        } else {
            "incremental"
        },
    );
    let common = common.filter(|base| !base.is_empty());
    let is_pull = is_pull(root);
    let list = child(root, "disks")
        .into_iter()
        .flat_map(|list| list.children());
    let chosen =
        list.filter(|node| node.has_tag_name("disk") && node.attribute(attribute) != Some("no"));
    chosen
        .filter_map(|node| {
            let format = child(node, "driver").and_then(|driver| driver.attribute("type"));
            let format = format.map_or(Some(DiskFormat::Qcow2), |word| word.parse().ok());
            let file = |name| child(node, name).and_then(|file| file.attribute("file"));
            let path = file("target");
            let base = match (node.attribute("backupmode"), node.attribute("incremental")) {
                (Some("full"), _) => None,
                (_, Some(own)) => Some(own.to_owned()),
                (_, None) => common.clone(),
            };
            let disk = node.attribute("name")?.to_owned();
            Some(RequestedDisk {
                export: is_pull.then(|| export(node, &disk, base.is_some())),
                disk,
                base,
                scratch: file("scratch").map(str::to_owned),
                target: path.zip(format).map(|(path, format)| ImageRef {
                    path: path.to_owned(),
                    format,
                }),
            })
        })
        .collect()
}

impl RequestedDisk {
    /// A disk of which nothing more is asked.
    #[must_use]
    pub fn named(disk: &str) -> Self {
        Self {
            disk: disk.to_owned(),
            ..Self::default()
        }
    }
}

fn is_pull(root: Node<'_, '_>) -> bool {
    root.attribute("mode") == Some("pull")
}

impl Export {
    /// The names that `src/conf/backup_conf.c:virDomainBackupAlignDisks` and
    /// `src/qemu/qemu_backup.c:qemuBackupBeginPullExportDisks` give where the document names none.
    fn of(disk: &str, is_incremental: bool) -> Self {
        Self {
            name: disk.to_owned(),
            bitmap: is_incremental.then(|| format!("backup-{disk}")),
        }
    }
}

fn export(node: Node<'_, '_>, disk: &str, is_incremental: bool) -> Export {
    let given = |name: &str| node.attribute(name).map(str::to_owned);
    let named = Export::of(disk, is_incremental);
    Export {
        name: given("exportname").unwrap_or(named.name),
        bitmap: named
            .bitmap
            .map(|bitmap| given("exportbitmap").unwrap_or(bitmap)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(xml: &str) -> Vec<(String, String)> {
        let call = Call::new(Api::DomainBackupBegin, "d").xml(xml.to_owned());
        let request = Request::of(&call);
        request
            .needed()
            .map(|(disk, base)| (disk.to_owned(), base.to_owned()))
            .collect()
    }

    #[test]
    fn each_disk_has_the_base_that_libvirt_gives_it() {
        let xml = "<domainbackup><incremental>c1</incremental><disks><disk name='vda'/>\
            <disk name='vdb' backupmode='full'/><disk name='vdc' incremental='c2'/>\
            <disk name='vdd' backup='no'/></disks></domainbackup>";
        let pair = |disk: &str, base: &str| (disk.to_owned(), base.to_owned());
        assert_eq!(needed(xml), [pair("vda", "c1"), pair("vdc", "c2")]);
        assert_eq!(
            needed("<domainbackup><disks><disk name='vda'/></disks></domainbackup>"),
            []
        );
        assert_eq!(needed("not XML"), []);
    }

    #[test]
    fn without_a_list_every_disk_takes_part() {
        let xml = "<domainbackup mode='pull'><incremental>c1</incremental></domainbackup>";
        let call = Call::new(Api::DomainBackupBegin, "d").xml(xml.to_owned());
        let request = Request::of(&call).over(["vda".to_owned()]);
        assert_eq!(request.needed().collect::<Vec<_>>(), [("vda", "c1")]);
        let bitmap = request.disks[0].export.as_ref().unwrap().bitmap.as_deref();
        assert_eq!(bitmap, Some("backup-vda"));
        let listed = call.xml(xml.replace("</d", "<disks><disk name='vdb'/></disks></d"));
        let request = Request::of(&listed).over(["vda".to_owned()]);
        assert_eq!(request.needed().collect::<Vec<_>>(), [("vdb", "c1")]);
    }

    #[test]
    fn a_pull_backup_offers_what_libvirt_names() {
        let xml = "<domainbackup mode='pull'><incremental>c1</incremental>\
            <server transport='tcp' name='127.0.0.1' port='10809'/><disks><disk name='vda'/>\
            <disk name='vdb' backupmode='full' exportname='b' exportbitmap='c'/></disks></domainbackup>";
        let request = Request::of(&Call::new(Api::DomainBackupBegin, "d").xml(xml.to_owned()));
        assert_eq!(request.server, Some(NbdServer::Port(10_809)));
        let exports: Vec<_> = request.disks.into_iter().map(|disk| disk.export).collect();
        let export = |name: &str, bitmap: Option<&str>| {
            Some(Export {
                name: name.to_owned(),
                bitmap: bitmap.map(str::to_owned),
            })
        };
        assert_eq!(
            exports,
            [export("vda", Some("backup-vda")), export("b", None)]
        );
    }
}

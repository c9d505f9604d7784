//! What a call asks for, read back from its documents.
//!
//! A client knows what it sent. Reading that from the XML itself serves calls that were written
//! by hand as well as those that a plan wrote.

use roxmltree::{Document, Node};
use serde::{Deserialize, Serialize};

use super::{Api, Call, DiskFormat, ImageRef, NbdServer};

/// What a call asks for, as far as it can be read.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Request {
    /// The checkpoint that is created, redefined, deleted or looked at.
    pub checkpoint: Option<String>,
    /// The disks that the call is about; empty where the document leaves the choice to libvirt.
    pub disks: Vec<RequestedDisk>,
    /// Where the NBD server of a pull backup is to listen.
    #[serde(default)]
    pub server: Option<NbdServer>,
}

/// A disk that a call is about.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RequestedDisk {
    /// Target device.
    pub disk: String,
    /// The checkpoint that an incremental backup of it is based on.
    pub base: Option<String>,
    /// Where a push backup of it goes.
    pub target: Option<ImageRef>,
    /// What a pull backup offers of it.
    #[serde(default)]
    pub export: Option<Export>,
}

/// What a pull backup offers of one disk over NBD.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
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
        match (call.api, root) {
            (Api::CheckpointCreate, Some(root)) => Self {
                checkpoint: text(root, "name"),
                disks: disks(root, "checkpoint"),
                server: None,
            },
            (Api::DomainBackupBegin, Some(root)) => Self {
                checkpoint: checkpoint_root.and_then(|root| text(root, "name")),
                disks: disks(root, "backup"),
                server: child(root, "server").and_then(NbdServer::of),
            },
            (_, _) => Self {
                checkpoint: call.checkpoint.clone(),
                ..Self::default()
            },
        }
    }

    /// The checkpoint whose bitmap each disk needs: the base of a backup, or the one that is
    /// redefined. Disks that need none are left out.
    pub fn needed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.disks
            .iter()
            .filter_map(|disk| Some((disk.disk.as_str(), disk.base.as_deref()?)))
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
    let is_pull = root.attribute("mode") == Some("pull");
    let list = child(root, "disks")
        .into_iter()
        .flat_map(|list| list.children());
    let chosen =
        list.filter(|node| node.has_tag_name("disk") && node.attribute(attribute) != Some("no"));
    chosen
        .filter_map(|node| {
            let format = child(node, "driver").and_then(|driver| driver.attribute("type"));
            let format = format.map_or(Some(DiskFormat::Qcow2), |word| word.parse().ok());
            let path = child(node, "target").and_then(|target| target.attribute("file"));
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
                target: path.zip(format).map(|(path, format)| ImageRef {
                    path: path.to_owned(),
                    format,
                }),
            })
        })
        .collect()
}

/// The names that `src/conf/backup_conf.c:virDomainBackupAlignDisks` and
/// `src/qemu/qemu_backup.c:qemuBackupBeginPullExportDisks` give what the document leaves open.
fn export(node: Node<'_, '_>, disk: &str, is_incremental: bool) -> Export {
    let given = |name: &str| node.attribute(name).map(str::to_owned);
    Export {
        name: given("exportname").unwrap_or_else(|| disk.to_owned()),
        bitmap: is_incremental
            .then(|| given("exportbitmap").unwrap_or_else(|| format!("backup-{disk}"))),
    }
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn text(node: Node<'_, '_>, name: &str) -> Option<String> {
    Some(child(node, name)?.text()?.to_owned())
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

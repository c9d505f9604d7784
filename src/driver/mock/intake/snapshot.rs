//! `<domainsnapshot>`, as far as the plan writes one.

use super::grammar::{element, known, text_of, well_formed};
use crate::driver::mock::answer::{Ruled, not_modelled};

/// What a snapshot's document says.
pub(in crate::driver::mock) struct SnapshotDocument {
    pub(in crate::driver::mock) name: String,
    /// `None` leaves the choice to libvirt.
    pub(in crate::driver::mock) disks: Option<Vec<SnapshotElement>>,
}

/// A `<disk>` of it.
pub(in crate::driver::mock) struct SnapshotElement {
    pub(in crate::driver::mock) disk: String,
    pub(in crate::driver::mock) kind: SnapshotPart,
}

/// How a disk takes part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::driver::mock) enum SnapshotPart {
    No,
    Internal,
    /// With a new layer at this path.
    External(String),
}

pub(in crate::driver::mock) fn snapshot(xml: Option<&str>) -> Ruled<SnapshotDocument> {
    let Some(xml) = xml else {
        return not_modelled("virDomainSnapshotCreateXML with NULL");
    };
    let document = well_formed(xml)?;
    let root = document.root_element();
    known(root, &[], &["name", "disks"])?;
    let name = match text_of(root, "name") {
        Some(name) if root.has_tag_name("domainsnapshot") => name,
        Some(_) | None => return not_modelled("a snapshot without a name"),
    };
    let Some(list) = element(root, "disks") else {
        return Ok(SnapshotDocument { name, disks: None });
    };
    let mut disks = Vec::new();
    for node in super::grammar::disk_elements(list)? {
        known(node, &["name", "snapshot"], &["source"])?;
        let source = element(node, "source").and_then(|source| source.attribute("file"));
        let kind = match (node.attribute("snapshot"), source) {
            (Some("no"), None) => SnapshotPart::No,
            (Some("internal"), None) => SnapshotPart::Internal,
            (Some("external"), Some(path)) => SnapshotPart::External(path.to_owned()),
            (_, _) => return not_modelled("a snapshot of a disk that does not say where"),
        };
        let Some(disk) = node.attribute("name").map(str::to_owned) else {
            return not_modelled("a snapshot of a disk without a name");
        };
        disks.push(SnapshotElement { disk, kind });
    }
    let disks = Some(disks);
    Ok(SnapshotDocument { name, disks })
}

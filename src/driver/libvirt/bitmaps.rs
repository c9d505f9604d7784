//! Dirty bitmaps: those QEMU has in memory, and those stored in closed images.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};
use serde_json::Value;

use super::tools;
use crate::driver::DriverError;
use crate::model::{BitmapRow, BitmapTable, DiskFormat, ImageRef, Size};

/// The QMP command whose reply [`live`] reads.
pub(super) const QUERY: &str = r#"{"execute":"query-named-block-nodes","arguments":{"flat":true}}"#;

/// The bitmaps in QEMU's reply to [`QUERY`] on the disks of a live domain's XML.
///
/// libvirt names the nodes of a layer `libvirt-N-format` and `libvirt-N-storage`, N being the
/// layer's `index` in the live XML (`src/qemu/qemu_block.c`). Nodes that belong to no disk (a
/// backup's targets) and bitmaps without a name (a job's own) are left out.
pub(super) fn live(xml: &str, reply: &str) -> Result<BitmapTable, DriverError> {
    let layers = layers(xml)?;
    let reply: Value = serde_json::from_str(reply)
        .map_err(|error| failed(&format!("QEMU's answer is no JSON: {error}")))?;
    let nodes = reply["return"].as_array();
    let nodes = nodes.ok_or_else(|| failed(&format!("QEMU lists no block nodes: {reply}")))?;
    let mut rows = Vec::new();
    for node in nodes {
        let name = node["node-name"].as_str().unwrap_or_default();
        let Some((disk, layer)) = node_index(name).and_then(|index| layers.get(&index)) else {
            continue;
        };
        for bitmap in node["dirty-bitmaps"].as_array().into_iter().flatten() {
            let Some(name) = bitmap["name"].as_str() else {
                continue;
            };
            let flag = |key: &str| bitmap[key].as_bool().unwrap_or(false);
            rows.push(BitmapRow {
                disk: disk.clone(),
                layer: *layer,
                name: name.to_owned(),
                persistent: flag("persistent"),
                recording: flag("recording"),
                inconsistent: flag("inconsistent"),
                busy: flag("busy"),
                granularity: granularity(bitmap)?,
                dirty: bitmap["count"].as_u64().map(Size),
            });
        }
    }
    Ok(BitmapTable::of(rows))
}

/// The bitmaps stored in closed images. Where a disk is given more than one image, they are its
/// layers, top first. A raw image stores none, and of one that QEMU does not open none can be seen.
pub(super) fn stored(disks: &[(String, ImageRef)]) -> Result<BitmapTable, DriverError> {
    let mut rows = Vec::new();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for (disk, image) in disks {
        let next = seen.entry(disk).or_default();
        let layer = *next;
        *next += 1;
        if image.format == DiskFormat::Raw {
            continue;
        }
        let arguments = ["info", "--output=json", &tools::alone(image)];
        let output = tools::qemu_img(&arguments)?;
        if output.status == Some(1) && output.is_refused() {
            continue;
        }
        let info = output.succeeded()?.json()?;
        let bitmaps = info["format-specific"]["data"]["bitmaps"].as_array();
        for bitmap in bitmaps.into_iter().flatten() {
            let flags = bitmap["flags"].as_array();
            let flag = |flag: &str| flags.is_some_and(|flags| flags.iter().any(|f| f == flag));
            rows.push(BitmapRow {
                disk: disk.clone(),
                layer,
                name: bitmap["name"].as_str().unwrap_or_default().to_owned(),
                persistent: true,
                recording: flag("auto"),
                inconsistent: flag("in-use"),
                busy: false,
                granularity: granularity(bitmap)?,
                dirty: None,
            });
        }
    }
    Ok(BitmapTable::of(rows))
}

/// The images of a domain's XML, by target device; one of a format that nobody here knows is left out.
pub(super) fn tops(xml: &str) -> Result<BTreeMap<String, ImageRef>, DriverError> {
    let document = parse(xml)?;
    let image = |node: Node<'_, '_>| {
        let target = child(node, "target")?.attribute("dev")?.to_owned();
        let format = child(node, "driver")?.attribute("type")?.parse().ok()?;
        let path = child(node, "source")?.attribute("file")?.to_owned();
        Some((target, ImageRef { path, format }))
    };
    Ok(disks(&document).filter_map(image).collect())
}

/// The node name of a layer of a disk, by the live domain's XML.
pub(super) fn node_of(xml: &str, disk: &str, layer: u32) -> Result<String, DriverError> {
    let layers = layers(xml)?;
    let mut found = layers
        .iter()
        .filter(|(_, found)| found.0 == disk && found.1 == layer);
    let found = found
        .next()
        .map(|(index, _)| format!("libvirt-{index}-format"));
    found.ok_or_else(|| failed(&format!("disk {disk} has no layer {layer}")))
}

/// The formats of the disks of a domain's XML; one that nobody here knows is left out, and so is one
/// that is empty or read-only.
pub(super) fn formats(xml: &str) -> Result<BTreeMap<String, DiskFormat>, DriverError> {
    let document = parse(xml)?;
    let format = |node: Node<'_, '_>| {
        if child(node, "source").is_none() || child(node, "readonly").is_some() {
            return None;
        }
        let target = child(node, "target")?.attribute("dev")?.to_owned();
        let format = child(node, "driver")?.attribute("type")?.parse().ok()?;
        Some((target, format))
    };
    Ok(disks(&document).filter_map(format).collect())
}

/// The path of a disk's block device in QEMU's object tree, by the alias that the live XML gives
/// the disk. A virtio device hides its block device behind a child.
pub(super) fn device_path(xml: &str, disk: &str) -> Result<String, DriverError> {
    let document = parse(xml)?;
    for node in disks(&document) {
        let target = child(node, "target");
        if target.and_then(|target| target.attribute("dev")) != Some(disk) {
            continue;
        }
        let alias = child(node, "alias").and_then(|alias| alias.attribute("name"));
        let alias = alias.ok_or_else(|| failed("the domain is not active"))?;
        let virtio = target.and_then(|target| target.attribute("bus")) == Some("virtio");
        let backend = if virtio { "/virtio-backend" } else { "" };
        return Ok(format!("/machine/peripheral/{alias}{backend}"));
    }
    Err(failed(&format!("the domain has no disk {disk}")))
}

/// Whether the live XML says that a disk's copy job is ready to pivot.
pub(super) fn mirror_is_ready(xml: &str, disk: &str) -> Result<bool, DriverError> {
    let document = parse(xml)?;
    let is_named = |node: &Node<'_, '_>| {
        child(*node, "target").and_then(|target| target.attribute("dev")) == Some(disk)
    };
    let found = disks(&document).find(is_named);
    let mirror = found.and_then(|node| child(node, "mirror"));
    Ok(mirror.and_then(|mirror| mirror.attribute("ready")) == Some("yes"))
}

/// Disk and layer of each `index` in a live domain's XML.
fn layers(xml: &str) -> Result<BTreeMap<u32, (String, u32)>, DriverError> {
    let document = parse(xml)?;
    let mut layers = BTreeMap::new();
    for disk in disks(&document) {
        let target = child(disk, "target").and_then(|target| target.attribute("dev"));
        let target = target.unwrap_or_default();
        let top = child(disk, "source").and_then(index);
        layers.extend(top.map(|index| (index, (target.to_owned(), 0))));
        let mut next = child(disk, "backingStore");
        let mut layer = 0;
        while let Some(backing) = next {
            layer += 1;
            layers.extend(index(backing).map(|index| (index, (target.to_owned(), layer))));
            next = child(backing, "backingStore");
        }
    }
    Ok(layers)
}

fn parse(xml: &str) -> Result<Document<'_>, DriverError> {
    Document::parse(xml).map_err(|error| failed(&format!("libvirt's XML is malformed: {error}")))
}

fn disks<'a, 'i>(document: &'a Document<'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    let devices = child(document.root_element(), "devices");
    let devices = devices.into_iter().flat_map(|devices| devices.children());
    devices.filter(|node| node.has_tag_name("disk"))
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn index(node: Node<'_, '_>) -> Option<u32> {
    node.attribute("index")?.parse().ok()
}

fn node_index(name: &str) -> Option<u32> {
    let rest = name.strip_prefix("libvirt-")?;
    let number = rest
        .strip_suffix("-format")
        .or_else(|| rest.strip_suffix("-storage"))?;
    number.parse().ok()
}

fn granularity(bitmap: &Value) -> Result<u32, DriverError> {
    let number = bitmap["granularity"].as_u64();
    let number = number.and_then(|number| u32::try_from(number).ok());
    number.ok_or_else(|| failed(&format!("a bitmap without granularity: {bitmap}")))
}

fn failed(message: &str) -> DriverError {
    DriverError::Failed(message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = "<domain><devices>
        <disk><source file='/b' index='3'/>
          <backingStore type='file' index='1'><source file='/a'/><backingStore/></backingStore>
          <target dev='vda' bus='virtio'/><alias name='virtio-disk0'/></disk>
        <disk><source file='/c' index='2'/><backingStore/>
          <target dev='sda' bus='scsi'/><alias name='scsi0-0-0-0'/></disk>
        </devices></domain>";

    #[test]
    fn a_bitmap_is_found_on_its_layer() {
        let reply = r#"{"return":[
            {"node-name":"libvirt-1-format","dirty-bitmaps":[{"name":"c1","granularity":65536,
             "count":0,"recording":false,"busy":false,"persistent":true,"inconsistent":true}]},
            {"node-name":"libvirt-2-storage","dirty-bitmaps":[{"granularity":65536,"count":1}]},
            {"node-name":"libvirt-3-format","dirty-bitmaps":[{"name":"c1","granularity":65536,
             "count":131072,"recording":true,"busy":false,"persistent":true}]},
            {"node-name":"libvirt-9-format","dirty-bitmaps":[{"name":"x","granularity":65536}]}]}"#;
        let table = live(XML, reply).unwrap();
        let found: Vec<_> = table
            .0
            .iter()
            .map(|row| (row.layer, row.inconsistent))
            .collect();
        assert_eq!(found, [(0, false), (1, true)]);
        assert_eq!(table.0[0].dirty, Some(Size(131_072)));
    }

    #[test]
    fn a_reply_without_nodes_is_no_empty_table() {
        assert!(live(XML, r#"{"error":{"desc":"no"}}"#).is_err());
    }

    #[test]
    fn a_copy_is_ready_when_libvirt_says_so() {
        let copy = "<target dev='vda' bus='virtio'/><mirror job='copy'/>";
        let with = |mirror| XML.replace("<target dev='vda' bus='virtio'/>", mirror);
        assert_eq!(mirror_is_ready(XML, "vda"), Ok(false));
        assert_eq!(mirror_is_ready(&with(copy), "vda"), Ok(false));
        let copy = copy.replace("job='copy'", "job='copy' ready='yes'");
        assert_eq!(mirror_is_ready(&with(&copy), "vda"), Ok(true));
        assert_eq!(mirror_is_ready(&with(&copy), "sda"), Ok(false));
    }

    #[test]
    fn only_virtio_hides_its_block_device() {
        let virtio = "/machine/peripheral/virtio-disk0/virtio-backend";
        assert_eq!(device_path(XML, "vda"), Ok(virtio.to_owned()));
        let scsi = "/machine/peripheral/scsi0-0-0-0";
        assert_eq!(device_path(XML, "sda"), Ok(scsi.to_owned()));
        assert!(device_path(XML, "vdz").is_err());
    }
}

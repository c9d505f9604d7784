//! The `<disk>` that names the destination of a block copy.

use roxmltree::Node;

use super::grammar::{element, known, well_formed};
use crate::driver::mock::answer::{Ruled, not_modelled};
use crate::model::ImageRef;

pub(in crate::driver::mock) fn block_copy(xml: Option<&str>) -> Ruled<ImageRef> {
    let Some(xml) = xml else {
        return not_modelled("virDomainBlockCopy with NULL");
    };
    let document = well_formed(xml)?;
    let disk = document.root_element();
    if !disk.has_tag_name("disk") || disk.attribute("type") != Some("file") {
        return not_modelled("a copy to anything but a file");
    }
    known(disk, &["type"], &["driver", "source"])?;
    let attribute = |child: &'static str, name: &'static str| {
        let child: Node<'_, '_> = element(disk, child)?;
        child.attribute(name)
    };
    for (child, name) in [("driver", "type"), ("source", "file")] {
        if let Some(node) = element(disk, child) {
            known(node, &[name], &[])?;
        }
    }
    let format = attribute("driver", "type").and_then(|word| word.parse().ok());
    match (attribute("source", "file"), format) {
        (Some(path), Some(format)) => Ok(ImageRef {
            path: path.to_owned(),
            format,
        }),
        (_, _) => not_modelled("a copy without path or format"),
    }
}

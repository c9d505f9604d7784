//! `<domaincheckpoint>`.

use roxmltree::Node;

use super::grammar::{disk_elements, element, known, rooted, text_of, well_formed_of};
use super::schema::validate_checkpoint;
use crate::driver::mock::answer::{Ruled, not_modelled, refuse_flags};
use crate::driver::mock::version::Rules;
use crate::model::ErrorDomain;

/// A `<domaincheckpoint>`.
#[derive(Debug)]
pub(in crate::driver::mock) struct CheckpointDocument {
    pub(in crate::driver::mock) name: Option<String>,
    pub(in crate::driver::mock) description: Option<String>,
    pub(in crate::driver::mock) parent: Option<String>,
    pub(in crate::driver::mock) creation_time: Option<u64>,
    /// `None` where the document has no `<disks>`.
    pub(in crate::driver::mock) disks: Option<Vec<CheckpointDiskElement>>,
    pub(in crate::driver::mock) domain: Option<NestedDomain>,
}

/// The `<domain>` inside, opaque but for its UUID.
#[derive(Debug)]
pub(in crate::driver::mock) struct NestedDomain {
    pub(in crate::driver::mock) uuid: Option<String>,
    pub(in crate::driver::mock) text: String,
}

/// A `<disk>` of a checkpoint document.
#[derive(Debug)]
pub(in crate::driver::mock) struct CheckpointDiskElement {
    pub(in crate::driver::mock) name: String,
    /// False for `checkpoint='no'`.
    pub(in crate::driver::mock) has_bitmap: bool,
    pub(in crate::driver::mock) bitmap: Option<String>,
}

pub(in crate::driver::mock) fn checkpoint(
    xml: Option<&str>,
    function: &str,
    rules: Rules,
) -> Ruled<CheckpointDocument> {
    let Some(xml) = xml else {
        let message = format!("xmlDesc in {function} must not be NULL");
        return refuse_flags(ErrorDomain::DOMAIN_CHECKPOINT, message);
    };
    let part = ErrorDomain::DOMAIN_CHECKPOINT;
    let document = well_formed_of(xml, part)?;
    let root = rooted(&document, "domaincheckpoint", part, rules)?;
    validate_checkpoint(root)?;
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
        Some(text) => seconds(&text)?,
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
        domain: element(root, "domain").map(|domain| NestedDomain {
            uuid: text_of(domain, "uuid"),
            text: xml[domain.range()].to_owned(),
        }),
    })
}

/// Digits only: the schema refuses the rest. libvirt keeps a signed number, and a larger one counts as
/// missing.
fn seconds(text: &str) -> Ruled<Option<u64>> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u64>() {
        Ok(seconds) if digits => Ok(i64::try_from(seconds).is_ok().then_some(seconds)),
        Ok(_) | Err(_) => not_modelled("a creationTime out of the ordinary"),
    }
}

/// What the schema takes for a name.
fn plain_name(name: &str) -> Ruled<()> {
    let inner = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if !name.is_empty() && !name.starts_with('.') && name.chars().all(inner) {
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

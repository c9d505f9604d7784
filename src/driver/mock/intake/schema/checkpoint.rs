//! `src/conf/schemas/domaincheckpoint.rng`.

use roxmltree::Node;

use super::answer::ruled;
use super::pattern::{
    Open, Verdict, invalid, is_absolute_path, is_disk_target, is_unsigned_long, text_only, typed,
};
use crate::driver::mock::answer::Ruled;

/// Whether the schema lets a document through whose root element bears the right name. Of its
/// nested domain only the head is looked at.
pub(in crate::driver::mock::intake) fn validate(root: Node<'_, '_>) -> Ruled<()> {
    ruled(domain_checkpoint(root), "domaincheckpoint.rng")
}

fn domain_checkpoint(root: Node<'_, '_>) -> Verdict {
    let mut checkpoint = Open::of(root)?;
    if let Some(name) = checkpoint.child("name") {
        typed(is_checkpoint_name, text_only(name)?)?;
    }
    if let Some(description) = checkpoint.child("description") {
        text_only(description)?;
    }
    if let Some(time) = checkpoint.child("creationTime") {
        typed(is_unsigned_long, text_only(time)?)?;
    }
    if let Some(disks) = checkpoint.child("disks") {
        let mut list = Open::of(disks)?;
        for node in list.one_or_more("disk")? {
            disk(node)?;
        }
        list.close()?;
    }
    if let Some(domain) = checkpoint.child("domain") {
        nested_domain(domain)?;
    }
    if let Some(parent) = checkpoint.child("parent") {
        let mut parent = Open::of(parent)?;
        match parent.child("name") {
            Some(name) => typed(is_checkpoint_name, text_only(name)?)?,
            None => return invalid("a parent without name"),
        }
        parent.close()?;
    }
    checkpoint.close()
}

/// `domain` of `domaincommon.rng`, as far as no domain is without it; the rest is not looked at.
fn nested_domain(node: Node<'_, '_>) -> Verdict {
    let has_name = node.children().any(|child| child.has_tag_name("name"));
    if node.attribute("type").is_some() && has_name {
        return Ok(());
    }
    invalid("a domain without type or name")
}

/// `diskcheckpoint`.
fn disk(node: Node<'_, '_>) -> Verdict {
    let mut disk = Open::of(node)?;
    let is_disk = |value: &str| is_disk_target(value) || is_absolute_path(value);
    typed(is_disk, disk.attribute("name")?)?;
    if disk.one_of("checkpoint", &["no", "bitmap"])? != Some("no") {
        disk.optional("bitmap");
        if let Some(size) = disk.optional("size") {
            typed(is_unsigned_long, size)?;
        }
    }
    disk.close()
}

/// `checkpointName`.
fn is_checkpoint_name(value: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    !value.is_empty() && !value.starts_with('.') && value.chars().all(inner)
}

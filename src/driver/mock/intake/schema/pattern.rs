//! What the patterns of a schema have in common: an element whose attributes and children are taken
//! one by one, and data types.

use roxmltree::Node;

/// Why a document is not accepted.
#[derive(Debug)]
pub(super) enum Fault {
    /// No pattern of the schema fits.
    Invalid(String),
    /// Something that is not followed here.
    NotModelled(String),
}

pub(super) type Verdict = Result<(), Fault>;

pub(super) fn invalid<T>(what: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Invalid(what.into()))
}

/// An element, and what of it no pattern has taken yet.
pub(super) struct Open<'a, 'input> {
    node: Node<'a, 'input>,
    attributes: Vec<(&'a str, &'a str)>,
    children: Vec<Node<'a, 'input>>,
}

impl<'a, 'input> Open<'a, 'input> {
    /// Opens an element that holds elements and no text. The schemas know no name spaces.
    pub(super) fn of(node: Node<'a, 'input>) -> Result<Self, Fault> {
        let open = Self::with_text(node)?;
        let is_text = |child: &Node<'_, '_>| {
            child.is_text() && !child.text().unwrap_or_default().trim().is_empty()
        };
        if node.children().any(|child| is_text(&child)) {
            return invalid(format!("text in {}", open.name()));
        }
        Ok(open)
    }

    fn with_text(node: Node<'a, 'input>) -> Result<Self, Fault> {
        let open = Self {
            node,
            attributes: node
                .attributes()
                .map(|attribute| (attribute.name(), attribute.value()))
                .collect(),
            children: node.children().filter(Node::is_element).collect(),
        };
        let is_foreign = node
            .attributes()
            .any(|attribute| attribute.namespace().is_some());
        if node.tag_name().namespace().is_some() || is_foreign {
            return invalid(format!("a name space of {}", open.name()));
        }
        Ok(open)
    }

    fn name(&self) -> &'a str {
        self.node.tag_name().name()
    }

    /// Takes an attribute that may be there.
    pub(super) fn optional(&mut self, name: &str) -> Option<&'a str> {
        let index = self
            .attributes
            .iter()
            .position(|(found, _)| *found == name)?;
        Some(self.attributes.remove(index).1)
    }

    /// Takes an attribute that must be there.
    pub(super) fn attribute(&mut self, name: &str) -> Result<&'a str, Fault> {
        match self.optional(name) {
            Some(value) => Ok(value),
            None => invalid(format!("{} without attribute {name}", self.name())),
        }
    }

    /// Takes an attribute that must have one of these values where it is there.
    pub(super) fn one_of(&mut self, name: &str, values: &[&str]) -> Result<Option<&'a str>, Fault> {
        match self.optional(name) {
            Some(value) if !values.contains(&value) => {
                invalid(format!("attribute {name} of {} is {value}", self.name()))
            }
            value => Ok(value),
        }
    }

    /// Takes a child that may be there once: a second one is left, and fits nothing.
    pub(super) fn child(&mut self, name: &str) -> Option<Node<'a, 'input>> {
        let is_it = |child: &Node<'_, '_>| child.tag_name().name() == name;
        let index = self.children.iter().position(is_it)?;
        Some(self.children.remove(index))
    }

    /// Takes all children, of which there must be one at least, and each of this name.
    pub(super) fn one_or_more(&mut self, name: &str) -> Result<Vec<Node<'a, 'input>>, Fault> {
        let taken = std::mem::take(&mut self.children);
        if taken.is_empty() {
            return invalid(format!("{} without {name}", self.name()));
        }
        match taken.iter().find(|child| child.tag_name().name() != name) {
            Some(other) => invalid(format!("{} in {}", other.tag_name().name(), self.name())),
            None => Ok(taken),
        }
    }

    /// Nothing may be left.
    pub(super) fn close(self) -> Verdict {
        let attribute = self.attributes.first().map(|(name, _)| *name);
        let child = self.children.first().map(|child| child.tag_name().name());
        match attribute.or(child) {
            Some(left) => invalid(format!("{left} in {}", self.name())),
            None => Ok(()),
        }
    }
}

/// An element that holds nothing but text.
pub(super) fn text_only<'a>(node: Node<'a, '_>) -> Result<&'a str, Fault> {
    Open::with_text(node)?.close()?;
    Ok(node.text().unwrap_or_default())
}

/// A value of a data type.
pub(super) fn typed(is_it: fn(&str) -> bool, value: &str) -> Verdict {
    if is_it(value) {
        return Ok(());
    }
    invalid(format!("{value} is of another type"))
}

/// `domaincommon.rng:diskTargetDev`.
pub(super) fn is_disk_target(value: &str) -> bool {
    const KINDS: [&str; 6] = ["fd", "hd", "sd", "vd", "xvd", "ubd"];
    let value = value.strip_prefix("ioemu:").unwrap_or(value);
    let is_word = |rest: &str| {
        let inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !rest.is_empty() && rest.chars().all(inner)
    };
    let mut rests = KINDS.iter().filter_map(|kind| value.strip_prefix(kind));
    rests.any(is_word)
}

/// `basictypes.rng:absFilePath`; a line break is none of the characters that a pattern's dot stands
/// for.
pub(super) fn is_absolute_path(value: &str) -> bool {
    let mut start = value.chars();
    let drive = start.next().is_some_and(|c| c.is_ascii_alphabetic());
    let on_drive = || value.get(1..).and_then(|rest| rest.strip_prefix(":\\"));
    let rest = value.strip_prefix('/').or_else(|| drive.then(on_drive)?);
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['\n', '\r']))
}

/// `basictypes.rng:unsignedInt`.
pub(super) fn is_unsigned_int(value: &str) -> bool {
    is_digits(value) && value.parse::<u32>().is_ok()
}

/// `basictypes.rng:unsignedLong`.
pub(super) fn is_unsigned_long(value: &str) -> bool {
    is_digits(value) && value.parse::<u64>().is_ok()
}

fn is_digits(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_of_the_schemas() {
        for (is_it, good, bad) in [
            (
                is_disk_target as fn(&str) -> bool,
                &["vda", "xvdb", "sd_1", "ioemu:hda", "fdset"][..],
                &["vd", "vda/1", "virtio-disk0", "/vda", "", "vd a"][..],
            ),
            (
                is_absolute_path,
                &["/a", "/a b", "c:\\a"],
                &["/", "a", "", "c:\\", "c:/a", "/a\nb"],
            ),
            (
                is_unsigned_int,
                &["0", "007", "4294967295"],
                &["4294967296", "-1", "+1", ""],
            ),
            (
                is_unsigned_long,
                &["18446744073709551615"],
                &["18446744073709551616", " 1"],
            ),
        ] {
            assert!(good.iter().all(|value| is_it(value)), "{good:?}");
            assert!(!bad.iter().any(|value| is_it(value)), "{bad:?}");
        }
    }
}

//! Reading libvirt's documents: the first child of a name, and its text.

use roxmltree::Node;

/// The first child element of this name.
pub(crate) fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

/// The text of the first child element of this name; `None` where it has none.
pub(crate) fn text(node: Node<'_, '_>, name: &str) -> Option<String> {
    Some(child(node, name)?.text()?.to_owned())
}

//! What the documents have in common.

use roxmltree::{Document, Error, Node};

use crate::driver::mock::answer::{Ruled, not_modelled, refuse};
use crate::driver::mock::version::Rules;
use crate::model::{ErrorCode, ErrorDomain};

pub(super) fn well_formed(xml: &str) -> Ruled<Document<'_>> {
    Document::parse(xml).or_else(|_| not_modelled("XML that is not well-formed"))
}

/// The same of a document that belongs to the part `domain` of libvirt
/// (`src/util/virxml.c:virXMLParseHelper`, `catchXMLError`). What is wrong with it libxml2 tells in its
/// own words, and with its own idea of where.
pub(super) fn well_formed_of(xml: &str, domain: ErrorDomain) -> Ruled<Document<'_>> {
    match Document::parse(xml) {
        Ok(document) => Ok(document),
        Err(
            error @ (Error::InvalidXmlPrefixUri(_)
            | Error::UnexpectedXmlUri(_)
            | Error::UnexpectedXmlnsUri(_)
            | Error::DuplicatedNamespace(..)
            | Error::UnknownNamespace(..)
            | Error::EntityReferenceLoop(_)
            | Error::DtdDetected
            | Error::NodesLimitReached
            | Error::AttributesLimitReached
            | Error::NamespacesLimitReached
            | Error::EntityResolver(..)),
        ) => not_modelled(format!("a document with {error}")),
        Err(error) => {
            let line = error.pos().row;
            let source = xml.lines().nth(line.saturating_sub(1) as usize);
            let source = source.unwrap_or("(null)");
            let text = format!("at line {line}: {error}\n{source}\n^");
            refuse(ErrorCode::XML_DETAIL, domain, &text)
        }
    }
}

/// `src/util/virxml.c:virXMLParseHelper`; it was the part `domain` of libvirt that looked.
pub(super) fn rooted<'a, 'input>(
    document: &'a Document<'input>,
    name: &str,
    domain: ErrorDomain,
    rules: Rules,
) -> Ruled<Node<'a, 'input>> {
    let root = document.root_element();
    if root.has_tag_name(name) {
        return Ok(root);
    }
    if !rules.names_root {
        return refuse(ErrorCode::XML_ERROR, domain, name);
    }
    let found = root.tag_name().name();
    let text = format!("expecting root element of '{name}', not '{found}'");
    refuse(ErrorCode::XML_ERROR, ErrorDomain::XML, &text)
}

/// Everything in `node` must be known, and stand there once, or the schema's verdict would be
/// invented.
pub(super) fn known(node: Node<'_, '_>, attributes: &[&str], elements: &[&str]) -> Ruled<()> {
    let inside = node.tag_name().name();
    let foreign = node
        .attributes()
        .find(|attribute| !attributes.contains(&attribute.name()));
    if let Some(attribute) = foreign {
        return not_modelled(format!("attribute {} of <{inside}>", attribute.name()));
    }
    let mut seen = Vec::new();
    for child in node.children().filter(Node::is_element) {
        let name = child.tag_name().name();
        if !elements.contains(&name) {
            return not_modelled(format!("<{name}> in <{inside}>"));
        }
        if seen.contains(&name) && name != "disk" {
            return not_modelled(format!("two <{name}> in <{inside}>"));
        }
        seen.push(name);
    }
    Ok(())
}

/// The `<disk>` elements of a `<disks>`; an empty list is a schema error, which is not modelled.
pub(super) fn disk_elements<'a, 'input>(
    list: Node<'a, 'input>,
) -> Ruled<impl Iterator<Item = Node<'a, 'input>>> {
    known(list, &[], &["disk"])?;
    let mut disks = list.children().filter(Node::is_element).peekable();
    if disks.peek().is_none() {
        return not_modelled("an empty <disks>");
    }
    Ok(disks)
}

pub(super) fn element<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

pub(super) fn text_of(node: Node<'_, '_>, name: &str) -> Option<String> {
    Some(element(node, name)?.text().unwrap_or_default().to_owned())
}

//! A checkpoint as a client has kept it, to redefine it later.

use quick_xml::escape::escape;
use roxmltree::{Document, Node};

use crate::model::xml::{child, text};

/// What a checkpoint's dump says, without the nested domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SavedCheckpoint {
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// Name of its parent.
    pub parent: Option<String>,
    /// When it was created: seconds, as text.
    pub creation_time: Option<String>,
    /// The disks that have a bitmap, by target device, and its name there.
    pub disks: Vec<(String, String)>,
}

impl SavedCheckpoint {
    /// Reads a dump; `None` where it is none.
    #[must_use]
    pub fn of(xml: &str) -> Option<Self> {
        let document = Document::parse(xml).ok()?;
        let root = document.root_element();
        let name = text(root, "name")?;
        let disks = child(root, "disks")
            .into_iter()
            .flat_map(|disks| disks.children());
        let with_bitmap = |disk: Node<'_, '_>| {
            let is_bitmap = disk.attribute("checkpoint") != Some("no");
            let target = disk.attribute("name").filter(|_| is_bitmap)?;
            let bitmap = disk.attribute("bitmap").unwrap_or(&name);
            Some((target.to_owned(), bitmap.to_owned()))
        };
        Some(Self {
            description: text(root, "description"),
            parent: child(root, "parent").and_then(|parent| text(parent, "name")),
            creation_time: text(root, "creationTime"),
            disks: disks.filter_map(with_bitmap).collect(),
            name,
        })
    }

    /// One of which nothing but its name is known.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            description: None,
            parent: None,
            // libvirt wants one, and takes any.
            creation_time: Some("1".to_owned()),
            disks: Vec::new(),
        }
    }

    /// The document that redefines it.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let element = |name: &str, text: &Option<String>| {
            let text = text.as_ref()?;
            Some(format!("  <{name}>{}</{name}>\n", escape(text)))
        };
        let parent = self.parent.as_ref().map(|parent| {
            let parent = escape(parent);
            format!("  <parent>\n    <name>{parent}</name>\n  </parent>\n")
        });
        let parts = [
            Some("<domaincheckpoint>\n".to_owned()),
            element("name", &Some(self.name.clone())),
            element("description", &self.description),
            parent,
            element("creationTime", &self.creation_time),
            Some("  <disks>\n".to_owned()),
        ];
        let disk = |(disk, bitmap): &(String, String)| {
            let (disk, bitmap) = (escape(disk), escape(bitmap));
            format!("    <disk name='{disk}' checkpoint='bitmap' bitmap='{bitmap}'/>\n")
        };
        let mut xml: String = parts.into_iter().flatten().collect();
        xml.extend(self.disks.iter().map(disk));
        xml.push_str("  </disks>\n</domaincheckpoint>\n");
        xml
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "<domaincheckpoint>
  <name>c2</name>
  <parent>
    <name>c1</name>
  </parent>
  <creationTime>17</creationTime>
  <disks>
    <disk name='vda' checkpoint='bitmap' bitmap='c2'/>
    <disk name='vdb' checkpoint='no'/>
  </disks>
</domaincheckpoint>
";

    #[test]
    fn a_dump_is_read_and_written() {
        let saved = SavedCheckpoint::of(DUMP).unwrap();
        assert_eq!(saved.parent.as_deref(), Some("c1"));
        assert_eq!(saved.disks, [("vda".to_owned(), "c2".to_owned())]);
        let without_no = DUMP.replace("    <disk name='vdb' checkpoint='no'/>\n", "");
        assert_eq!(saved.to_xml(), without_no);
        assert_eq!(SavedCheckpoint::of("<domaincheckpoint/>"), None);
    }
}

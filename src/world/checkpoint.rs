//! libvirt's checkpoint metadata: a tree by name, and which one is current.
//!
//! Rules: `src/conf/virdomainmomentobjlist.c` and `virdomaincheckpointobjlist.c`.

use std::collections::BTreeMap;

use crate::model::flags;

/// One checkpoint's definition.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkpoint {
    /// Description, if one was given.
    pub description: Option<String>,
    /// Name of the parent, whether or not it is defined.
    pub parent: Option<String>,
    /// Seconds; 0 is not shown.
    pub creation_time: u64,
    /// The disks, as stored.
    pub disks: Vec<CheckpointDisk>,
    /// The domain's definition that is stored with it; opaque here.
    pub definition: Option<String>,
}

/// A disk of a checkpoint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CheckpointDisk {
    /// Target device, or what a redefine without `<domain>` gave.
    pub name: String,
    /// Name of the bitmap; `None` for a disk of type `no`.
    pub bitmap: Option<String>,
}

/// The checkpoints of a domain.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CheckpointTree {
    by_name: BTreeMap<String, Checkpoint>,
    current: Option<String>,
}

impl CheckpointTree {
    /// The checkpoint of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Checkpoint> {
        self.by_name.get(name)
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.by_name.keys()
    }

    /// The one that will be the parent of the next.
    #[must_use]
    pub const fn current(&self) -> Option<&String> {
        self.current.as_ref()
    }

    /// The number of ancestors that are defined.
    #[must_use]
    pub fn depth(&self, name: &str) -> usize {
        let parent = |checkpoint: &&Checkpoint| self.get(checkpoint.parent.as_deref()?);
        // A line is never longer than the tree is large, whatever a redefine made of it.
        let line = std::iter::successors(self.get(name), parent);
        line.take(self.by_name.len()).count().saturating_sub(1)
    }

    /// What libvirt makes of the checkpoints that it finds when it starts. The last of a single line
    /// is current; of several lines none is, nor where a parent is missing or a line is a circle
    /// (`virdomainmomentobjlist.c:virDomainMomentUpdateRelations`,
    /// `src/qemu/qemu_driver.c:qemuDomainCheckpointLoad`).
    #[must_use]
    pub fn found(by_name: BTreeMap<String, Checkpoint>) -> Self {
        let mut found = Self {
            by_name,
            current: None,
        };
        found.current = found.only_leaf().cloned();
        found
    }

    /// The last of a tree that is a single whole line.
    fn only_leaf(&self) -> Option<&String> {
        if !self.names().all(|name| self.has_root(name)) {
            return None;
        }
        let mut leaves = self
            .names()
            .filter(|name| self.children(name).next().is_none());
        let leaf = leaves.next()?;
        leaves.next().is_none().then_some(leaf)
    }

    /// Whether a checkpoint's line has a beginning: no parent is missing, and it is no circle.
    fn has_root(&self, name: &str) -> bool {
        let line = std::iter::successors(self.get(name), |checkpoint| {
            self.get(checkpoint.parent.as_deref()?)
        });
        let mut line = line.take(self.by_name.len());
        line.any(|checkpoint| checkpoint.parent.is_none())
    }

    /// Adds a new checkpoint below the current one and makes it current
    /// (`qemu_checkpoint.c:qemuCheckpointCreateFinalize`).
    pub fn create(&mut self, name: &str, checkpoint: Checkpoint) {
        let parent = self.current.take();
        self.by_name.insert(
            name.to_owned(),
            Checkpoint {
                parent,
                ..checkpoint
            },
        );
        self.current = Some(name.to_owned());
    }

    /// Adds or replaces a definition; children stay. It becomes current if there is no current
    /// one or its parent is current (`qemu_checkpoint.c:qemuCheckpointRedefine`).
    pub fn redefine(&mut self, name: &str, checkpoint: Checkpoint) {
        if self.current.is_none() || self.current == checkpoint.parent {
            self.current = Some(name.to_owned());
        }
        self.by_name.insert(name.to_owned(), checkpoint);
    }

    /// A checkpoint was made current and then dropped, since its metadata could not be stored: none
    /// is current any more.
    pub fn lose_current(&mut self) {
        self.current = None;
    }

    /// Moves the children of a checkpoint to its parent, which is how a deletion begins
    /// (`qemu_checkpoint.c:qemuCheckpointReparentChildren`).
    pub fn move_children_up(&mut self, name: &str) {
        let parent = self.get(name).and_then(|moved| moved.parent.clone());
        for child in self.by_name.values_mut() {
            if child.parent.as_deref() == Some(name) {
                child.parent.clone_from(&parent);
            }
        }
    }

    /// Removes one checkpoint; its children go to its parent, and so does "current"
    /// (`qemu_checkpoint.c:qemuCheckpointDiscard`).
    pub fn delete(&mut self, name: &str) {
        self.move_children_up(name);
        let Some(gone) = self.by_name.remove(name) else {
            return;
        };
        if self.current.as_deref() == Some(name) {
            self.current = gone
                .parent
                .filter(|parent| self.by_name.contains_key(parent));
        }
    }

    /// The ancestors of a checkpoint, nearest first, as far as they are defined.
    pub fn ancestors<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a String> {
        let parent = |name: &String| self.get(name)?.parent.as_ref();
        let first = self.get(name).and_then(|found| found.parent.as_ref());
        // A line is never longer than the tree is large, whatever a redefine made of it.
        std::iter::successors(first, move |name| parent(name)).take(self.by_name.len())
    }

    /// The children of a checkpoint, sorted.
    pub fn children(&self, name: &str) -> impl Iterator<Item = &String> {
        let is_child =
            move |(_, found): &(&String, &Checkpoint)| found.parent.as_deref() == Some(name);
        self.by_name.iter().filter(is_child).map(|(name, _)| name)
    }

    /// The children of a checkpoint and theirs, parents before their children.
    #[must_use]
    pub fn descendants(&self, name: &str) -> Vec<&String> {
        let mut found: Vec<&String> = self.children(name).collect();
        let mut next = 0;
        while let Some(name) = found.get(next) {
            let further: Vec<&String> = self.children(name).collect();
            found.extend(further);
            next += 1;
        }
        found
    }

    /// The checkpoints that a list with these flags has, sorted: the children of one, or those of the
    /// domain. The filters about leaves work on what the first flag has chosen
    /// (`virdomainmomentobjlist.c:virDomainMomentObjListGetNames`).
    #[must_use]
    pub fn listed(&self, of: Option<&str>, bits: u32) -> Vec<&String> {
        let mut names: Vec<&String> = match of {
            Some(name) if bits & flags::CHECKPOINT_LIST_DESCENDANTS != 0 => self.descendants(name),
            Some(name) => self.children(name).collect(),
            None if bits & flags::CHECKPOINT_LIST_ROOTS != 0 => self.roots().collect(),
            None => self.names().collect(),
        };
        let is_leaf = |name: &str| self.children(name).next().is_none();
        names.retain(|name| {
            let is_unwanted_parent = bits & flags::CHECKPOINT_LIST_LEAVES != 0 && !is_leaf(name);
            let is_unwanted_leaf = bits & flags::CHECKPOINT_LIST_NO_LEAVES != 0 && is_leaf(name);
            !is_unwanted_parent && !is_unwanted_leaf
        });
        names.sort_unstable();
        names
    }

    /// The number of checkpoints that `virDomainUndefineFlags` finds with its own flags, which it takes
    /// for those of a list (`src/qemu/qemu_driver.c:qemuDomainUndefineFlags`). Inside, a list has two
    /// flags more, about metadata, and refuses the rest; a refusal counts as none.
    #[must_use]
    pub fn counted_by_undefine(&self, bits: u32) -> usize {
        const METADATA: u32 = 16;
        const NO_METADATA: u32 = 32;
        const KNOWN: u32 = 63;
        let is_none = bits & (METADATA | NO_METADATA) == NO_METADATA;
        if is_none || bits & !KNOWN != 0 {
            return 0;
        }
        self.listed(None, bits).len()
    }

    /// The names without a parent: `VIR_DOMAIN_CHECKPOINT_LIST_ROOTS`.
    fn roots(&self) -> impl Iterator<Item = &String> {
        let is_root = |(_, found): &(&String, &Checkpoint)| found.parent.is_none();
        self.by_name.iter().filter(is_root).map(|(name, _)| name)
    }

    /// Removes one checkpoint that goes together with an ancestor: nobody takes its children, which go
    /// next (`qemu_checkpoint.c:qemuCheckpointDiscard` without `update_parent`). True if it was
    /// current; none is then.
    pub fn delete_below(&mut self, name: &str) -> bool {
        self.by_name.remove(name);
        let was_current = self.current.as_deref() == Some(name);
        if was_current {
            self.current = None;
        }
        was_current
    }

    /// Makes one the current checkpoint.
    pub fn make_current(&mut self, name: &str) {
        self.current = Some(name.to_owned());
    }

    /// True when no checkpoint is defined.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Checkpoint {
        Checkpoint {
            description: None,
            parent: None,
            creation_time: 1,
            disks: Vec::new(),
            definition: None,
        }
    }

    #[test]
    fn a_new_one_hangs_below_the_current_one() {
        let mut tree = CheckpointTree::default();
        tree.create("c1", plain());
        tree.create("c2", plain());
        assert_eq!(tree.get("c2").unwrap().parent.as_deref(), Some("c1"));
        tree.delete("c2");
        assert_eq!(tree.current().map(String::as_str), Some("c1"));
    }

    #[test]
    fn deleting_a_middle_one_reparents_its_child() {
        let mut tree = CheckpointTree::default();
        for name in ["c1", "c2", "c3"] {
            tree.create(name, plain());
        }
        tree.delete("c2");
        assert_eq!(tree.get("c3").unwrap().parent.as_deref(), Some("c1"));
        assert_eq!(tree.current().map(String::as_str), Some("c3"));
    }

    #[test]
    fn a_single_line_has_a_current_one_after_a_restart() {
        let found = |parents: &[(&str, Option<&str>)]| {
            let checkpoint = |(name, parent): &(&str, Option<&str>)| {
                let parent = parent.map(str::to_owned);
                (name.to_string(), Checkpoint { parent, ..plain() })
            };
            CheckpointTree::found(parents.iter().map(checkpoint).collect()).current
        };
        let line = [("c1", None), ("c2", Some("c1"))];
        assert_eq!(found(&line).as_deref(), Some("c2"));
        assert_eq!(found(&[line[0], line[1], ("c3", Some("c1"))]), None);
        assert_eq!(found(&[("c1", None), ("c2", None)]), None, "two roots");
        assert_eq!(found(&[line[1]]), None, "the parent is missing");
        let circle = [("c1", Some("c2")), ("c2", Some("c1"))];
        assert_eq!(found(&circle), None);
        assert_eq!(found(&[]), None);
    }

    fn tree_with_branch() -> CheckpointTree {
        let mut tree = CheckpointTree::default();
        for name in ["c1", "c2", "c3"] {
            tree.create(name, plain());
        }
        let c4 = Checkpoint {
            parent: Some("c1".to_owned()),
            ..plain()
        };
        tree.redefine("c4", c4);
        tree
    }

    #[test]
    fn a_list_chooses_and_then_filters() {
        let tree = tree_with_branch();
        let listed = |of, bits| -> Vec<&str> {
            let names = tree.listed(of, bits).into_iter();
            names.map(String::as_str).collect()
        };
        assert_eq!(listed(None, 0), ["c1", "c2", "c3", "c4"]);
        assert_eq!(listed(None, 1), ["c1"]);
        assert_eq!(listed(None, 4), ["c3", "c4"]);
        assert_eq!(listed(None, 12), [""; 0]);
        assert_eq!(listed(Some("c1"), 0), ["c2", "c4"]);
        assert_eq!(listed(Some("c1"), 1), ["c2", "c3", "c4"]);
        assert_eq!(listed(Some("c1"), 4), ["c4"]);
        assert_eq!(listed(Some("c1"), 9), ["c2"]);
    }

    #[test]
    fn undefine_counts_what_its_flags_mean_to_a_list() {
        let tree = tree_with_branch();
        let counts = [
            (0, 4),
            (1, 1),
            (2, 4),
            (4, 2),
            (8, 2),
            (12, 0),
            (16, 4),
            (32, 0),
            (64, 0),
        ];
        for (bits, count) in counts {
            assert_eq!(tree.counted_by_undefine(bits), count, "flags {bits}");
        }
    }
}

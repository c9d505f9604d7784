//! libvirt's own end: the files in which it stores checkpoints, and what it finds in them when it
//! starts again.

use std::collections::BTreeMap;

use super::Mock;
use super::answer::Stop;
use super::checkpoint::stored;
use super::dump;
use super::intake;
use crate::model::{Api, Call, Value, edited};
use crate::world::{Checkpoint, CheckpointTree, Impossible};

/// Checkpoints by name.
type Checkpoints = BTreeMap<String, Checkpoint>;

impl Mock {
    /// The checkpoints that a domain has in memory.
    pub(super) fn checkpoints_of(&self, domain: &str) -> Checkpoints {
        let domains = self.world.domains.get(domain).into_iter();
        let names = domains.flat_map(|domain| {
            let tree = &domain.checkpoints;
            let found = |name: &String| Some((name.clone(), tree.get(name)?.clone()));
            tree.names().filter_map(found)
        });
        names.collect()
    }

    /// Writes the file of each checkpoint that a call has changed, and removes those of the ones that
    /// it has deleted (`qemu_checkpoint.c:qemuCheckpointWriteMetadata`).
    pub(super) fn store_checkpoints(
        &mut self,
        call: &Call,
        before: &Checkpoints,
        answer: Option<&Value>,
    ) {
        let after = self.checkpoints_of(&call.domain);
        let Some(domain) = self.world.domains.get_mut(&call.domain) else {
            return;
        };
        let files = &mut domain.stored_checkpoints;
        files.retain(|name, _| after.contains_key(name) || !before.contains_key(name));
        let made = match (call.api, answer) {
            (Api::CheckpointCreate, Some(Value::Name(name))) => Some(name),
            (_, _) => None,
        };
        for (name, checkpoint) in after {
            if made == Some(&name) || before.get(&name) != Some(&checkpoint) {
                let text = dump::checkpoint(&name, &checkpoint, &BTreeMap::new(), true);
                files.insert(name, text);
            }
        }
    }

    /// Removes the file of a checkpoint, behind libvirt's back.
    pub(super) fn remove_metadata(&mut self, domain: &str, name: &str) -> Result<(), Impossible> {
        let files = self.files_of(domain)?;
        let removed = files.remove(name).map(drop);
        removed.ok_or_else(|| Impossible(format!("removing the file of checkpoint {name}")))
    }

    /// Changes it.
    pub(super) fn edit_metadata(
        &mut self,
        domain: &str,
        name: &str,
        edits: &[(String, String)],
    ) -> Result<(), Impossible> {
        let files = self.files_of(domain)?;
        let Some(text) = files.get_mut(name) else {
            return Err(Impossible(format!("editing the file of checkpoint {name}")));
        };
        let changed = edited(text, edits);
        *text =
            changed.map_err(|missing| Impossible(format!("`{missing}` in the file of {name}")))?;
        Ok(())
    }

    fn files_of(&mut self, domain: &str) -> Result<&mut BTreeMap<String, String>, Impossible> {
        let found = self.world.domains.get_mut(domain);
        let found = found.ok_or_else(|| Impossible(format!("files of the domain {domain}")))?;
        if found.metadata_is_blocked {
            return Err(Impossible("files in a store that is not there".to_owned()));
        }
        Ok(&mut found.stored_checkpoints)
    }

    /// libvirt starts again, with what it has stored, and its client has no handles any more. A file
    /// that it cannot read is left out (`src/qemu/qemu_driver.c:qemuDomainCheckpointLoad`).
    pub(super) fn restart(&mut self) -> Result<(), Impossible> {
        self.world.restart_daemon()?;
        self.checkpoint_handles.clear();
        let domains = &self.world.domains;
        self.domain_handles
            .retain(|name, _| domains.contains_key(name));
        let mut found = Vec::new();
        for (name, domain) in &self.world.domains {
            let mut checkpoints = Checkpoints::new();
            if !domain.metadata_is_blocked {
                for text in domain.stored_checkpoints.values() {
                    checkpoints.extend(self.read_file(&domain.uuid, text)?);
                }
            }
            found.push((name.clone(), CheckpointTree::found(checkpoints)));
        }
        for (name, tree) in found {
            if let Some(domain) = self.world.domains.get_mut(&name) {
                domain.checkpoints = tree;
            }
        }
        Ok(())
    }

    /// The checkpoint in a file, as a redefinition would read it; `None` where that would be refused.
    fn read_file(
        &self,
        uuid: &str,
        text: &str,
    ) -> Result<Option<(String, Checkpoint)>, Impossible> {
        let function = Api::CheckpointCreate.as_str();
        let document = match intake::checkpoint(Some(text), function, self.rules) {
            Ok(document) => document,
            Err(Stop::Refused(_)) => return Ok(None),
            Err(Stop::NotModelled(what)) => return Err(Impossible(what)),
        };
        let (Some(name), Some(_)) = (document.name.clone(), document.creation_time) else {
            return Ok(None);
        };
        let nested = document.domain.as_ref();
        if nested.is_some_and(|nested| nested.uuid.as_deref() != Some(uuid)) {
            return Err(Impossible(
                "a stored checkpoint of another domain".to_owned(),
            ));
        }
        Ok(Some((name, stored(document))))
    }
}

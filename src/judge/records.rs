//! What a client has recorded itself.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a careful client knows from its own books.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Records {
    /// Checkpoints that have a verified backup behind them, oldest first. Nothing else is ever
    /// taken as a base.
    pub verified_checkpoints: Vec<String>,
    /// For a verified checkpoint, the disks whose backups are there; without an entry, all.
    pub verified_disks: BTreeMap<String, BTreeSet<String>>,
    /// Other checkpoints that this client has made, without a backup. Nothing is cleaned up but what
    /// these books name: another checkpoint may be somebody else's.
    pub own_checkpoints: BTreeSet<String>,
    /// Checkpoints whose documents are kept.
    pub saved_checkpoints: BTreeSet<String>,
    /// Checkpoints of own attempts that have not come to a verified backup. A name belongs here before
    /// the call, and must be one that nobody has used: what is found under it later is discarded.
    /// Where the call is refused because a checkpoint of the name is defined
    /// (`VIR_ERR_OPERATION_FAILED` of `VIR_FROM_DOMAIN`), it is somebody else's, and leaves this list.
    pub uncommitted_checkpoints: BTreeSet<String>,
    /// For each checkpoint, the disks whose image is no longer the one it was made on: restored,
    /// rolled back or replaced. Their bitmaps may look good, and lie.
    pub replaced_disks: BTreeMap<String, BTreeSet<String>>,
    /// Whether one backup may be full for some disks and incremental for others.
    pub can_mix: bool,
    /// Whether the domain may be started, or resumed, for a backup.
    pub may_start: bool,
    /// Whether QEMU's monitor may be asked: it taints the domain, and needs libvirt's library for
    /// QEMU. Without it bitmaps are judged by redefining their checkpoints.
    pub can_use_monitor: bool,
    /// Whether the domain was restored from a saved state and has not run since; absent where the
    /// client does not know. virDomainGetState tells by its reason: such a domain is paused with
    /// `VIR_DOMAIN_PAUSED_MIGRATION` (measured on libvirt 11.3).
    pub restored_and_not_resumed: Option<bool>,
    /// Probes that this client cannot answer, by their words: one on another host sees no files. A
    /// rule that would have to know is passed over, and whatever is decided then deletes nothing.
    pub unanswerable: BTreeSet<String>,
}

impl Default for Records {
    /// The books of a client that has none yet, and is free to do what it takes.
    fn default() -> Self {
        Self {
            verified_checkpoints: Vec::new(),
            verified_disks: BTreeMap::new(),
            own_checkpoints: BTreeSet::new(),
            saved_checkpoints: BTreeSet::new(),
            uncommitted_checkpoints: BTreeSet::new(),
            replaced_disks: BTreeMap::new(),
            can_mix: true,
            may_start: true,
            can_use_monitor: true,
            restored_and_not_resumed: None,
            unanswerable: BTreeSet::new(),
        }
    }
}

impl Records {
    /// Whether a disk's image is no longer the one that the checkpoint was made on. What a newer
    /// checkpoint has lost by it, an older one has lost as well.
    #[must_use]
    pub fn is_replaced(&self, disk: &str, checkpoint: &str) -> bool {
        let replaced = |name: &str| {
            let disks = self.replaced_disks.get(name);
            disks.is_some_and(|disks| disks.contains(disk))
        };
        let from_it_on = self.verified_checkpoints.iter();
        let mut from_it_on = from_it_on.skip_while(|name| *name != checkpoint);
        replaced(checkpoint) || from_it_on.any(|name| replaced(name))
    }

    /// Whether nothing can be based on the checkpoint on this disk, whatever its bitmap looks like:
    /// the image is another one, or no backup of the disk is there.
    #[must_use]
    pub fn rule_out(&self, disk: &str, checkpoint: &str) -> bool {
        let disks = self.verified_disks.get(checkpoint);
        self.is_replaced(disk, checkpoint) || disks.is_some_and(|disks| !disks.contains(disk))
    }

    /// Whether the checkpoint is one of this client's.
    #[must_use]
    pub fn are_about(&self, checkpoint: &str) -> bool {
        let sets = [
            &self.own_checkpoints,
            &self.saved_checkpoints,
            &self.uncommitted_checkpoints,
        ];
        let mut verified = self.verified_checkpoints.iter();
        sets.into_iter().any(|names| names.contains(checkpoint))
            || verified.any(|name| name == checkpoint)
    }
}

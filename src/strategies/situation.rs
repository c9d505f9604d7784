//! What is known of a domain between two steps: enough to tell which steps succeed.

use std::collections::{BTreeMap, BTreeSet};

use super::Turn;
use crate::model::DiskFormat;

/// The state of one bitmap, as far as it decides what succeeds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Health {
    /// It records, and is only in QEMU's memory.
    Fresh,
    /// It records, and the image holds it too.
    Good,
    /// It is there and does not record.
    Disabled,
    /// It was not closed.
    Inconsistent,
}

/// A domain between two steps.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Situation {
    /// The formats of its disks.
    pub disks: Vec<DiskFormat>,
    /// Whether QEMU runs.
    pub is_active: bool,
    /// The checkpoints whose metadata libvirt has, each with its disks.
    pub checkpoints: BTreeMap<u32, Vec<usize>>,
    /// The bitmaps, by disk and checkpoint.
    pub bitmaps: BTreeMap<(usize, u32), Health>,
    /// The disks of which there is a backup of a checkpoint's instant.
    pub backed_up: BTreeMap<u32, Vec<usize>>,
    /// The checkpoints whose XML was kept.
    pub dumps: BTreeSet<u32>,
    /// How many checkpoints were ever made.
    pub made: u32,
}

impl Situation {
    /// A domain that was never started.
    #[must_use]
    pub const fn new(disks: Vec<DiskFormat>) -> Self {
        Self {
            disks,
            is_active: false,
            checkpoints: BTreeMap::new(),
            bitmaps: BTreeMap::new(),
            backed_up: BTreeMap::new(),
            dumps: BTreeSet::new(),
            made: 0,
        }
    }

    /// The disks that can have bitmaps.
    pub fn bitmap_disks(&self) -> impl Iterator<Item = usize> {
        let disks = self.disks.iter().enumerate();
        disks.filter_map(|(number, format)| (*format == DiskFormat::Qcow2).then_some(number))
    }

    /// Whether this step succeeds now.
    #[must_use]
    pub fn allows(&self, turn: &Turn) -> bool {
        let can_have_bitmaps = |disks: &[usize]| {
            let mut disks = disks.iter();
            disks.all(|disk| self.disks.get(*disk) == Some(&DiskFormat::Qcow2))
        };
        match turn {
            Turn::Start | Turn::LoseMetadata | Turn::Recreate { .. } => !self.is_active,
            Turn::Destroy | Turn::Kill | Turn::Write { .. } => self.is_active,
            Turn::Checkpoint { checkpoint, disks } => {
                let is_new = *checkpoint == self.made + 1;
                self.is_active && is_new && !disks.is_empty() && can_have_bitmaps(disks)
            }
            Turn::Backup {
                base,
                disks,
                checkpoint,
                ..
            } => {
                let is_new = checkpoint.is_none_or(|new| new == self.made + 1);
                let has_bitmaps = |disk: &usize| self.disks[*disk] == DiskFormat::Qcow2;
                let can_be_made = checkpoint.is_none() || disks.iter().any(has_bitmaps);
                let serves = base
                    .is_none_or(|base| self.serves(base, disks) && self.is_backed_up(base, disks));
                self.is_active && !disks.is_empty() && is_new && can_be_made && serves
            }
            Turn::Delete {
                checkpoint,
                metadata_only,
            } => self.checkpoints.get(checkpoint).is_some_and(|disks| {
                let is_there = |disk: &usize| self.bitmaps.contains_key(&(*disk, *checkpoint));
                *metadata_only || (self.is_active && disks.iter().all(is_there))
            }),
            Turn::Dump { checkpoint } => {
                self.checkpoints.contains_key(checkpoint) && !self.dumps.contains(checkpoint)
            }
            Turn::RemoveBitmap { disk, checkpoint } => {
                !self.is_active && self.bitmaps.contains_key(&(*disk, *checkpoint))
            }
            Turn::DisableBitmap { disk, checkpoint } => {
                let health = self.bitmaps.get(&(*disk, *checkpoint));
                !self.is_active && health == Some(&Health::Good)
            }
        }
    }

    /// Whether a backup of these disks can be based on this checkpoint.
    #[must_use]
    pub fn serves(&self, base: u32, disks: &[usize]) -> bool {
        let is_good = |disk: &usize| {
            let health = self.bitmaps.get(&(*disk, base));
            matches!(health, Some(Health::Good | Health::Fresh))
        };
        self.checkpoints.contains_key(&base) && disks.iter().all(is_good)
    }

    /// Whether a backup that is based on this checkpoint can be restored: without one of its instant
    /// libvirt takes it as a base, and a client has nothing to put the blocks on.
    #[must_use]
    pub fn is_backed_up(&self, base: u32, disks: &[usize]) -> bool {
        let there = self.backed_up.get(&base);
        there.is_some_and(|there| disks.iter().all(|disk| there.contains(disk)))
    }

    /// What it is after this step.
    pub fn apply(&mut self, turn: &Turn) {
        match turn {
            Turn::Start => self.is_active = true,
            Turn::Destroy => {
                self.is_active = false;
                for health in self.bitmaps.values_mut() {
                    if *health == Health::Fresh {
                        *health = Health::Good;
                    }
                }
            }
            Turn::Kill => {
                self.is_active = false;
                self.bitmaps.retain(|_, health| *health != Health::Fresh);
                for health in self.bitmaps.values_mut() {
                    *health = Health::Inconsistent;
                }
            }
            Turn::Write { .. } => {}
            Turn::Checkpoint { checkpoint, disks } => self.make(*checkpoint, disks),
            Turn::Backup {
                disks, checkpoint, ..
            } => {
                if let Some(checkpoint) = checkpoint {
                    let disks: Vec<usize> = self
                        .bitmap_disks()
                        .filter(|disk| disks.contains(disk))
                        .collect();
                    self.make(*checkpoint, &disks);
                    self.backed_up.insert(*checkpoint, disks);
                }
            }
            Turn::Delete {
                checkpoint,
                metadata_only,
            } => {
                self.checkpoints.remove(checkpoint);
                if !metadata_only {
                    self.bitmaps.retain(|(_, of), _| of != checkpoint);
                }
            }
            Turn::Dump { checkpoint } => {
                self.dumps.insert(*checkpoint);
            }
            Turn::RemoveBitmap { disk, checkpoint } => {
                self.bitmaps.remove(&(*disk, *checkpoint));
            }
            Turn::DisableBitmap { disk, checkpoint } => {
                self.bitmaps.insert((*disk, *checkpoint), Health::Disabled);
            }
            Turn::Recreate { disk } => self.bitmaps.retain(|(of, _), _| of != disk),
            Turn::LoseMetadata => self.checkpoints.clear(),
        }
    }

    fn make(&mut self, checkpoint: u32, disks: &[usize]) {
        self.made = checkpoint;
        self.checkpoints.insert(checkpoint, disks.to_vec());
        for disk in disks {
            self.bitmaps.insert((*disk, checkpoint), Health::Fresh);
        }
    }
}

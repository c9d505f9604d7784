//! Restoring what a backup wrote, and holding it against the ledger.

use super::{Session, TakenBackup};
use crate::driver::DriverError;

/// One disk of a backup, restored and compared.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Target device.
    pub disk: String,
    /// Whether the backup of this disk was incremental.
    pub incremental: bool,
    /// What was found, in words.
    pub found: String,
    /// Whether every byte is what the guest had at the backup's instant.
    pub equal: bool,
}

impl Session<'_> {
    /// Restores every disk of the last backup from its chain of images and compares it, byte for
    /// byte, with the ledger. A backup counts as verified only if all of it is equal.
    pub fn restore_last_backup(&mut self) -> Result<Vec<Restored>, DriverError> {
        let Some(backup) = self.ledger().last_backup().cloned() else {
            return Ok(Vec::new());
        };
        let restored = self.restore(&backup)?;
        if !restored.is_empty() && restored.iter().all(|disk| disk.equal) {
            self.ledger_mut().mark_verified();
        }
        Ok(restored)
    }

    /// Restores every disk of a backup from its chain of images, and compares it with what the
    /// guest had then.
    pub fn restore(&mut self, backup: &TakenBackup) -> Result<Vec<Restored>, DriverError> {
        let mut restored = Vec::new();
        for taken in &backup.disks {
            let (found, equal) = match self.ledger().restore_chain(backup, &taken.disk) {
                None => ("the books do not know all of its images".to_owned(), false),
                Some(chain) => {
                    let images = chain.len();
                    let content = self.read_chain(chain)?;
                    match taken.content.difference(&content) {
                        Some(difference) => (difference.to_string(), false),
                        None => (equal_words(taken.content.size(), images), true),
                    }
                }
            };
            let (disk, incremental) = (taken.disk.clone(), taken.base.is_some());
            restored.push(Restored {
                disk,
                incremental,
                found,
                equal,
            });
        }
        Ok(restored)
    }
}

fn equal_words(size: crate::model::Size, images: usize) -> String {
    let noun = if images == 1 { "image" } else { "images" };
    format!("{size} of {size} equal, from {images} {noun}")
}

//! What a document lists, held against the disks of a domain.

use crate::driver::mock::answer::{Ruled, refuse};
use crate::driver::mock::intake::CheckpointDiskElement;
use crate::model::{ErrorCode, ErrorDomain};
use crate::world::{CheckpointDisk, Disk};

/// The disks of a checkpoint, one for each of the domain's, in its order. What is not listed has no
/// bitmap; without a list each disk has one
/// (`src/conf/checkpoint_conf.c:virDomainCheckpointAlignDisks`).
pub(super) fn align(
    disks: &[Disk],
    listed: Option<Vec<CheckpointDiskElement>>,
    name: &str,
) -> Ruled<Vec<CheckpointDisk>> {
    let is_listed = listed.is_some();
    let listed = listed.unwrap_or_default();
    if listed.len() > disks.len() {
        return unsupported("too many disk checkpoint requests for domain");
    }
    if disks.is_empty() {
        return unsupported("domain must have at least one disk to perform checkpoints");
    }
    // Per domain disk: `None` while the document has not named it.
    let mut chosen: Vec<Option<CheckpointDiskElement>> = disks.iter().map(|_| None).collect();
    for element in listed {
        let named = |disk: &Disk| disk.target == element.name || disk.source == element.name;
        let Some(index) = disks.iter().position(named) else {
            return unsupported(&format!("no disk named '{}'", element.name));
        };
        if chosen[index].is_some() {
            return unsupported(&format!("disk '{}' specified twice", element.name));
        }
        if element.has_bitmap && !can_be_written(&disks[index]) {
            return unsupported(&format!("disk '{}' is empty or readonly", element.name));
        }
        chosen[index] = Some(element);
    }
    let aligned = |(disk, element): (&Disk, Option<CheckpointDiskElement>)| {
        let has_bitmap = match &element {
            Some(element) => element.has_bitmap,
            None => !is_listed && can_be_written(disk),
        };
        let given = element.and_then(|element| element.bitmap);
        CheckpointDisk {
            name: disk.target.clone(),
            bitmap: has_bitmap.then(|| given.unwrap_or_else(|| name.to_owned())),
        }
    };
    Ok(disks.iter().zip(chosen).map(aligned).collect())
}

const fn can_be_written(disk: &Disk) -> bool {
    !disk.is_empty() && !disk.read_only
}

fn unsupported<T>(text: &str) -> Ruled<T> {
    const CONFIG: ErrorCode = ErrorCode::CONFIG_UNSUPPORTED;
    refuse(CONFIG, ErrorDomain::DOMAIN_CHECKPOINT, text)
}

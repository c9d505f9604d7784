//! `full-backup-new-chain`: a full backup with a checkpoint under a fresh name, and an
//! incremental one that shows that the new chain works.

use super::work::Work;
use crate::driver::DriverError;
use crate::model::{CleanUp, DiskFormat, ImageRef, Size};
use crate::plan::{BackupDisk, BackupXml, PlannedDisk, Step, checkpoint_xml};

/// A guest write of its own goes before each backup, so that an empty backup cannot pass.
const WRITES: [(Size, Size, u8); 2] = [
    (Size(1 << 20), Size(1 << 16), 0xC1),
    (Size(2 << 20), Size(3 << 16), 0xC2),
];

/// Takes a full backup and an incremental one on top of it, each with a checkpoint, restores
/// both and compares.
pub(super) fn execute(work: &mut Work<'_, '_>, clean_up: &[CleanUp]) -> Result<(), DriverError> {
    if let Some(step) = clean_up.first() {
        // It would come after the first verified backup.
        return Err(DriverError::NotModelled(format!(
            "executing the clean-up step `{step}`"
        )));
    }
    let disks = work.session.disks().to_vec();
    let names = fresh_names(work)?;
    let bases = [None, Some(names[0].as_str())];
    for ((name, base), write) in names.iter().zip(bases).zip(WRITES) {
        for disk in &disks {
            guest_write(work, disk, write)?;
        }
        if !back_up(work, &disks, name, base)? {
            return Ok(());
        }
    }
    work.prove_checkpoints_and_bitmaps()?;
    work.prove_closed_images()
}

/// Names that neither a checkpoint nor a bitmap bears.
fn fresh_names(work: &mut Work<'_, '_>) -> Result<[String; 2], DriverError> {
    let mut taken = work.session.checkpoints()?;
    taken.extend(work.session.bitmaps()?.0.into_iter().map(|row| row.name));
    let mut fresh = (1..)
        .map(|n| format!("recovery{n}"))
        .filter(|name| !taken.contains(name));
    let mut next = || fresh.next().expect("the numbers do not end");
    Ok([next(), next()])
}

fn guest_write(
    work: &mut Work<'_, '_>,
    disk: &PlannedDisk,
    (offset, length, pattern): (Size, Size, u8),
) -> Result<(), DriverError> {
    let offset = Size(offset.bytes() % disk.size.bytes().max(1));
    let length = Size(length.bytes().min(disk.size.bytes() - offset.bytes()));
    let domain = work.session.place().domain.clone();
    let step = Step::guest_write(&domain, &disk.target, (offset, length), pattern);
    work.perform(&step)?;
    Ok(())
}

/// One push backup with its checkpoint, restored and compared; `false` if libvirt refused it.
fn back_up(
    work: &mut Work<'_, '_>,
    disks: &[PlannedDisk],
    name: &str,
    base: Option<&str>,
) -> Result<bool, DriverError> {
    let place = work.session.place().clone();
    let included = || {
        disks
            .iter()
            .filter(|disk| base.is_none() || disk.can_have_bitmaps())
    };
    let images: Vec<ImageRef> = included()
        .map(|disk| ImageRef {
            path: format!("{}/{name}-{}.qcow2", place.directory, disk.target),
            format: DiskFormat::Qcow2,
        })
        .collect();
    let targets = included()
        .zip(&images)
        .map(|(disk, image)| BackupDisk::plain(&disk.target, image));
    let backup = BackupXml {
        incremental: base,
        disks: targets.collect(),
        ..BackupXml::default()
    };
    let bitmap_disks: Vec<&str> = disks
        .iter()
        .filter(|disk| disk.can_have_bitmaps())
        .map(|disk| disk.target.as_str())
        .collect();
    let document = checkpoint_xml(name, None, Some(&bitmap_disks), disks);
    let step = Step::backup(&place.domain, &backup, Some((name, document)), disks);
    if !work.perform(&step)? {
        work.claim(step.label, "refused", false);
        return Ok(false);
    }
    work.prove_last_backup()?;
    Ok(true)
}

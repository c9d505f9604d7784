//! Disks, before anything happens to them.

use crate::model::{DiskFormat, Size};
use crate::scenario::diagnostic::Problem;
use crate::scenario::syntax::{
    Device, Disk, Named, Spanned, TargetName, Vocabulary as _, Word, refusal,
};

/// Cluster sizes that qcow2 has (`docs/interop/qcow2.rst`: 512 bytes to 2 MiB).
const CLUSTER_SIZES: std::ops::RangeInclusive<u64> = 512..=2 << 20;

pub(super) fn check_disks(disks: &Named<Disk>, problems: &mut Vec<Problem>) {
    for (target, disk) in &disks.0 {
        if let Some(reason) = refusal(TargetName::DEFINITION, &target.value) {
            let (reason, help) = reason.split_once(": ").unwrap_or((&reason, ""));
            problems.push(
                Problem::new(
                    "scenario::disk_name",
                    target.span.clone(),
                    format!("`{}` is {reason}", target.value),
                )
                .help(help),
            );
        }
        if disk.empty {
            check_empty(target, disk, problems);
        } else {
            check_image(target, disk, problems);
        }
    }
}

fn check_empty(target: &Spanned<String>, disk: &Disk, problems: &mut Vec<Problem>) {
    let place = disk
        .device
        .as_ref()
        .map_or(&target.span, |device| &device.span);
    if !matches!(&disk.device, Some(device) if device.value != Device::Disk) {
        problems.push(
            Problem::new(
                "scenario::empty_drive",
                place.clone(),
                format!("`{}` is a hard disk, which cannot be empty", target.value),
            )
            .help("add `device: cdrom`, or leave `empty` out"),
        );
    }
    let size = disk.size.as_ref().map(|size| size.span.clone());
    if let Some(place) = disk
        .format
        .as_ref()
        .map(|format| format.span.clone())
        .or(size)
    {
        problems.push(
            Problem::new(
                "scenario::empty_drive",
                place,
                format!("the drive `{}` is empty, so it has no image", target.value),
            )
            .help("leave `format` and `size` out"),
        );
    }
}

fn check_image(target: &Spanned<String>, disk: &Disk, problems: &mut Vec<Problem>) {
    for (key, given) in [
        ("format", disk.format.is_some()),
        ("size", disk.size.is_some()),
    ] {
        if !given {
            problems.push(
                Problem::new(
                    "scenario::missing_key",
                    target.span.clone(),
                    format!("`{}` has no `{key}`", target.value),
                )
                .label(format!("`{key}` is missing for this disk")),
            );
        }
    }
    if let Some(size) = &disk.size {
        check_size(size, problems);
    }
    for layer in disk
        .backing
        .iter()
        .filter_map(|layer| layer.value.size.as_ref())
    {
        check_size(layer, problems);
    }
    if disk
        .format
        .as_ref()
        .is_some_and(|format| format.value == DiskFormat::Raw)
    {
        let only_qcow2 = [
            ("compat", disk.compat.as_ref().map(|key| &key.span)),
            (
                "cluster-size",
                disk.cluster_size.as_ref().map(|key| &key.span),
            ),
            ("backing", disk.backing.first().map(|layer| &layer.span)),
        ];
        for (key, place) in only_qcow2
            .into_iter()
            .filter_map(|(key, span)| Some((key, span?)))
        {
            problems.push(
                Problem::new(
                    "scenario::raw_disk",
                    place.clone(),
                    format!("a raw image has no `{key}`"),
                )
                .label("only qcow2 has it")
                .help(format!("remove `{key}`, or write `format: qcow2`")),
            );
        }
    }
    if let Some(size) = &disk.cluster_size {
        let bytes = size.value.bytes();
        if !bytes.is_power_of_two() || !CLUSTER_SIZES.contains(&bytes) {
            problems.push(
                Problem::new(
                    "scenario::cluster_size",
                    size.span.clone(),
                    format!("qcow2 has no clusters of {}", size.value.0),
                )
                .help("write a power of two from 512 to 2M"),
            );
        }
    }
}

/// A disk of at least one sector, and of whole ones.
pub(super) fn check_size(size: &Spanned<Word<Size>>, problems: &mut Vec<Problem>) {
    if size.value.bytes() == 0 {
        problems.push(Problem::new(
            "scenario::empty_disk",
            size.span.clone(),
            "a disk has at least one sector",
        ));
    }
    check_sectors(size, problems);
}

/// Disks and writes are made of sectors.
pub(super) fn check_sectors(size: &Spanned<Word<Size>>, problems: &mut Vec<Problem>) {
    if !size.value.bytes().is_multiple_of(512) {
        let message = format!("{} is not a whole number of sectors", size.value.0);
        problems.push(
            Problem::new("scenario::alignment", size.span.clone(), message)
                .help("disks and writes are made of sectors of 512 bytes"),
        );
    }
}

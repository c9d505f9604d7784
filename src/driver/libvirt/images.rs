//! Image files that nobody has open: made, checked, their bitmaps changed.
//!
//! All of it is `qemu-img`. This module must not know domains.

use std::collections::BTreeMap;
use std::fs;

use super::bitmaps::stored;
use super::{files, tools};
use crate::driver::DriverError;
use crate::model::{BitmapChange, Compat, DiskFormat, ImageRef, Size};

/// Makes an empty image; a file of that name is replaced.
pub(super) fn create(image: &ImageRef, size: Size) -> Result<(), DriverError> {
    let size = size.bytes().to_string();
    let format = image.format.as_str();
    let arguments = ["create", "-q", "-f", format, &image.path, &size];
    tools::qemu_img(&arguments)?.succeeded()?;
    Ok(())
}

/// Makes an overlay on a closed image; with empty bitmaps like those that the image has.
pub(super) fn create_overlay(
    image: &ImageRef,
    backing: &ImageRef,
    bitmaps: bool,
) -> Result<(), DriverError> {
    let (format, below) = (image.format.as_str(), backing.format.as_str());
    let arguments = [
        "create",
        "-q",
        "-f",
        format,
        "-F",
        below,
        "-b",
        &backing.path,
        &image.path,
    ];
    tools::qemu_img(&arguments)?.succeeded()?;
    if !bitmaps {
        return Ok(());
    }
    let found = stored(&[(String::new(), backing.clone())])?;
    for row in found.0 {
        let granularity = Some(Size(row.granularity.into()));
        change_bitmap(image, &row.name, BitmapChange::Add { granularity })?;
    }
    Ok(())
}

/// Writes what a closed overlay holds into the image below it.
pub(super) fn commit(image: &ImageRef) -> Result<(), DriverError> {
    let arguments = ["commit", "-q", "-f", image.format.as_str(), &image.path];
    tools::qemu_img(&arguments)?.succeeded()?;
    Ok(())
}

/// The images of each disk from its top one on, as each names the one below it. They may be open; of
/// one that QEMU does not open nothing below is known.
pub(super) fn layers(
    tops: BTreeMap<String, ImageRef>,
) -> Result<BTreeMap<String, Vec<ImageRef>>, DriverError> {
    let mut layers = BTreeMap::new();
    for (disk, top) in tops {
        let format = top.format.as_str();
        let chain = [
            "info",
            "-U",
            "--backing-chain",
            "--output=json",
            "-f",
            format,
            &top.path,
        ];
        let output = tools::qemu_img(&chain)?;
        if output.is_refused() {
            layers.insert(disk, vec![top]);
            continue;
        }
        let chain = output.succeeded()?.json()?;
        let mut images = Vec::new();
        for layer in chain.as_array().into_iter().flatten() {
            let text = |key: &str| layer[key].as_str().unwrap_or_default();
            let format = text("format").parse();
            let format = format.map_err(|_| {
                DriverError::Failed(format!("a layer of {} is of another format", top.path))
            })?;
            let path = text("filename").to_owned();
            images.push(ImageRef { path, format });
        }
        layers.insert(disk, images);
    }
    Ok(layers)
}

/// Changes the version of a closed image.
pub(super) fn amend(image: &ImageRef, compat: Compat) -> Result<(), DriverError> {
    let option = format!("compat={compat}");
    let arguments = ["amend", "-q", "-f", "qcow2", "-o", &option, &image.path];
    tools::qemu_img(&arguments)?.succeeded()?;
    Ok(())
}

/// Changes the virtual size of a closed image.
pub(super) fn resize(image: &ImageRef, size: Size) -> Result<(), DriverError> {
    let (format, size) = (image.format.as_str(), size.bytes().to_string());
    let arguments = ["resize", "-q", "--shrink", "-f", format, &image.path, &size];
    tools::qemu_img(&arguments)?.succeeded()?;
    Ok(())
}

/// Copies a closed image, with its bitmaps or without them, and puts the copy in its place.
pub(super) fn convert(image: &ImageRef, bitmaps: bool) -> Result<(), DriverError> {
    let format = image.format.as_str();
    let copy = format!("{}.converted", image.path);
    let mut arguments = vec!["convert", "-q", "-f", format, "-O", format];
    if bitmaps {
        arguments.push("--bitmaps");
    }
    arguments.extend([image.path.as_str(), &copy]);
    tools::qemu_img(&arguments)?.succeeded()?;
    files::put_copy(&copy, &image.path)?;
    files::remove_file(&copy)
}

/// Adds the bits of one bitmap to another of the same closed image.
pub(super) fn merge_bitmaps(image: &ImageRef, bitmap: &str, from: &str) -> Result<(), DriverError> {
    let format = image.format.as_str();
    let arguments = ["bitmap", "--merge", from, "-f", format, &image.path, bitmap];
    tools::qemu_img(&arguments)?.succeeded()?;
    Ok(())
}

/// Writes one byte value over a range of a closed image.
pub(super) fn write(
    image: &ImageRef,
    offset: Size,
    length: Size,
    pattern: u8,
) -> Result<(), DriverError> {
    let command = format!("write -P {pattern} {} {}\n", offset.bytes(), length.bytes());
    tools::qemu_io(&["-f", image.format.as_str(), &image.path], &command)?.succeeded()?;
    Ok(())
}

/// The versions of images that may be open; raw ones have none.
pub(super) fn versions(
    disks: &[(String, ImageRef)],
) -> Result<BTreeMap<String, Compat>, DriverError> {
    let mut versions = BTreeMap::new();
    for (disk, image) in disks {
        if image.format != DiskFormat::Qcow2 {
            continue;
        }
        let arguments = ["info", "-U", "--output=json", &tools::alone(image)];
        let info = tools::qemu_img(&arguments)?.succeeded()?.json()?;
        let compat = match info["format-specific"]["data"]["compat"].as_str() {
            Some("0.10") => Compat::V2,
            Some("1.1") => Compat::V3,
            other => {
                let text = format!("{} is qcow2 of the version {other:?}", image.path);
                return Err(DriverError::Failed(text));
            }
        };
        versions.insert(disk.clone(), compat);
    }
    Ok(versions)
}

/// Changes one bitmap of a closed image (`docs/tools/qemu-img.rst`).
pub(super) fn change_bitmap(
    image: &ImageRef,
    bitmap: &str,
    change: BitmapChange,
) -> Result<(), DriverError> {
    let option = match change {
        BitmapChange::Add { .. } => "--add",
        BitmapChange::Remove => "--remove",
        BitmapChange::Clear => "--clear",
        BitmapChange::Enable => "--enable",
        BitmapChange::Disable => "--disable",
    };
    let mut arguments = vec!["bitmap".to_owned(), option.to_owned()];
    if let BitmapChange::Add {
        granularity: Some(granularity),
    } = change
    {
        arguments.extend(["-g".to_owned(), granularity.bytes().to_string()]);
    }
    let format = image.format.to_string();
    arguments.extend(["-f".to_owned(), format, image.path.clone()]);
    arguments.push(bitmap.to_owned());
    tools::qemu_img(&arguments)?.succeeded()?;
    Ok(())
}

/// Waits until QEMU has let go of an image: opening it fails until then.
pub(super) fn await_release(image: &ImageRef) -> Result<(), DriverError> {
    let output = tools::qemu_img(&["info", &tools::alone(image)])?;
    if output.is_locked() {
        return Err(output.failure());
    }
    Ok(())
}

/// What `qemu-img check` finds in an image by itself (a backup's backing file may be the live
/// disk); an image that it cannot open is a finding, one that is not there
/// is a failure. A raw image has nothing to check.
pub(super) fn check(image: &ImageRef) -> Result<Option<String>, DriverError> {
    fs::File::open(&image.path)
        .map_err(|error| DriverError::Failed(format!("cannot read {}: {error}", image.path)))?;
    if image.format == DiskFormat::Raw {
        return Ok(None);
    }
    let output = tools::qemu_img(&["check", "--output=json", &tools::alone(image)])?;
    match output.status {
        Some(0) => Ok(None),
        // Corruption is 2, leaked clusters are 3 (docs/tools/qemu-img.rst).
        Some(2 | 3) => {
            let found = output.json()?;
            let count = |key: &str| found[key].as_u64().unwrap_or(0);
            let (corruptions, leaks) = (count("corruptions"), count("leaks"));
            Ok(Some(format!(
                "{corruptions} corruptions, {leaks} leaked clusters"
            )))
        }
        Some(1) if !output.is_locked() => Ok(Some(output.stderr)),
        _ => Err(output.failure()),
    }
}

//! The same images, shown to `qemu-img` where it is installed.

use std::io::Write;
use std::process::{Command, Output};

use super::edits::all;
use super::image::image;
use crate::model::{Damage, ImageDamageKind};
use crate::qcow2::{Access, apply, check, edits, load};

fn qemu_img(arguments: &[&str], image: &[u8]) -> Option<Output> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(image).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let mut command = Command::new("qemu-img");
    match command.args(arguments).arg(&path).output() {
        Ok(output) => Some(output),
        Err(error) => {
            eprintln!("skipped: qemu-img cannot be run: {error}");
            None
        }
    }
}

/// Name, flags and granularity of a bitmap.
type Row = (String, bool, bool, u64);

/// The bitmaps as `qemu-img info` lists them; or the reason why it opens nothing.
fn seen(image: &[u8]) -> Option<Result<Vec<Row>, String>> {
    let output = qemu_img(&["info", "--output=json", "-f", "qcow2"], image)?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Some(Err(text));
    }
    let info: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let bitmaps = info["format-specific"]["data"]["bitmaps"].as_array();
    let row = |bitmap: &serde_json::Value| {
        let flags = bitmap["flags"].as_array().unwrap();
        let flag = |name: &str| flags.iter().any(|flag| flag == name);
        (
            bitmap["name"].as_str().unwrap().to_owned(),
            flag("in-use"),
            flag("auto"),
            bitmap["granularity"].as_u64().unwrap(),
        )
    };
    Some(Ok(bitmaps.into_iter().flatten().map(row).collect()))
}

#[test]
fn qemu_img_reads_what_is_predicted() {
    for damage in all() {
        let mut image = image();
        let edits = edits(&image, &damage).unwrap();
        apply(&mut image, &edits);
        let Some(found) = seen(&image) else {
            return;
        };
        match (load(&image, Access::Read), found) {
            (Ok(expected), Ok(found)) => {
                let row = |bitmap: &crate::qcow2::StoredBitmap| {
                    (
                        bitmap.name.clone(),
                        bitmap.in_use,
                        bitmap.auto,
                        1_u64 << bitmap.granularity_bits,
                    )
                };
                let expected: Vec<_> = expected.bitmaps.iter().map(row).collect();
                assert_eq!(expected, found, "{damage:?}");
            }
            (Err(reason), Err(found)) => {
                assert!(found.ends_with(&reason), "{damage:?}: {reason} / {found}");
            }
            (expected, found) => panic!("{damage:?}: {expected:?} / {found:?}"),
        }
    }
}

#[test]
fn qemu_img_counts_what_is_predicted() {
    for damage in all() {
        // QEMU repairs an image with this bit before it counts.
        if matches!(
            damage,
            Damage::Image {
                kind: ImageDamageKind::Dirty
            }
        ) {
            continue;
        }
        let mut image = image();
        let edits = edits(&image, &damage).unwrap();
        apply(&mut image, &edits);
        if load(&image, Access::Write).is_err() {
            continue;
        }
        let arguments = ["check", "--output=json", "-f", "qcow2"];
        let Some(output) = qemu_img(&arguments, &image) else {
            return;
        };
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let count = |key: &str| found[key].as_u64().unwrap_or(0);
        let expected = check(&image);
        assert_eq!(expected.leaks, count("leaks"), "{damage:?}");
        assert_eq!(
            expected.corruptions > 0,
            count("corruptions") > 0,
            "{damage:?}"
        );
    }
}

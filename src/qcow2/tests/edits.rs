//! Edits in memory.

use proptest::prelude::*;
use schemars::schema_for;
use serde_json::Value;

use super::image::{bitmaps, image};
use crate::model::{Anchor, BitmapDamageKind, Damage, ImageDamageKind, Size};
use crate::qcow2::{Access, Check, apply, check, edits, load, undo};

/// Every word of an enum that its schema names.
pub(super) fn words<T: schemars::JsonSchema + serde::de::DeserializeOwned>() -> Vec<T> {
    let schema = serde_json::to_value(schema_for!(T)).unwrap();
    let word = |one: &Value| serde_json::from_value(one["const"].clone()).unwrap();
    schema["oneOf"]
        .as_array()
        .unwrap()
        .iter()
        .map(word)
        .collect()
}

/// Every kind of damage.
pub(super) fn all() -> Vec<Damage> {
    let of_bitmap = words::<BitmapDamageKind>().into_iter();
    let of_bitmap = of_bitmap.map(|kind| Damage::Bitmap {
        bitmap: "c1".to_owned(),
        kind,
        other: Some("c0".to_owned()),
    });
    let of_image = words::<ImageDamageKind>().into_iter();
    let of_image = of_image.map(|kind| Damage::Image { kind });
    of_bitmap.chain(of_image).collect()
}

#[test]
fn what_was_written_is_loaded() {
    let loaded = load(&image(), Access::Write).unwrap();
    assert_eq!(loaded.bitmaps, bitmaps());
    assert_eq!(check(&image()), Check::default());
}

#[test]
fn every_kind_changes_the_image_and_can_be_taken_back() {
    for damage in all() {
        let mut image = image();
        let before = image.clone();
        let edits = edits(&image, &damage).unwrap();
        apply(&mut image, &edits);
        assert_ne!(image, before, "{damage:?}");
        undo(&mut image, &edits);
        assert_eq!(image, before, "{damage:?}");
    }
}

#[test]
fn the_reason_is_that_of_the_first_check_that_fails() {
    let reason = |kind| {
        let mut image = image();
        let damage = Damage::Image { kind };
        let edits = edits(&image, &damage).unwrap();
        apply(&mut image, &edits);
        load(&image, Access::Write).map_err(|reason| reason.split(':').next().unwrap().to_owned())
    };
    assert_eq!(
        reason(ImageDamageKind::CountTooSmall).unwrap_err(),
        "More bitmaps found than specified in header extension"
    );
    assert_eq!(
        reason(ImageDamageKind::DirectorySizeTooSmall).unwrap_err(),
        "Less bitmaps found than specified in header extension"
    );
    assert_eq!(
        reason(ImageDamageKind::DirectoryOffsetInGuestData).unwrap_err(),
        "Bitmap extra data is not supported"
    );
    assert_eq!(
        reason(ImageDamageKind::DirectoryOffsetBeyondEnd).unwrap_err(),
        "Bitmap '' doesn't satisfy the constraints"
    );
    let lost = reason(ImageDamageKind::AutoclearCleared).unwrap();
    assert!(lost.bitmaps.is_empty());
}

/// What is cut out leaves its table and its bits behind.
#[test]
fn what_nobody_names_any_more_is_leaked() {
    let mut image = image();
    let damage = Damage::Bitmap {
        bitmap: "c1".to_owned(),
        kind: BitmapDamageKind::CutOut,
        other: None,
    };
    let edits = edits(&image, &damage).unwrap();
    apply(&mut image, &edits);
    let expected = Check {
        corruptions: 0,
        leaks: 2,
    };
    assert_eq!(check(&image), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn edits_in_any_order_can_be_taken_back(
        kinds in prop::collection::vec(0_usize..60, 1..6),
        bytes in prop::collection::vec(any::<u8>(), 1..40),
        offset in 0_u64..200,
        anchor in 0_usize..6,
    ) {
        let anchors = [
            Anchor::Header, Anchor::Extension, Anchor::Directory,
            Anchor::Entry, Anchor::Table, Anchor::Data,
        ];
        let all = all();
        let mut damages: Vec<Damage> =
            kinds.into_iter().filter_map(|kind| all.get(kind).cloned()).collect();
        damages.push(Damage::Bytes {
            anchor: anchors[anchor],
            bitmap: Some("c2".to_owned()),
            offset: Size(offset),
            bytes,
        });
        let mut image = image();
        let before = image.clone();
        let mut done = Vec::new();
        for damage in damages {
            // What was damaged before may leave nothing to damage.
            if let Ok(edits) = edits(&image, &damage) {
                apply(&mut image, &edits);
                // No image makes the reader panic.
                let _ = load(&image, Access::Write);
                let _ = check(&image);
                done.push(edits);
            }
        }
        for edits in done.iter().rev() {
            undo(&mut image, edits);
        }
        prop_assert!(image == before);
    }
}

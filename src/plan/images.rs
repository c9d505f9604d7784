//! The steps that change closed images: by a tool, or byte by byte.

use super::Step;
use super::steps::{Lowering, words};
use crate::model::{Action, Anchor, Damage, ImageRef, on_layer};
use crate::scenario::Step as Told;
use crate::scenario::syntax::Spanned;

impl Lowering<'_> {
    /// What an image tool does to a closed image.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the caller sends the steps about images here"
    )]
    pub(super) fn change_image(&self, step: &Told) -> Result<Step, String> {
        let name = step.name();
        let image = |disk: &Spanned<String>| self.image_of(&name, disk);
        let copy = |label: &Spanned<String>, disk: &Spanned<String>| {
            self.path(&format!("copy-{}-{}", label.value, disk.value))
        };
        let (disk, words, action) = match step {
            Told::ResizeImage(body) => {
                let size = body.size.value.0;
                let image = image(&body.disk)?;
                (
                    &body.disk,
                    format!(" {size}"),
                    Action::ResizeImage { image, size },
                )
            }
            Told::ConvertImage(body) => {
                let bitmaps = body.bitmaps;
                let image = image(&body.disk)?;
                let words = words(&[(bitmaps, "bitmaps")]);
                (&body.disk, words, Action::ConvertImage { image, bitmaps })
            }
            Told::BitmapMerge(body) => {
                let action = Action::MergeBitmaps {
                    image: image(&body.disk)?,
                    bitmap: body.bitmap.value.clone(),
                    from: body.from.value.clone(),
                };
                let words = format!(" {} from {}", body.bitmap.value, body.from.value);
                (&body.disk, words, action)
            }
            Told::ImageWrite(body) => {
                let (offset, length) = (body.offset.value.0, body.length.value.0);
                let action = Action::WriteImage {
                    image: image(&body.disk)?,
                    offset,
                    length,
                    pattern: body.pattern,
                };
                let words = format!(" {offset} {length} {:#04X}", body.pattern);
                (&body.disk, words, action)
            }
            Told::CopyImage(body) => {
                let action = Action::CopyImage {
                    image: image(&body.disk)?,
                    copy: copy(&body.label, &body.disk),
                };
                (&body.disk, format!(" as {}", body.label.value), action)
            }
            Told::RestoreImage(body) => {
                let action = Action::RestoreImage {
                    image: image(&body.disk)?,
                    copy: copy(&body.from, &body.disk),
                };
                (&body.disk, format!(" from {}", body.from.value), action)
            }
            Told::TruncateImage(body) => {
                let by = body.by.value.0;
                let image = image(&body.disk)?;
                (
                    &body.disk,
                    format!(" by {by}"),
                    Action::TruncateImage { image, by },
                )
            }
            Told::CrashImageWriter(body) => {
                let image = image(&body.disk)?;
                (
                    &body.disk,
                    String::new(),
                    Action::CrashImageWriter { image },
                )
            }
            other => return Err(other.name()),
        };
        let label = format!("{name} {}{words}", disk.value);
        Ok(Step::act_on(label, &disk.value, 0, action))
    }

    /// What nobody should do to a closed image.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the caller sends the steps about bytes here"
    )]
    pub(super) fn damage_image(&self, step: &Told) -> Result<Step, String> {
        let name = step.name();
        let (disk, layer, words, damage) = match step {
            Told::DamageBitmap(body) => {
                let bitmap = &body.bitmap.value;
                let other = body.other.as_ref().map(|other| other.value.clone());
                let kind = word(&body.kind);
                let with = other
                    .as_ref()
                    .map_or_else(String::new, |other| format!(" {other}"));
                let words = format!("{bitmap} {kind}{with}");
                let damage = Damage::Bitmap {
                    bitmap: bitmap.clone(),
                    kind: body.kind,
                    other,
                };
                (&body.disk, body.layer, words, damage)
            }
            Told::DamageImage(body) => {
                let words = word(&body.kind);
                let damage = Damage::Image { kind: body.kind };
                (&body.disk, body.layer, words, damage)
            }
            Told::WriteBytes(body) => {
                let anchor = body.anchor.unwrap_or(Anchor::Header);
                let bitmap = body.bitmap.as_ref().map(|bitmap| bitmap.value.clone());
                let of = bitmap
                    .as_ref()
                    .map_or_else(String::new, |name| format!(" {name}"));
                let offset = body.offset.value.0;
                let words = format!("{}{of} +{offset}", word(&anchor));
                let damage = Damage::Bytes {
                    anchor,
                    bitmap,
                    offset,
                    bytes: body.bytes.0.0.clone(),
                };
                (&body.disk, body.layer, words, damage)
            }
            other => return Err(other.name()),
        };
        let image = self.image_of(&name, disk)?;
        let layer = layer.map_or(0, u32::from);
        let label = format!("{name} {} {words}", on_layer(&disk.value, layer));
        let action = Action::DamageImage { image, damage };
        Ok(Step::act_on(label, &disk.value, layer, action))
    }

    /// The image that a disk has at first.
    fn image_of(&self, name: &str, disk: &Spanned<String>) -> Result<ImageRef, String> {
        let disk = self.disk(&disk.value).ok_or_else(|| name.to_owned())?;
        Ok(disk.image.clone())
    }
}

/// A kind by its word in the language.
fn word<T: serde::Serialize>(kind: &T) -> String {
    let word = serde_json::to_value(kind).ok();
    let word = word.as_ref().and_then(serde_json::Value::as_str);
    word.unwrap_or_default().to_owned()
}

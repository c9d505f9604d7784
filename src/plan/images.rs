//! The steps that change closed images: by a tool, or byte by byte.

use super::Step;
use super::steps::Lowering;
use crate::model::{Action, Anchor, Damage, ImageRef};
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
        let image = |disk: &Spanned<String>| self.image_of(&name, disk, None);
        let copy = |label: &Spanned<String>, disk: &Spanned<String>| {
            self.path(&format!("copy-{}-{}", label.value, disk.value))
        };
        let (words, action) = match step {
            Told::ResizeImage(body) => {
                let size = body.size.value.0;
                let image = image(&body.disk)?;
                let words = format!("{} {size}", body.disk.value);
                (words, Action::ResizeImage { image, size })
            }
            Told::ConvertImage(body) => {
                let bitmaps = body.bitmaps;
                let image = image(&body.disk)?;
                let with = if bitmaps { " bitmaps" } else { "" };
                let words = format!("{}{with}", body.disk.value);
                (words, Action::ConvertImage { image, bitmaps })
            }
            Told::BitmapMerge(body) => {
                let action = Action::MergeBitmaps {
                    image: image(&body.disk)?,
                    bitmap: body.bitmap.value.clone(),
                    from: body.from.value.clone(),
                };
                let (disk, bitmap) = (&body.disk.value, &body.bitmap.value);
                (format!("{disk} {bitmap} from {}", body.from.value), action)
            }
            Told::ImageWrite(body) => {
                let (offset, length) = (body.offset.value.0, body.length.value.0);
                let action = Action::WriteImage {
                    image: image(&body.disk)?,
                    offset,
                    length,
                    pattern: body.pattern,
                };
                let disk = &body.disk.value;
                let words = format!("{disk} {offset} {length} {:#04X}", body.pattern);
                (words, action)
            }
            Told::CopyImage(body) => {
                let action = Action::CopyImage {
                    image: image(&body.disk)?,
                    copy: copy(&body.label, &body.disk),
                };
                let words = format!("{} as {}", body.disk.value, body.label.value);
                (words, action)
            }
            Told::RestoreImage(body) => {
                let action = Action::RestoreImage {
                    image: image(&body.disk)?,
                    copy: copy(&body.from, &body.disk),
                };
                let words = format!("{} from {}", body.disk.value, body.from.value);
                (words, action)
            }
            Told::TruncateImage(body) => {
                let by = body.by.value.0;
                let image = image(&body.disk)?;
                let words = format!("{} by {by}", body.disk.value);
                (words, Action::TruncateImage { image, by })
            }
            Told::CrashImageWriter(body) => {
                let image = image(&body.disk)?;
                (body.disk.value.clone(), Action::CrashImageWriter { image })
            }
            other => return Err(other.name()),
        };
        Ok(Step::act(format!("{name} {words}"), action))
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
        let image = self.image_of(&name, disk, layer)?;
        let label = format!("{name} {} {words}", disk.value);
        Ok(Step::act(label, Action::DamageImage { image, damage }))
    }

    /// The image of a disk; of one that is no layer below.
    fn image_of(
        &self,
        name: &str,
        disk: &Spanned<String>,
        layer: Option<u8>,
    ) -> Result<ImageRef, String> {
        if layer.is_some_and(|layer| layer > 0) {
            return Err(format!("{name}: layer"));
        }
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

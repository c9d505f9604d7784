//! Steps about disks, images and bitmaps: names that exist, places within the disk.

use super::disks::{check_sectors, check_size};
use super::story::{Story, Strictness};
use crate::model::Size;
use crate::scenario::diagnostic::Problem;
use crate::scenario::syntax::{Anchor, BitmapName, Spanned, TargetName, Word, WriteBytes};

impl Story<'_> {
    pub(super) fn disk(&mut self, disk: &Spanned<String>) {
        if self.disks_open || self.disks.contains_key(&disk.value) {
            return;
        }
        let problem = Problem::new(
            "scenario::unknown_disk",
            disk.span.clone(),
            format!("unknown disk `{}`", disk.value),
        )
        .label("no such disk in `disks`")
        .suggest(&disk.value, self.disks.keys().map(String::as_str));
        self.report(problem);
    }

    pub(super) fn write(
        &mut self,
        disk: &Spanned<String>,
        offset: &Spanned<Word<Size>>,
        length: &Spanned<Word<Size>>,
    ) {
        self.disk(disk);
        check_sectors(offset, self.problems);
        check_sectors(length, self.problems);
        if length.value.bytes() == 0 {
            self.report(Problem::new(
                "scenario::empty_write",
                length.span.clone(),
                "a write has at least one sector",
            ));
        }
        let Some(found) = self.disks.get(&disk.value).copied() else {
            return;
        };
        let Some(size) = found else {
            let message = format!(
                "the drive `{}` is empty, nothing can be written",
                disk.value
            );
            let problem = Problem::new("scenario::empty_drive", disk.span.clone(), message);
            return self.report(problem);
        };
        let end = offset.value.bytes().saturating_add(length.value.bytes());
        if end > size.bytes() && !self.disks_open {
            let starts_inside = offset.value.bytes() < size.bytes();
            let wrong = if starts_inside { length } else { offset };
            self.report(
                Problem::new(
                    "scenario::beyond_end",
                    wrong.span.clone(),
                    format!(
                        "the write ends at {}, beyond the end of `{}`",
                        Size(end),
                        disk.value
                    ),
                )
                .label(format!("the disk has {size} at this point")),
            );
        }
    }

    pub(super) fn write_bytes(&mut self, body: &WriteBytes) {
        self.disk(&body.disk);
        match (&body.bitmap, body.anchor.is_some_and(Anchor::needs_bitmap)) {
            (Some(bitmap), true) => self.bitmap(bitmap),
            (Some(bitmap), false) => self.report(
                Problem::new(
                    "scenario::anchor_bitmap",
                    bitmap.span.clone(),
                    "a bitmap has no meaning for this anchor",
                )
                .help("remove `bitmap`, or write `anchor: entry`, `table` or `data`"),
            ),
            (None, true) => self.report(
                Problem::new(
                    "scenario::anchor_bitmap",
                    body.disk.span.clone(),
                    "this anchor belongs to a bitmap",
                )
                .label("which bitmap of this disk?")
                .help("add `bitmap: NAME`"),
            ),
            (None, false) => {}
        }
    }

    pub(super) fn attach(
        &mut self,
        disk: &Spanned<Word<TargetName>>,
        size: &Spanned<Word<Size>>,
        strictness: Strictness,
    ) {
        check_size(size, self.problems);
        if strictness != Strictness::MustSucceed {
            return;
        }
        let name = disk.value.0.0.clone();
        let before = self.disks.insert(name.clone(), Some(size.value.0));
        if before.is_some() && !self.disks_open {
            self.report(
                Problem::new(
                    "scenario::name_taken",
                    disk.span.clone(),
                    format!("there is a disk `{name}` already"),
                )
                .label("the second one of this name")
                .help("choose another target device"),
            );
        }
    }

    pub(super) fn bitmap(&mut self, name: &Spanned<String>) {
        let missing = self.bitmaps.missing(name);
        self.report(missing);
    }

    pub(super) fn bitmap_of(&mut self, body: &BitmapName) {
        self.disk(&body.disk);
        self.bitmap(&body.bitmap);
    }
}

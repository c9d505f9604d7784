//! Whatever happens to a domain, its backups restore, and its bitmaps miss nothing.

use proptest::prelude::*;

use super::bench::Bench;
use crate::model::{Api, Content, ErrorCode, Size, Value};
use crate::world::{Bitmap, Extents};

const SIZE: Size = Size(16 << 20);

/// One thing that happens.
#[derive(Clone, Debug)]
enum Turn {
    /// The guest writes: offset, length, byte.
    Write(u64, u64, u8),
    /// A checkpoint alone.
    Checkpoint,
    /// A backup with a checkpoint, by pull or push, perhaps based on an earlier backup; the guest
    /// writes meanwhile.
    Backup(bool, Option<prop::sample::Index>, u64),
    /// QEMU is killed and started again.
    Kill,
    /// The domain is destroyed and started again.
    Restart,
    /// The earliest checkpoint is deleted.
    Delete,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let write = (0..SIZE.0, 1..(3_u64 << 16), 0_u8..4)
        .prop_map(|(offset, length, fill)| Turn::Write(offset, length.min(SIZE.0 - offset), fill));
    let backup = (
        any::<bool>(),
        any::<Option<prop::sample::Index>>(),
        0..SIZE.0,
    )
        .prop_map(|(pull, base, offset)| Turn::Backup(pull, base, offset));
    let turn = prop_oneof![
        6 => write,
        1 => Just(Turn::Checkpoint),
        4 => backup,
        1 => Just(Turn::Kill),
        1 => Just(Turn::Restart),
        1 => Just(Turn::Delete),
    ];
    prop::collection::vec(turn, 1..24)
}

/// What a client knows.
struct Books {
    bench: Bench,
    disk: Content,
    /// Name, the blocks written since, and whether a kill has spoilt it.
    checkpoints: Vec<(String, Extents, bool)>,
    /// The checkpoint, the images, newest first, and what they restore.
    backups: Vec<(String, Vec<String>, Content)>,
    names: u32,
}

impl Books {
    fn write(&mut self, offset: u64, length: u64, fill: u8) {
        self.bench.write(offset, length, fill);
        self.disk.write(offset, length, fill);
        for (_, written, _) in &mut self.checkpoints {
            written.mark(offset, length, 65_536);
        }
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("c{}", self.names)
    }

    fn play(&mut self, turn: &Turn) {
        match turn {
            Turn::Write(offset, length, fill) => self.write(*offset, *length, *fill),
            Turn::Checkpoint => {
                let name = self.name();
                self.bench.ok(&self.bench.create(&document(&name)));
                self.checkpoints.push((name, Extents::none(SIZE), false));
            }
            Turn::Backup(pull, base, offset) => self.back_up(*pull, *base, *offset),
            Turn::Kill => {
                self.bench.kill();
                for (_, _, spoilt) in &mut self.checkpoints {
                    *spoilt = true;
                }
                self.bench.ok(&self.bench.call(Api::DomainCreate));
            }
            Turn::Restart => {
                self.bench.ok(&self.bench.call(Api::DomainDestroy));
                self.bench.ok(&self.bench.call(Api::DomainCreate));
            }
            Turn::Delete => {
                if self.checkpoints.is_empty() {
                    return;
                }
                let (name, _, spoilt) = self.checkpoints.remove(0);
                let delete = self.bench.call(Api::CheckpointDelete).checkpoint(&name);
                // One that was never stored before the kill has no bitmap any more.
                let flags = u32::from(spoilt) * 2;
                self.bench.ok(&delete.flags(flags));
            }
        }
    }

    fn back_up(&mut self, pull: bool, base: Option<prop::sample::Index>, offset: u64) {
        let base = base.filter(|_| !self.backups.is_empty());
        let base = base.map(|base| base.get(&self.backups).clone());
        let name = self.name();
        let (target, scratch) = (format!("t-{name}"), format!("s-{name}"));
        let incremental = base.as_ref().map(|(base, _, _)| base.as_str());
        let xml = backup(pull, incremental, if pull { &scratch } else { &target });
        let call = self.bench.backup(&xml, Some(&document(&name)));
        if let Some((base, _, _)) = &base {
            let known = self.checkpoints.iter().find(|(known, _, _)| known == base);
            match known {
                None => {
                    let error = self.bench.refused(&call);
                    assert_eq!(error.code, ErrorCode::NO_DOMAIN_CHECKPOINT);
                    return;
                }
                Some((_, _, true)) => {
                    let error = self.bench.refused(&call);
                    assert_eq!(error.code, ErrorCode::CHECKPOINT_INCONSISTENT);
                    return;
                }
                Some((_, _, false)) => {}
            }
        }
        assert_eq!(self.bench.ok(&call), Value::Nothing);
        let instant = self.disk.clone();
        self.checkpoints
            .push((name.clone(), Extents::none(SIZE), false));
        self.write(offset, (SIZE.0 - offset).min(100_000), 9);
        if pull {
            self.bench
                .read_export(base.as_ref().map(|_| "backup-vda"), &target);
            self.bench.ok(&self.bench.call(Api::DomainAbortJob));
        }
        self.bench.await_backup();
        let below = base.map(|(_, images, _)| images).unwrap_or_default();
        let images = std::iter::once(target).chain(below).collect();
        self.backups.push((name, images, instant));
    }

    fn check(&mut self) {
        for (name, images, instant) in &self.backups {
            let restored = self.bench.read(images);
            assert_eq!(instant.difference(&restored), None, "{name}");
        }
        let domain = &self.bench.mock.world.domains[&self.bench.place.domain];
        let bitmaps = &domain.active.as_ref().unwrap().bitmaps[0][0];
        for (name, written, spoilt) in &self.checkpoints {
            let bitmap: Option<&Bitmap> = bitmaps.get(name);
            let usable = bitmap.filter(|bitmap| bitmap.recording && !bitmap.inconsistent);
            assert_eq!(usable.is_some(), !spoilt, "{name}");
            if let Some(bitmap) = usable {
                let mut both = bitmap.dirty.clone();
                both.merge(written);
                assert_eq!(both, bitmap.dirty, "{name} misses a write");
            }
        }
        let mut files = self.bench.files();
        files.retain(|name| !name.starts_with("t-"));
        assert_eq!(files, ["vda.qcow2", "vdb.raw"]);
    }
}

fn document(name: &str) -> String {
    format!(
        "<domaincheckpoint><name>{name}</name><disks><disk name='vda'/></disks></domaincheckpoint>"
    )
}

fn backup(pull: bool, base: Option<&str>, file: &str) -> String {
    let base = base.map_or_else(String::new, |base| {
        format!("<incremental>{base}</incremental>")
    });
    if pull {
        return format!(
            "<domainbackup mode='pull'>{base}<server transport='unix' socket='DIR/nbd'/><disks>\
             <disk name='vda' type='file'><scratch file='DIR/{file}'/></disk></disks></domainbackup>"
        );
    }
    format!(
        "<domainbackup>{base}<disks><disk name='vda' type='file'><target file='DIR/{file}'/>\
         </disk></disks></domainbackup>"
    )
}

proptest! {
    #[test]
    fn every_backup_restores_and_no_write_is_missed(turns in turns()) {
        let mut books = Books {
            bench: Bench::running(),
            disk: Content::zeros(SIZE),
            checkpoints: Vec::new(),
            backups: Vec::new(),
            names: 0,
        };
        for turn in &turns {
            books.play(turn);
            books.check();
        }
    }
}

//! A history as a scenario's file.

use super::{Attempt, History, Situation, Turn};
use crate::model::{Decision, DiskFormat, ErrorCode};

/// The size of each disk.
const SIZE: &str = "16M";

impl Attempt {
    /// The call with numbers that mean something after a history: of disks that are there, and of a
    /// checkpoint that was made or would be the next one.
    #[must_use]
    pub(super) fn at(self, situation: &Situation) -> Self {
        let near = |number: u32| 1 + number % (situation.made + 1);
        let there = |disks: Vec<usize>| {
            let mut disks = disks;
            disks.retain(|disk| *disk < situation.disks.len());
            if disks.is_empty() { vec![0] } else { disks }
        };
        match self {
            Self::Backup {
                is_pull,
                base,
                disks,
                checkpoint,
            } => Self::Backup {
                is_pull,
                base: base.map(near),
                disks: there(disks),
                checkpoint: checkpoint.map(near),
            },
            Self::Checkpoint { checkpoint, disks } => Self::Checkpoint {
                checkpoint: near(checkpoint),
                disks: there(disks),
            },
            Self::Delete {
                checkpoint,
                children,
                metadata_only,
            } => Self::Delete {
                checkpoint: near(checkpoint),
                children,
                metadata_only,
            },
            Self::Redefine { validate, .. } => match situation.dumps.last() {
                Some(checkpoint) => Self::Redefine {
                    checkpoint: *checkpoint,
                    validate,
                },
                None => Self::Abort,
            },
            Self::Size { checkpoint } => Self::Size {
                checkpoint: near(checkpoint),
            },
            Self::Abort => Self::Abort,
        }
    }
}

impl History {
    /// The text of a scenario of this name, which expects this error and decision, or success.
    #[must_use]
    pub fn scenario(&self, name: &str, expected: Option<(ErrorCode, Decision)>) -> String {
        let mut lines = vec![
            "# yaml-language-server: $schema=../scenario.schema.json".to_owned(),
            "format: 1".to_owned(),
            format!("scenario: {name}"),
            "summary: A history that was made at random.".to_owned(),
        ];
        lines.extend(self.client_lines());
        lines.push("disks:".to_owned());
        for (number, format) in self.disks.iter().enumerate() {
            let disk = disk(number);
            lines.push(format!("  {disk}: {{ format: {format}, size: {SIZE} }}"));
        }
        if !self.turns.is_empty() {
            lines.push("history:".to_owned());
        }
        for (number, turn) in self.turns.iter().enumerate() {
            lines.extend(self.turn(number, turn).map(|step| format!("  - {step}")));
        }
        lines.push("when:".to_owned());
        lines.push(format!("  {}", self.call()));
        lines.push("then:".to_owned());
        match expected {
            None => lines.push("  result: ok".to_owned()),
            Some((code, decision)) => {
                let code = code
                    .name()
                    .map_or_else(|| code.0.to_string(), str::to_owned);
                lines.push(format!("  error: {code}"));
                lines.push(format!("  decision: {decision}"));
                if decision == Decision::FixRequest {
                    lines.push("  remedy:".to_owned());
                    lines.extend(self.corrected().iter().map(|step| format!("    - {step}")));
                }
            }
        }
        lines.join("\n") + "\n"
    }

    /// A request of the same kind that is never wrong.
    fn corrected(&self) -> Vec<String> {
        let start = (!self.situation().is_active).then(|| "start".to_owned());
        let start = start.into_iter();
        match &self.attempt {
            Attempt::Backup { .. } | Attempt::Abort => {
                let backup = self.backup("corrected", false, None, &[0], None);
                start.chain([backup, "await-backup".to_owned()]).collect()
            }
            Attempt::Checkpoint { .. } => {
                let create = "checkpoint-create: { name: corrected, disks: [vda] }";
                start.chain([create.to_owned()]).collect()
            }
            Attempt::Delete { checkpoint, .. } => {
                vec![format!(
                    "checkpoint-delete: {{ name: c{checkpoint}, metadata-only: true }}"
                )]
            }
            Attempt::Redefine { checkpoint, .. } => {
                vec![format!("checkpoint-redefine: {{ from: d{checkpoint} }}")]
            }
            Attempt::Size { checkpoint } => {
                vec![format!(
                    "checkpoint-dump: {{ name: c{checkpoint}, as: corrected }}"
                )]
            }
        }
    }

    fn client_lines(&self) -> Vec<String> {
        let client = self.client;
        let given = [
            ("no-mixing", client.no_mixing),
            ("no-start", client.no_start),
            ("no-monitor", client.no_monitor),
        ];
        let mut lines: Vec<String> = given
            .iter()
            .filter(|(_, is_given)| *is_given)
            .map(|(key, _)| format!("  {key}: true"))
            .collect();
        if !lines.is_empty() {
            lines.insert(0, "client:".to_owned());
        }
        lines
    }

    fn turn(&self, number: usize, turn: &Turn) -> impl Iterator<Item = String> + use<> {
        let bitmap = |verb: &str, disk_number: &usize, checkpoint: &u32| {
            let disk = disk(*disk_number);
            format!("bitmap-{verb}: {{ disk: {disk}, bitmap: c{checkpoint} }}")
        };
        let steps = match turn {
            Turn::Start => vec!["start".to_owned()],
            Turn::Destroy => vec!["destroy".to_owned()],
            Turn::Kill => vec!["kill-emulator".to_owned()],
            Turn::Write {
                disk: at,
                block,
                fill,
            } => {
                let (disk, offset) = (disk(*at), u32::from(*block) * 64);
                vec![format!(
                    "guest-write: {{ disk: {disk}, offset: {offset}K, length: 64K, pattern: {fill} }}"
                )]
            }
            Turn::Checkpoint { checkpoint, disks } => {
                vec![format!(
                    "checkpoint-create: {}",
                    self.checkpoint(*checkpoint, disks)
                )]
            }
            Turn::Backup {
                is_pull,
                base,
                disks,
                checkpoint,
            } => {
                let file = format!("b{number}");
                let backup = self.backup(&file, *is_pull, *base, disks, *checkpoint);
                let end = if *is_pull {
                    "backup-end"
                } else {
                    "await-backup"
                };
                vec![backup, end.to_owned()]
            }
            Turn::Delete {
                checkpoint,
                metadata_only,
            } => {
                let flag = if *metadata_only {
                    ", metadata-only: true"
                } else {
                    ""
                };
                vec![format!(
                    "checkpoint-delete: {{ name: c{checkpoint}{flag} }}"
                )]
            }
            Turn::Dump { checkpoint } => {
                vec![format!(
                    "checkpoint-dump: {{ name: c{checkpoint}, as: d{checkpoint} }}"
                )]
            }
            Turn::RemoveBitmap { disk, checkpoint } => vec![bitmap("remove", disk, checkpoint)],
            Turn::DisableBitmap { disk, checkpoint } => vec![bitmap("disable", disk, checkpoint)],
            Turn::Recreate { disk: at } => {
                vec![format!("recreate-image: {{ disk: {} }}", disk(*at))]
            }
            Turn::LoseMetadata => vec!["undefine-with-metadata".to_owned(), "define".to_owned()],
        };
        steps.into_iter()
    }

    fn call(&self) -> String {
        match &self.attempt {
            Attempt::Backup {
                is_pull,
                base,
                disks,
                checkpoint,
            } => self.backup("when", *is_pull, *base, disks, *checkpoint),
            Attempt::Checkpoint { checkpoint, disks } => {
                format!("checkpoint-create: {}", self.checkpoint(*checkpoint, disks))
            }
            Attempt::Delete {
                checkpoint,
                children,
                metadata_only,
            } => {
                let children = if *children { ", children: true" } else { "" };
                let metadata = if *metadata_only {
                    ", metadata-only: true"
                } else {
                    ""
                };
                format!("checkpoint-delete: {{ name: c{checkpoint}{children}{metadata} }}")
            }
            Attempt::Redefine {
                checkpoint,
                validate,
            } => {
                let validate = if *validate { ", validate: true" } else { "" };
                format!("checkpoint-redefine: {{ from: d{checkpoint}{validate} }}")
            }
            Attempt::Size { checkpoint } => {
                format!("checkpoint-dump: {{ name: c{checkpoint}, size: true, as: size }}")
            }
            Attempt::Abort => "backup-abort".to_owned(),
        }
    }

    fn backup(
        &self,
        file: &str,
        is_pull: bool,
        base: Option<u32>,
        disks: &[usize],
        checkpoint: Option<u32>,
    ) -> String {
        let (mode, kind, server) = if is_pull {
            ("pull", "scratch", ", server: { socket: nbd }")
        } else {
            ("push", "target", "")
        };
        let base = base.map_or_else(String::new, |base| format!(", incremental: c{base}"));
        let files: Vec<String> = disks
            .iter()
            .map(|number| {
                let disk = disk(*number);
                format!("{disk}: {{ {kind}: {file}-{disk}.qcow2 }}")
            })
            .collect();
        let with_bitmaps: Vec<usize> = disks
            .iter()
            .copied()
            .filter(|disk| self.disks[*disk] == DiskFormat::Qcow2)
            .collect();
        let checkpoint = checkpoint
            .filter(|_| !with_bitmaps.is_empty())
            .map_or_else(String::new, |number| {
                format!(", checkpoint: {}", self.checkpoint(number, &with_bitmaps))
            });
        let files = files.join(", ");
        format!("backup-begin: {{ mode: {mode}{base}{server}, disks: {{ {files} }}{checkpoint} }}")
    }

    #[expect(clippy::unused_self, reason = "it reads like its neighbours")]
    fn checkpoint(&self, number: u32, disks: &[usize]) -> String {
        let disks: Vec<String> = disks.iter().map(|number| disk(*number)).collect();
        format!("{{ name: c{number}, disks: [{}] }}", disks.join(", "))
    }
}

/// The target device of a disk.
fn disk(number: usize) -> String {
    ["vda", "vdb", "vdc"][number].to_owned()
}

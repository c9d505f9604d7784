//! The steps that are no libvirt call: what is done to images, to the host and to QEMU.

use super::steps::Lowering;
use super::{Operation, PlannedDisk, Step};
use crate::model::{Action, BitmapChange, Compat, NbdServer};
use crate::scenario::Step as Told;
use crate::scenario::syntax::{AmendImage, BitmapName, DiskName, FileName, Spanned, Word};

impl Lowering<'_> {
    pub(super) fn create_image(disk: &PlannedDisk) -> Step {
        let action = Action::CreateImage {
            image: disk.image.clone(),
            size: disk.size,
        };
        Step::act(format!("create-image {}", disk.target), action)
    }

    /// `None` for a disk that is itself not supported.
    pub(super) fn recreate_image(&self, body: &DiskName) -> Option<Step> {
        let disk = self.disk(&body.disk.value)?;
        let step = Self::create_image(disk);
        Some(Step {
            label: format!("recreate-image {}", disk.target),
            ..step
        })
    }

    pub(super) fn amend(disk: &PlannedDisk, compat: Compat) -> Step {
        let action = Action::AmendImage {
            image: disk.image.clone(),
            compat,
        };
        Step::act(format!("amend-image {} {compat}", disk.target), action)
    }

    /// `None` for a disk that is itself not supported.
    pub(super) fn amend_image(&self, body: &AmendImage) -> Option<Step> {
        let disk = self.disk(&body.disk.value)?;
        Some(Self::amend(disk, body.compat))
    }

    pub(super) fn kill_emulator(&self) -> Step {
        let domain = self.place.domain.clone();
        Step::act("kill-emulator", Action::KillEmulator { domain })
    }

    pub(super) fn await_block_job(&self, body: &DiskName) -> Step {
        let action = Action::AwaitBlockJob {
            domain: self.place.domain.clone(),
            disk: body.disk.value.clone(),
        };
        Step::act(format!("await-block-job {}", body.disk.value), action)
    }

    /// The steps about one bitmap of a closed image.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the caller sends the steps about bitmaps here"
    )]
    pub(super) fn change_bitmap(&self, step: &Told) -> Result<Step, String> {
        let named = |body: &BitmapName, change| {
            (
                body.disk.value.clone(),
                body.bitmap.value.clone(),
                (body.live, body.layer),
                change,
            )
        };
        let (disk, bitmap, (live, layer), change) = match step {
            Told::BitmapAdd(body) => {
                let granularity = body.granularity.as_ref().map(|size| size.value.0);
                (
                    body.disk.value.clone(),
                    body.bitmap.value.clone(),
                    (body.live, body.layer),
                    BitmapChange::Add { granularity },
                )
            }
            Told::BitmapRemove(body) => named(body, BitmapChange::Remove),
            Told::BitmapClear(body) => named(body, BitmapChange::Clear),
            Told::BitmapEnable(body) => named(body, BitmapChange::Enable),
            Told::BitmapDisable(body) => named(body, BitmapChange::Disable),
            other => return Err(other.name()),
        };
        let name = step.name();
        if live {
            return Err(format!("{name}: live"));
        }
        if layer.is_some_and(|layer| layer > 0) {
            return Err(format!("{name}: layer"));
        }
        let image = self.disk(&disk).ok_or_else(|| name.clone())?.image.clone();
        let label = format!("{name} {disk} {bitmap}");
        let action = Action::ChangeBitmap {
            image,
            bitmap,
            change,
        };
        Ok(Step::act(label, action))
    }

    /// The steps that take something from the host or from QEMU, or give it back.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the caller sends the steps about the host here"
    )]
    pub(super) fn change_host(&self, step: &Told) -> Result<Step, String> {
        let path = |name: &Spanned<Word<FileName>>| self.path(&name.value.0.0);
        let label = |name: &str| format!("{} {name}", step.name());
        let domain = self.place.domain.clone();
        Ok(match step {
            Told::MakeDirectory(body) => Step::act(
                label(&body.directory.value.0.0),
                Action::MakeDirectory {
                    path: path(&body.directory),
                },
            ),
            Told::RemoveDirectory(body) => Step::act(
                label(&body.directory.value.0.0),
                Action::RemoveDirectory {
                    path: path(&body.directory),
                },
            ),
            Told::MakeFile(body) => Step::act(
                label(&body.file.value.0.0),
                Action::MakeFile {
                    path: path(&body.file),
                },
            ),
            Told::RemoveFile(body) => Step::act(
                label(&body.file.value.0.0),
                Action::RemoveFile {
                    path: path(&body.file),
                },
            ),
            Told::OccupyPort(body) => Step::act(
                label(&body.port.to_string()),
                Action::OccupyPort {
                    port: self.port(body.port),
                },
            ),
            Told::ReleasePort(body) => Step::act(
                label(&body.port.to_string()),
                Action::ReleasePort {
                    port: self.port(body.port),
                },
            ),
            Told::NbdServerStart(body) => Step::act(
                label(&body.socket.value.0.0),
                Action::StartNbdServer {
                    domain,
                    server: NbdServer::Socket(path(&body.socket)),
                },
            ),
            Told::BlockMetadataStore => {
                Step::act(step.name(), Action::BlockMetadataStore { domain })
            }
            Told::UnblockMetadataStore => {
                Step::act(step.name(), Action::UnblockMetadataStore { domain })
            }
            Told::NbdServerStop => Step::act(step.name(), Action::StopNbdServer { domain }),
            other => return Err(other.name()),
        })
    }

    /// The scenario's own port of this number; 0, which nobody can use, where the place has none.
    pub(super) fn port(&self, number: u8) -> u16 {
        let index = usize::from(number).saturating_sub(1);
        self.place.ports.get(index).copied().unwrap_or_default()
    }
}

impl Step {
    pub(super) fn act(label: impl Into<String>, action: Action) -> Self {
        Self::of(label, Operation::Act(action))
    }
}

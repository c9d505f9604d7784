//! The steps that are no libvirt call: what is done to images, to the host and to QEMU.

use super::steps::{Lowering, words};
use super::{Operation, PlannedDisk, Step};
use crate::model::{Action, BitmapChange, Compat, ImageRef, NbdServer, on_layer};
use crate::scenario::Step as Told;
use crate::scenario::syntax::{AmendImage, BitmapName, DiskName, FileName, Spanned, Word};

impl Lowering<'_> {
    /// The images of a disk from the bottom, each an overlay on the one below it.
    pub(super) fn create_images(disk: &PlannedDisk) -> Vec<Step> {
        let mut layers: Vec<&ImageRef> = disk.layers().collect();
        layers.reverse();
        let label = format!("create-image {}", disk.target);
        let overlay = |pair: &[&ImageRef]| {
            let action = Action::CreateOverlay {
                image: pair[1].clone(),
                backing: pair[0].clone(),
                bitmaps: false,
            };
            Step::act(label.clone(), action)
        };
        let action = Action::CreateImage {
            image: layers[0].clone(),
            size: disk.size,
        };
        let overlays: Vec<Step> = layers.windows(2).map(overlay).collect();
        let bottom = Step::act(label, action);
        [bottom].into_iter().chain(overlays).collect()
    }

    /// `None` for a disk that is itself not supported.
    pub(super) fn recreate_image(&self, body: &DiskName) -> Option<Step> {
        let disk = self.disk(&body.disk.value)?;
        let action = Action::CreateImage {
            image: disk.image.clone(),
            size: disk.size,
        };
        let label = format!("recreate-image {}", disk.target);
        Some(Step::act_on(label, &disk.target, 0, action))
    }

    pub(super) fn amend(disk: &PlannedDisk, compat: Compat) -> Step {
        let action = Action::AmendImage {
            image: disk.image.clone(),
            compat,
        };
        let label = format!("amend-image {} {compat}", disk.target);
        Step::act_on(label, &disk.target, 0, action)
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
        let image = self.disk(&disk).ok_or_else(|| name.clone())?.image.clone();
        let layer = layer.map_or(0, u32::from);
        let words = words(&[(live, "live")]);
        let label = format!("{name} {} {bitmap}{words}", on_layer(&disk, layer));
        if live {
            let action = Action::ChangeLiveBitmap {
                domain: self.place.domain.clone(),
                disk,
                layer,
                bitmap,
                change,
            };
            return Ok(Step::act(label, action));
        }
        let action = Action::ChangeBitmap {
            image,
            bitmap,
            change,
        };
        Ok(Step::act_on(label, &disk, layer, action))
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

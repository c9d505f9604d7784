//! The steps about what goes on around checkpoints and backups: the daemon, the guest's end, disks
//! that come and go, file systems, and calls in the background.

use super::steps::Lowering;
use super::{Operation, PlannedCall, PlannedDisk, Step, xml};
use crate::model::{Action, Api, Call, ImageRef, flags};
use crate::scenario::Step as Told;
use crate::scenario::syntax::{
    AttachDisk, Background, DiskName, Edit, FailedWrite, FileName, ResizeDisk, Spanned, Word,
};

impl Lowering<'_> {
    /// The steps that restart libvirt, and those that damage what it would then find.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the caller sends the steps about the daemon here"
    )]
    pub(super) fn change_daemon(&self, step: &Told) -> Result<Step, String> {
        let domain = self.place.domain.clone();
        Ok(match step {
            Told::RestartDaemon => Step::act(step.name(), Action::RestartDaemon),
            Told::KillDaemon => Step::act(step.name(), Action::KillDaemon),
            Told::RemoveMetadata(body) => {
                let checkpoint = body.name.value.clone();
                let label = format!("{} {checkpoint}", step.name());
                Step::act(label, Action::RemoveMetadata { domain, checkpoint })
            }
            Told::EditMetadata(body) => {
                let checkpoint = body.name.value.clone();
                let label = format!("{} {checkpoint}", step.name());
                let edit = |edit: &Edit| (edit.replace.value.clone(), edit.by.clone());
                let edits = body.edit.iter().map(edit).collect();
                let action = Action::EditMetadata {
                    domain,
                    checkpoint,
                    edits,
                };
                Step::act(label, action)
            }
            other => return Err(other.name()),
        })
    }

    /// The steps about file systems of limited size.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the caller sends the steps about file systems here"
    )]
    pub(super) fn change_file_system(&self, step: &Told) -> Result<Step, String> {
        let path = |name: &Spanned<Word<FileName>>| self.path(&name.value.0.0);
        let label = |name: &Spanned<Word<FileName>>| format!("{} {}", step.name(), name.value.0.0);
        Ok(match step {
            Told::SmallFileSystem(body) => {
                let size = body.size.value.0;
                let path = path(&body.directory);
                let label = format!("{} {size}", label(&body.directory));
                Step::act(label, Action::MountFileSystem { path, size })
            }
            Told::FillFileSystem(body) => {
                let path = path(&body.directory);
                Step::act(label(&body.directory), Action::FillFileSystem { path })
            }
            Told::FreeFileSystem(body) => {
                let path = path(&body.directory);
                Step::act(label(&body.directory), Action::FreeFileSystem { path })
            }
            other => return Err(other.name()),
        })
    }

    pub(super) fn guest_write_fails(&self, body: &FailedWrite) -> Step {
        let disk = body.disk.value.clone();
        let (offset, length) = (body.offset.value.0, body.length.value.0);
        let label = format!("guest-write-fails {disk} {offset} {length}");
        let action = Action::FailGuestWrite {
            domain: self.place.domain.clone(),
            disk,
            offset,
            length,
        };
        Step::act(label, action)
    }

    pub(super) fn shutdown(&self) -> Step {
        let call = self.call(Api::DomainShutdown);
        Step::of("shutdown", Operation::Shutdown(PlannedCall::literal(call)))
    }

    pub(super) fn block_resize(&self, body: &ResizeDisk) -> Step {
        let (disk, size) = (&body.disk.value, body.size.value.0);
        let call = Call {
            disk: Some(disk.clone()),
            size: Some(size.bytes()),
            ..self.call(Api::DomainBlockResize)
        };
        let call = call.flags(flags::BLOCK_RESIZE_BYTES);
        Step::call(&format!("block-resize {disk} {size}"), call)
    }

    /// The disk that a step attaches.
    pub(super) fn attached(&self, body: &AttachDisk) -> PlannedDisk {
        let target = &body.disk.value.0.0;
        PlannedDisk {
            target: target.clone(),
            image: ImageRef {
                path: self.path(&format!("{target}.{}", body.format)),
                format: body.format,
            },
            size: body.size.value.0,
            compat: None,
            below: Vec::new(),
        }
    }

    /// The domain's definition is changed, and what runs of it.
    const fn affected(&self) -> u32 {
        if self.is_active {
            flags::DOMAIN_AFFECT_LIVE | flags::DOMAIN_AFFECT_CONFIG
        } else {
            flags::DOMAIN_AFFECT_CONFIG
        }
    }

    pub(super) fn attach_disk(&self, body: &AttachDisk) -> Step {
        let disk = self.attached(body);
        let call = self.call(Api::DomainAttachDevice).flags(self.affected());
        let call = PlannedCall::literal(call.xml(xml::disk_xml(&disk)));
        Step::of(
            format!("attach-disk {} {}", disk.target, disk.size),
            Operation::AttachDisk(disk, call),
        )
    }

    /// `None` for a disk that is itself not supported.
    pub(super) fn detach_disk(&self, body: &DiskName) -> Option<Step> {
        let disk = self.disk(&body.disk.value)?;
        let call = self.call(Api::DomainDetachDevice).flags(self.affected());
        let label = format!("detach-disk {}", disk.target);
        Some(Step::call(&label, call.xml(xml::disk_xml(disk))))
    }

    pub(super) fn background(&self, body: &Background) -> Result<Step, String> {
        let name = &body.label.value;
        let Step { label, operation } = self.call_under_test(&body.step.value)?;
        if let Operation::Call(call) = operation
            && call.xml_from.is_none()
            && call.keep_as.is_none()
        {
            let operation = Operation::BeginCall(name.clone(), call.call);
            return Ok(Step::of(format!("background {name}: {label}"), operation));
        }
        Err(format!("background: {}", body.step.value.name()))
    }
}

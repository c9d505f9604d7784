//! The steps that are libvirt calls with documents or flags of their own.

use quick_xml::escape::escape;

use super::steps::{Lowering, bits, words};
use super::xml::{self, BackupDisk, BackupXml};
use super::{Operation, PlannedCall, Step};
use crate::model::{Api, Call, DiskFormat, ImageRef, NbdServer, flags};
use crate::scenario::Spanned;
use crate::scenario::syntax::{
    BackupBegin, BackupDiskMode, BackupMode, BlockCopy, Call as RawCall, CheckpointCreate,
    CheckpointDelete, CheckpointDump, CheckpointRedefine, Edit,
};

impl Lowering<'_> {
    fn checkpoint_document(&self, request: &CheckpointCreate) -> String {
        let chosen = request.disks.as_ref();
        let chosen: Option<Vec<&str>> =
            chosen.map(|disks| disks.iter().map(|disk| disk.value.as_str()).collect());
        let description = request.description.as_deref();
        xml::checkpoint_xml(
            &request.name.value,
            description,
            chosen.as_deref(),
            &self.disks,
        )
    }

    pub(super) fn checkpoint_create(&self, body: &CheckpointCreate) -> Step {
        let bits = bits(&[(body.quiesce, flags::CHECKPOINT_CREATE_QUIESCE)]);
        let call = self.call(Api::CheckpointCreate).flags(bits);
        let words = words(&[(body.quiesce, "quiesce")]);
        let label = format!("checkpoint-create {}{words}", body.name.value);
        Step::call(&label, call.xml(self.checkpoint_document(body)))
    }

    pub(super) fn checkpoint_dump(&self, body: &CheckpointDump) -> Step {
        let name = &body.name.value;
        let bits = bits(&[
            (body.no_domain, flags::CHECKPOINT_XML_NO_DOMAIN),
            (body.size, flags::CHECKPOINT_XML_SIZE),
            (body.secure, flags::CHECKPOINT_XML_SECURE),
        ]);
        let call = self.call(Api::CheckpointGetXmlDesc);
        let kept = PlannedCall {
            keep_as: Some(body.label.value.clone()),
            ..PlannedCall::literal(call.checkpoint(name).flags(bits))
        };
        Step {
            label: format!("checkpoint-dump {name}"),
            operation: Operation::Call(kept),
        }
    }

    pub(super) fn checkpoint_redefine(&self, body: &CheckpointRedefine) -> Step {
        let bits = flags::CHECKPOINT_CREATE_REDEFINE
            | bits(&[(body.validate, flags::CHECKPOINT_CREATE_REDEFINE_VALIDATE)]);
        let words = words(&[
            (!body.edit.is_empty(), "edited"),
            (body.validate, "validate"),
        ]);
        let edit = |edit: &Edit| (edit.replace.value.clone(), edit.by.clone());
        let sent = PlannedCall {
            xml_from: Some(body.from.value.clone()),
            edits: body.edit.iter().map(edit).collect(),
            ..PlannedCall::literal(self.call(Api::CheckpointCreate).flags(bits))
        };
        Step {
            label: format!("checkpoint-redefine from {}{words}", body.from.value),
            operation: Operation::Call(sent),
        }
    }

    pub(super) fn checkpoint_delete(&self, body: &CheckpointDelete) -> Step {
        let name = &body.name.value;
        let bits = bits(&[
            (body.metadata_only, flags::CHECKPOINT_DELETE_METADATA_ONLY),
            (body.children, flags::CHECKPOINT_DELETE_CHILDREN),
            (body.children_only, flags::CHECKPOINT_DELETE_CHILDREN_ONLY),
        ]);
        let words = words(&[
            (body.metadata_only, "metadata-only"),
            (body.children, "children"),
            (body.children_only, "children-only"),
        ]);
        let call = self.call(Api::CheckpointDelete);
        let label = format!("checkpoint-delete {name}{words}");
        Step::call(&label, call.checkpoint(name).flags(bits))
    }

    pub(super) fn backup_begin(&self, body: &BackupBegin) -> Result<Step, String> {
        let is_pull = body.mode.value == BackupMode::Pull;
        let mut files = Vec::new();
        for (target, disk) in &body.disks.0 {
            let file = if is_pull { &disk.scratch } else { &disk.target };
            if file.is_none() && !is_pull {
                return Err(format!("backup-begin of {}: no target", target.value));
            }
            files.push(file.as_ref().map(|file| self.path(&file.value.0.0)));
        }
        let server = body.server.as_ref().map(|server| &server.value);
        let place = match server.map(|server| (&server.socket, server.port)) {
            Some((Some(socket), _)) => Some(NbdServer::Socket(self.path(&socket.0.0))),
            Some((None, Some(port))) => Some(NbdServer::Port(self.port(port))),
            Some((None, None)) | None => None,
        };
        let disks = body.disks.0.iter().zip(&files);
        let disks = disks.map(|((target, disk), path)| BackupDisk {
            disk: &target.value,
            path: path.as_deref(),
            format: disk.driver,
            mode: disk.backupmode.as_ref().map(|mode| match mode.value {
                BackupDiskMode::Full => "full",
                BackupDiskMode::Incremental => "incremental",
            }),
            incremental: disk.incremental.as_ref().map(|base| base.value.as_str()),
            export_name: disk.exportname.as_deref(),
            export_bitmap: disk.exportbitmap.as_deref(),
            luks_secret_usage: disk.luks_secret_usage.as_deref(),
        });
        let backup = BackupXml {
            is_pull,
            incremental: body.incremental.as_ref().map(|base| base.value.as_str()),
            server: place.as_ref(),
            tls: server.is_some_and(|server| server.tls),
            disks: disks.collect(),
        };
        let checkpoint = body.checkpoint.as_ref();
        let checkpoint = checkpoint.map(|checkpoint| {
            (
                checkpoint.name.value.as_str(),
                self.checkpoint_document(checkpoint),
            )
        });
        let bits = bits(&[(body.reuse_external, flags::BACKUP_BEGIN_REUSE_EXTERNAL)]);
        let mut step = Step::backup(&self.place.domain, &backup, checkpoint, &self.disks);
        if let Operation::Call(planned) = &mut step.operation {
            planned.call.flags = bits;
        }
        step.label
            .push_str(&words(&[(body.reuse_external, "reuse-external")]));
        Ok(step)
    }

    /// A defined domain may have the job only where it is said to be transient
    /// (`src/qemu/qemu_driver.c:qemuDomainBlockCopyCommon`).
    pub(super) fn block_copy(&self, body: &BlockCopy) -> Step {
        let disk = &body.disk.value;
        let own = self.disk(disk).map(|disk| disk.image.format);
        let format = body.driver.or(own).unwrap_or(DiskFormat::Qcow2);
        let image = ImageRef {
            path: self.path(&body.target.value.0.0),
            format,
        };
        let call = Call {
            disk: Some(disk.clone()),
            ..self.call(Api::DomainBlockCopy)
        };
        let call = call
            .xml(xml::copy_xml(&image))
            .flags(flags::BLOCK_COPY_TRANSIENT_JOB);
        Step::call(&format!("block-copy {disk}"), call)
    }

    pub(super) fn raw_call(&self, raw: &RawCall) -> Step {
        let place = |text: &Option<Spanned<String>>| {
            let text = text.as_ref()?;
            let known = [
                ("[DIR]", &self.place.directory),
                ("[DOMAIN]", &self.place.domain),
                ("[UUID]", &self.place.uuid),
                ("[EMULATOR]", &self.place.emulator),
            ];
            let put = |text: String, (word, known): (&str, &String)| {
                text.replace(word, &escape(known.as_str()))
            };
            Some(known.into_iter().fold(text.value.clone(), put))
        };
        let flags = raw.flags.as_ref().map_or(0, |flags| flags.value);
        let name = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.value.clone());
        let api = raw.api.value;
        let call = Call {
            api,
            domain: self.place.domain.clone(),
            checkpoint: name(&raw.checkpoint),
            disk: name(&raw.disk),
            xml: place(&raw.xml),
            checkpoint_xml: place(&raw.checkpoint_xml),
            snapshot: name(&raw.snapshot),
            base: place(&raw.base),
            top: place(&raw.top),
            size: raw.size.as_ref().map(|size| size.value),
            to: place(&raw.to),
            flags,
            read_only: raw.read_only,
        };
        let refused = raw.refused.as_ref().map(|error| error.value.0);
        let planned = PlannedCall {
            refused,
            ..PlannedCall::literal(call)
        };
        let words = words(&[(raw.read_only, "read-only")]);
        Step::of(
            format!("{api} flags={flags:#x}{words}"),
            Operation::Call(planned),
        )
    }
}

//! Scenario to plan.

use std::collections::BTreeSet;

use quick_xml::escape::escape;

use super::xml::{self, BackupTarget, BackupXml};
use super::{NotSupported, Operation, Plan, PlannedCall, PlannedDisk, Step};
use crate::model::{Action, Api, Call, ImageRef, Place, flags};
use crate::scenario::syntax::{
    BackupBegin, BackupDiskMode, BackupMode, Call as RawCall, CheckpointCreate, CheckpointDelete,
    CheckpointDump, CheckpointRedefine, Device, Disk,
};
use crate::scenario::{Scenario, Spanned, Step as Told};

/// Plans `scenario` for one place. In raw calls `[DIR]` becomes the place's directory.
///
/// # Errors
/// Everything of the scenario that no driver can execute yet.
pub fn lower(scenario: &Scenario, place: &Place) -> Result<Plan, NotSupported> {
    let mut missing = Vec::new();
    let mut disks = Vec::new();
    for (target, disk) in &scenario.disks.0 {
        match planned_disk(&target.value, disk, place) {
            Ok(disk) => disks.push(disk),
            Err(what) => missing.push(format!("disk `{}`: {what}", target.value)),
        }
    }
    let lowering = Lowering {
        place,
        disks: &disks,
    };
    let mut all = |steps: &[Spanned<Told>]| -> Vec<Step> {
        let mut planned = Vec::new();
        for step in steps {
            match lowering.step(&step.value) {
                Ok(step) => planned.push(step),
                Err(what) => missing.push(format!("step `{what}`")),
            }
        }
        planned
    };
    let history = all(&scenario.history);
    let when = all(std::slice::from_ref(&scenario.when)).pop();
    let remedy = all(scenario.remedy());
    let mut seen = BTreeSet::new();
    missing.retain(|what| seen.insert(what.clone()));
    let setup = lowering.setup();
    match when {
        Some(when) if missing.is_empty() => Ok(Plan {
            disks,
            setup,
            history,
            when,
            remedy,
        }),
        Some(_) | None => Err(NotSupported { missing }),
    }
}

/// What of a scenario no driver can execute yet, in the order of the file.
#[must_use]
pub fn unsupported(scenario: &Scenario) -> Vec<String> {
    let nowhere = Place {
        directory: String::new(),
        domain: String::new(),
        uuid: String::new(),
        emulator: String::new(),
    };
    lower(scenario, &nowhere).map_or_else(|error| error.missing, |_| Vec::new())
}

fn planned_disk(target: &str, disk: &Disk, place: &Place) -> Result<PlannedDisk, &'static str> {
    let beyond = [
        ("compat", disk.compat.is_some()),
        ("cluster-size", disk.cluster_size.is_some()),
        ("backing", !disk.backing.is_empty()),
        ("read-only", disk.read_only),
        ("empty", disk.empty),
        (
            "device",
            matches!(&disk.device, Some(device) if device.value != Device::Disk),
        ),
    ];
    if let Some((key, _)) = beyond.into_iter().find(|(_, given)| *given) {
        return Err(key);
    }
    let (Some(format), Some(size)) = (&disk.format, &disk.size) else {
        return Err("a disk without an image");
    };
    Ok(PlannedDisk {
        target: target.to_owned(),
        image: ImageRef {
            path: format!("{}/{target}.{}", place.directory, format.value),
            format: format.value,
        },
        size: size.value.0,
    })
}

struct Lowering<'a> {
    place: &'a Place,
    disks: &'a [PlannedDisk],
}

impl Lowering<'_> {
    fn setup(&self) -> Vec<Step> {
        let create = |disk: &PlannedDisk| Step {
            label: format!("create-image {}", disk.target),
            operation: Operation::Act(create_image(disk)),
        };
        let xml = xml::domain_xml(self.place, self.disks);
        let define = self.call(Api::DomainDefine).xml(xml);
        let mut steps: Vec<Step> = self.disks.iter().map(create).collect();
        steps.push(Step::call("define", define));
        steps
    }

    /// The step as planned, or the word for what no driver can do yet.
    fn step(&self, step: &Told) -> Result<Step, String> {
        Ok(match step {
            Told::Start => self.plain("start", Api::DomainCreate),
            Told::StartPaused => {
                let call = self.call(Api::DomainCreate).flags(flags::START_PAUSED);
                Step::call("start-paused", call)
            }
            Told::Pause => self.plain("pause", Api::DomainSuspend),
            Told::Resume => self.plain("resume", Api::DomainResume),
            Told::Destroy => self.plain("destroy", Api::DomainDestroy),
            Told::AwaitBackup => Step {
                label: "await-backup".to_owned(),
                operation: Operation::AwaitBackup,
            },
            Told::GuestWrite(body) => {
                let range = (body.offset.value.0, body.length.value.0);
                Step::guest_write(&self.place.domain, &body.disk.value, range, body.pattern)
            }
            Told::RecreateImage(body) => {
                let mut disks = self.disks.iter();
                let found = disks.find(|found| found.target == body.disk.value);
                // Its disk is itself not supported.
                let found = found.ok_or_else(|| step.name())?;
                Step {
                    label: format!("recreate-image {}", body.disk.value),
                    operation: Operation::Act(create_image(found)),
                }
            }
            Told::CheckpointCreate(body) => self.checkpoint_create(body),
            Told::CheckpointDump(body) => self.checkpoint_dump(body),
            Told::CheckpointRedefine(body) => self.checkpoint_redefine(body),
            Told::CheckpointDelete(body) => self.checkpoint_delete(body),
            Told::BackupBegin(body) => self.backup_begin(body)?,
            Told::Call(body) => self.raw_call(body),
            Told::Shutdown
            | Told::KillEmulator
            | Told::Save
            | Told::Restore
            | Told::RestartDaemon
            | Told::KillDaemon
            | Told::Undefine
            | Told::UndefineWithMetadata
            | Told::Define
            | Told::BackupEnd
            | Told::BackupAbort
            | Told::SnapshotCreate(_)
            | Told::SnapshotRevert(_)
            | Told::SnapshotDelete(_)
            | Told::BlockCommit(_)
            | Told::BlockPull(_)
            | Told::BlockCopy(_)
            | Told::BlockResize(_)
            | Told::AwaitBlockJob(_)
            | Told::BlockJobAbort(_)
            | Told::AttachDisk(_)
            | Told::DetachDisk(_)
            | Told::ResizeImage(_)
            | Told::ConvertImage(_)
            | Told::AmendImage(_)
            | Told::OverlayImage(_)
            | Told::CommitImage(_)
            | Told::ImageWrite(_)
            | Told::CopyImage(_)
            | Told::RestoreImage(_)
            | Told::TruncateImage(_)
            | Told::CrashImageWriter(_)
            | Told::BitmapAdd(_)
            | Told::BitmapRemove(_)
            | Told::BitmapClear(_)
            | Told::BitmapEnable(_)
            | Told::BitmapDisable(_)
            | Told::BitmapMerge(_)
            | Told::DamageBitmap(_)
            | Told::DamageImage(_)
            | Told::WriteBytes(_)
            | Told::MakeDirectory(_)
            | Told::RemoveDirectory(_)
            | Told::MakeFile(_)
            | Told::RemoveFile(_)
            | Told::SmallFileSystem(_)
            | Told::FillFileSystem(_)
            | Told::FreeFileSystem(_)
            | Told::OccupyPort(_)
            | Told::ReleasePort(_)
            | Told::BlockMetadataStore
            | Told::UnblockMetadataStore
            | Told::Background(_)
            | Told::Join(_) => return Err(step.name()),
        })
    }

    fn plain(&self, label: &str, api: Api) -> Step {
        Step::call(label, self.call(api))
    }

    fn call(&self, api: Api) -> Call {
        Call::new(api, &self.place.domain)
    }

    fn checkpoint_document(&self, request: &CheckpointCreate) -> String {
        let chosen = request.disks.as_ref();
        let chosen: Option<Vec<&str>> =
            chosen.map(|disks| disks.iter().map(|disk| disk.value.as_str()).collect());
        let description = request.description.as_deref();
        xml::checkpoint_xml(
            &request.name.value,
            description,
            chosen.as_deref(),
            self.disks,
        )
    }

    fn checkpoint_create(&self, body: &CheckpointCreate) -> Step {
        let bits = bits(&[(body.quiesce, flags::CHECKPOINT_CREATE_QUIESCE)]);
        let call = self.call(Api::CheckpointCreate).flags(bits);
        let words = words(&[(body.quiesce, "quiesce")]);
        let label = format!("checkpoint-create {}{words}", body.name.value);
        Step::call(&label, call.xml(self.checkpoint_document(body)))
    }

    fn checkpoint_dump(&self, body: &CheckpointDump) -> Step {
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

    fn checkpoint_redefine(&self, body: &CheckpointRedefine) -> Step {
        let bits = flags::CHECKPOINT_CREATE_REDEFINE
            | bits(&[(body.validate, flags::CHECKPOINT_CREATE_REDEFINE_VALIDATE)]);
        let words = words(&[
            (!body.edit.is_empty(), "edited"),
            (body.validate, "validate"),
        ]);
        let edit =
            |edit: &crate::scenario::syntax::Edit| (edit.replace.value.clone(), edit.by.clone());
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

    fn checkpoint_delete(&self, body: &CheckpointDelete) -> Step {
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

    fn backup_begin(&self, body: &BackupBegin) -> Result<Step, String> {
        if body.mode.value == BackupMode::Pull {
            return Err("backup-begin: mode: pull".to_owned());
        }
        let mut files = Vec::new();
        for (target, disk) in &body.disks.0 {
            let file = disk.target.as_ref();
            let file =
                file.ok_or_else(|| format!("backup-begin of {}: no target", target.value))?;
            files.push((
                target,
                disk,
                format!("{}/{}", self.place.directory, file.value.0.0),
            ));
        }
        let targets = files.iter().map(|(target, disk, path)| BackupTarget {
            disk: &target.value,
            path,
            format: disk.driver,
            mode: disk.backupmode.as_ref().map(|mode| match mode.value {
                BackupDiskMode::Full => "full",
                BackupDiskMode::Incremental => "incremental",
            }),
            incremental: disk.incremental.as_ref().map(|base| base.value.as_str()),
            luks_secret_usage: disk.luks_secret_usage.as_deref(),
        });
        let backup = BackupXml {
            incremental: body.incremental.as_ref().map(|base| base.value.as_str()),
            targets: targets.collect(),
        };
        let checkpoint = body.checkpoint.as_ref();
        let checkpoint = checkpoint.map(|checkpoint| {
            (
                checkpoint.name.value.as_str(),
                self.checkpoint_document(checkpoint),
            )
        });
        let bits = bits(&[(body.reuse_external, flags::BACKUP_BEGIN_REUSE_EXTERNAL)]);
        let mut step = Step::push_backup(&self.place.domain, &backup, checkpoint, self.disks);
        if let Operation::Call(planned) = &mut step.operation {
            planned.call.flags = bits;
        }
        step.label
            .push_str(&words(&[(body.reuse_external, "reuse-external")]));
        Ok(step)
    }

    fn raw_call(&self, raw: &RawCall) -> Step {
        let place = |text: &Option<Spanned<String>>| {
            let text = text.as_ref()?;
            let directory = escape(&self.place.directory);
            Some(text.value.replace("[DIR]", &directory))
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
            flags,
        };
        Step::call(&format!("{api} flags={flags:#x}"), call)
    }
}

/// The flags whose condition holds.
fn bits(flags: &[(bool, u32)]) -> u32 {
    let given = flags.iter().filter(|(given, _)| *given);
    given.fold(0, |bits, (_, flag)| bits | flag)
}

/// The words whose condition holds, each behind a blank.
fn words(words: &[(bool, &str)]) -> String {
    let given = words.iter().filter(|(given, _)| *given);
    given.flat_map(|(_, word)| [" ", word]).collect()
}

fn create_image(disk: &PlannedDisk) -> Action {
    Action::CreateImage {
        image: disk.image.clone(),
        size: disk.size,
    }
}

//! Scenario to plan.

use quick_xml::escape::escape;

use super::xml::{self, BackupTarget, BackupXml};
use super::{Operation, Plan, PlannedCall, PlannedDisk, Step};
use crate::model::{Action, Api, Call, ImageRef, Place, flags};
use crate::scenario::{
    BackupRequest, CheckpointRequest, Expectation, RawCall, Scenario, Step as ScenarioStep,
    StepKind,
};

/// Plans `scenario` for one place. In raw calls `[DIR]` becomes the place's directory.
#[must_use]
pub fn lower(scenario: &Scenario, place: &Place) -> Plan {
    let planned_disk = |disk: &crate::scenario::Disk| PlannedDisk {
        target: disk.target.value.clone(),
        image: ImageRef {
            path: format!("{}/{}.{}", place.directory, disk.target.value, disk.format),
            format: disk.format,
        },
        size: disk.size.value,
    };
    let disks: Vec<PlannedDisk> = scenario.disks.iter().map(planned_disk).collect();
    let lowering = Lowering {
        place,
        disks: &disks,
    };
    let remedy = match &scenario.then {
        Expectation::Success => &[][..],
        Expectation::Refusal(refusal) => &refusal.remedy,
    };
    let lower_all = |steps: &[ScenarioStep]| steps.iter().map(|step| lowering.step(step)).collect();
    Plan {
        setup: lowering.setup(),
        history: lower_all(&scenario.history),
        when: lowering.step(&scenario.when),
        remedy: lower_all(remedy),
        disks,
    }
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
        steps.push(Step {
            label: "define".to_owned(),
            operation: Operation::Call(PlannedCall::literal(define)),
        });
        steps
    }

    fn step(&self, step: &ScenarioStep) -> Step {
        let (label, operation) = match &step.kind {
            StepKind::Start => self.plain("start", Api::DomainCreate),
            StepKind::Pause => self.plain("pause", Api::DomainSuspend),
            StepKind::Resume => self.plain("resume", Api::DomainResume),
            StepKind::Destroy => self.plain("destroy", Api::DomainDestroy),
            StepKind::AwaitBackup => ("await-backup".to_owned(), Operation::AwaitBackup),
            StepKind::GuestWrite {
                disk,
                offset,
                length,
                pattern,
            } => {
                let range = (offset.value, length.value);
                return Step::guest_write(&self.place.domain, &disk.value, range, *pattern);
            }
            StepKind::RecreateImage { disk } => {
                let mut disks = self.disks.iter();
                let found = disks.find(|found| found.target == disk.value);
                let found = found.expect("the checker refuses unknown disks");
                (
                    format!("recreate-image {}", disk.value),
                    Operation::Act(create_image(found)),
                )
            }
            StepKind::CheckpointCreate(request) => self.checkpoint_create(request),
            StepKind::CheckpointDump {
                name,
                no_domain,
                label,
            } => {
                let bits = if *no_domain {
                    flags::CHECKPOINT_XML_NO_DOMAIN
                } else {
                    0
                };
                let call = self
                    .call(Api::CheckpointGetXmlDesc)
                    .checkpoint(name)
                    .flags(bits);
                let kept = PlannedCall {
                    keep_as: Some(label.value.clone()),
                    ..PlannedCall::literal(call)
                };
                (format!("checkpoint-dump {name}"), Operation::Call(kept))
            }
            StepKind::CheckpointRedefine { from, validate } => {
                let mut bits = flags::CHECKPOINT_CREATE_REDEFINE;
                let mut label = format!("checkpoint-redefine from {}", from.value);
                if *validate {
                    bits |= flags::CHECKPOINT_CREATE_REDEFINE_VALIDATE;
                    label.push_str(" validate");
                }
                let call = self.call(Api::CheckpointCreate).flags(bits);
                let sent = PlannedCall {
                    xml_from: Some(from.value.clone()),
                    ..PlannedCall::literal(call)
                };
                (label, Operation::Call(sent))
            }
            StepKind::CheckpointDelete {
                name,
                metadata_only,
            } => {
                let bits = if *metadata_only {
                    flags::CHECKPOINT_DELETE_METADATA_ONLY
                } else {
                    0
                };
                let call = self
                    .call(Api::CheckpointDelete)
                    .checkpoint(name)
                    .flags(bits);
                let suffix = if *metadata_only { " metadata-only" } else { "" };
                (
                    format!("checkpoint-delete {name}{suffix}"),
                    Operation::Call(PlannedCall::literal(call)),
                )
            }
            StepKind::BackupBegin(request) => return self.backup_begin(request),
            StepKind::Call(raw) => self.raw_call(raw),
        };
        Step { label, operation }
    }

    fn plain(&self, label: &str, api: Api) -> (String, Operation) {
        (
            label.to_owned(),
            Operation::Call(PlannedCall::literal(self.call(api))),
        )
    }

    fn call(&self, api: Api) -> Call {
        Call::new(api, &self.place.domain)
    }

    fn checkpoint_document(&self, request: &CheckpointRequest) -> String {
        let chosen = request.disks.as_ref();
        let chosen: Option<Vec<&str>> =
            chosen.map(|disks| disks.iter().map(|disk| disk.value.as_str()).collect());
        let description = request.description.as_deref();
        xml::checkpoint_xml(&request.name, description, chosen.as_deref(), self.disks)
    }

    fn checkpoint_create(&self, request: &CheckpointRequest) -> (String, Operation) {
        let call = self
            .call(Api::CheckpointCreate)
            .xml(self.checkpoint_document(request));
        (
            format!("checkpoint-create {}", request.name),
            Operation::Call(PlannedCall::literal(call)),
        )
    }

    fn backup_begin(&self, request: &BackupRequest) -> Step {
        let paths: Vec<String> = request
            .disks
            .iter()
            .map(|disk| self.file(&disk.target))
            .collect();
        let targets = request
            .disks
            .iter()
            .zip(&paths)
            .map(|(disk, path)| BackupTarget {
                disk: &disk.disk.value,
                path,
                format: disk.driver,
                luks_secret_usage: disk.luks_secret_usage.as_deref(),
            });
        let backup = BackupXml {
            incremental: request.incremental.as_deref(),
            targets: targets.collect(),
        };
        let checkpoint = request.checkpoint.as_ref();
        let checkpoint = checkpoint.map(|checkpoint| {
            (
                checkpoint.name.as_str(),
                self.checkpoint_document(checkpoint),
            )
        });
        Step::push_backup(&self.place.domain, &backup, checkpoint, self.disks)
    }

    fn raw_call(&self, raw: &RawCall) -> (String, Operation) {
        let place = |text: &Option<String>| {
            text.as_ref()
                .map(|text| text.replace("[DIR]", &escape(&self.place.directory)))
        };
        let call = Call {
            api: raw.api,
            domain: self.place.domain.clone(),
            checkpoint: raw.checkpoint.clone(),
            disk: raw.disk.clone(),
            xml: place(&raw.xml),
            checkpoint_xml: place(&raw.checkpoint_xml),
            flags: raw.flags,
        };
        (
            format!("{} flags={:#x}", raw.api, raw.flags),
            Operation::Call(PlannedCall::literal(call)),
        )
    }

    fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.place.directory)
    }
}

fn create_image(disk: &PlannedDisk) -> Action {
    Action::CreateImage {
        image: disk.image.clone(),
        size: disk.size,
    }
}

//! Problems of meaning: names that do not exist, places beyond the end.

use super::decode::all_steps;
use super::diagnostic::Problem;
use super::fields::Collected;
use super::syntax::{
    BackupRequest, CheckpointRequest, Expectation, Refusal, Scenario, Spanned, Step, StepKind,
};
use crate::model::{Api, Decision, Size};

/// Checks a scenario whose structure is sound. `file_stem` is the file's name without
/// `.yaml`.
pub(super) fn check(scenario: &Scenario, file_stem: &str, problems: &mut Collected) {
    if scenario.name.value != file_stem {
        problems.report(
            Problem::new(
                "scenario::name",
                scenario.name.span.clone(),
                format!("the name `{}` is not the file's", scenario.name.value),
            )
            .label(format!("the file is called `{file_stem}`"))
            .help("names are stable identifiers: rename the file or the scenario"),
        );
    }
    for disk in &scenario.disks {
        check_target_name(&disk.target, problems);
        check_sectors(&disk.size, problems);
        if disk.size.value == Size(0) {
            problems.report(Problem::new(
                "scenario::empty_disk",
                disk.size.span.clone(),
                "a disk has at least one sector",
            ));
        }
    }
    let mut labels = Vec::new();
    for step in all_steps(scenario) {
        match &step.kind {
            StepKind::GuestWrite {
                disk,
                offset,
                length,
                ..
            } => {
                check_disk(scenario, disk, problems);
                check_range(scenario, disk, offset, length, problems);
            }
            StepKind::RecreateImage { disk } => check_disk(scenario, disk, problems),
            StepKind::CheckpointCreate(request) => check_checkpoint(scenario, request, problems),
            StepKind::BackupBegin(request) => check_backup(scenario, request, problems),
            StepKind::CheckpointDump { label, .. } => labels.push(label.value.as_str()),
            StepKind::CheckpointRedefine { from, .. } => {
                if !labels.contains(&from.value.as_str()) {
                    problems.report(
                        Problem::new(
                            "scenario::unknown_dump",
                            from.span.clone(),
                            format!("no dump is called `{}` at this point", from.value),
                        )
                        .label("no earlier `checkpoint-dump … as:` has this label")
                        .suggest(&from.value, labels.iter().copied()),
                    );
                }
            }
            StepKind::Start
            | StepKind::Pause
            | StepKind::Resume
            | StepKind::Destroy
            | StepKind::AwaitBackup
            | StepKind::CheckpointDelete { .. }
            | StepKind::Call(_) => {}
        }
    }
    if call_name(&scenario.when.kind).is_none() {
        problems.report(
            Problem::new(
                "scenario::when",
                scenario.when.span.clone(),
                "`when` is a libvirt call, and this step is none",
            )
            .help("move the step into `history`"),
        );
    }
    if let Expectation::Refusal(refusal) = &scenario.then {
        check_refusal(scenario, refusal, problems);
    }
}

fn check_refusal(scenario: &Scenario, refusal: &Refusal, problems: &mut Collected) {
    if let Some(message) = &refusal.message
        && message.value.is_empty()
    {
        problems.report(
            Problem::new(
                "scenario::empty_message",
                message.span.clone(),
                "an empty message holds for every error",
            )
            .help("write a part of the message, or leave the key out"),
        );
    }
    let corrects = |step: &Step| call_name(&step.kind) == call_name(&scenario.when.kind);
    if refusal.decision == Decision::FixRequest && !refusal.remedy.iter().any(corrects) {
        problems.report(
            Problem::new(
                "scenario::no_remedy",
                scenario.when.span.clone(),
                "decision `fix-request` needs a `remedy` with the corrected call",
            )
            .label("the call that has to be corrected")
            .help("only the author knows the corrected request: add it as `then.remedy`"),
        );
    }
}

/// The function of libvirt that a step calls.
fn call_name(kind: &StepKind) -> Option<Api> {
    match kind {
        StepKind::Start => Some(Api::DomainCreate),
        StepKind::Pause => Some(Api::DomainSuspend),
        StepKind::Resume => Some(Api::DomainResume),
        StepKind::Destroy => Some(Api::DomainDestroy),
        StepKind::CheckpointCreate(_) | StepKind::CheckpointRedefine { .. } => {
            Some(Api::CheckpointCreate)
        }
        StepKind::CheckpointDump { .. } => Some(Api::CheckpointGetXmlDesc),
        StepKind::CheckpointDelete { .. } => Some(Api::CheckpointDelete),
        StepKind::BackupBegin(_) => Some(Api::DomainBackupBegin),
        StepKind::Call(raw) => Some(raw.api),
        StepKind::AwaitBackup | StepKind::GuestWrite { .. } | StepKind::RecreateImage { .. } => {
            None
        }
    }
}

/// The name is part of a file's path and of an XML document.
fn check_target_name(target: &Spanned<String>, problems: &mut Collected) {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if target.value.is_empty() || !target.value.chars().all(plain) {
        let message = format!("`{}` is not the target device of a disk", target.value);
        problems.report(
            Problem::new("scenario::disk_name", target.span.clone(), message)
                .help("write small letters and digits, such as vda or sdb"),
        );
    }
}

fn check_disk(scenario: &Scenario, disk: &Spanned<String>, problems: &mut Collected) {
    let mut targets = scenario.disks.iter().map(|disk| disk.target.value.as_str());
    if !targets.clone().any(|target| target == disk.value) {
        problems.report(
            Problem::new(
                "scenario::unknown_disk",
                disk.span.clone(),
                format!("unknown disk `{}`", disk.value),
            )
            .label("no such disk in `disks`")
            .suggest(&disk.value, &mut targets),
        );
    }
}

fn check_range(
    scenario: &Scenario,
    disk: &Spanned<String>,
    offset: &Spanned<Size>,
    length: &Spanned<Size>,
    problems: &mut Collected,
) {
    let Some(found) = scenario
        .disks
        .iter()
        .find(|found| found.target.value == disk.value)
    else {
        return;
    };
    let end = offset.value.bytes().saturating_add(length.value.bytes());
    if end > found.size.value.bytes() {
        problems.report(
            Problem::new(
                "scenario::beyond_end",
                offset.span.clone(),
                format!(
                    "the write ends at {}, beyond the end of `{}`",
                    Size(end),
                    disk.value
                ),
            )
            .label(format!("the disk has {}", found.size.value)),
        );
    }
    check_sectors(offset, problems);
    check_sectors(length, problems);
}

fn check_sectors(size: &Spanned<Size>, problems: &mut Collected) {
    if !size.value.bytes().is_multiple_of(512) {
        let message = format!("{} is not a whole number of sectors", size.value);
        problems.report(
            Problem::new("scenario::alignment", size.span.clone(), message)
                .help("disks and writes are made of sectors of 512 bytes"),
        );
    }
}

fn check_checkpoint(scenario: &Scenario, request: &CheckpointRequest, problems: &mut Collected) {
    for disk in request.disks.iter().flatten() {
        check_disk(scenario, disk, problems);
    }
}

fn check_backup(scenario: &Scenario, request: &BackupRequest, problems: &mut Collected) {
    for disk in &request.disks {
        check_disk(scenario, &disk.disk, problems);
    }
    if let Some(checkpoint) = &request.checkpoint {
        check_checkpoint(scenario, checkpoint, problems);
    }
}

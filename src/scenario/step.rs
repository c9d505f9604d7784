//! Decoding of steps: a bare word, or a map with one key.

use super::diagnostic::Problem;
use super::fields::{Collected, whole};
use super::syntax::{
    BackupDisk, BackupRequest, CheckpointRequest, RawCall, Spanned, Step, StepKind,
};
use super::tree::{Kind, Node};
use crate::model::{Api, Argument, DiskFormat};

/// Steps without arguments.
const BARE: [&str; 5] = ["start", "pause", "resume", "destroy", "await-backup"];

/// Steps with arguments.
const TAGGED: [&str; 8] = [
    "guest-write",
    "recreate-image",
    "checkpoint-create",
    "checkpoint-dump",
    "checkpoint-redefine",
    "checkpoint-delete",
    "backup-begin",
    "call",
];

pub(super) fn decode_steps(node: &Node, problems: &mut Collected, what: &'static str) -> Vec<Step> {
    let items = problems.list(node, what).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| decode_step(item, problems))
        .collect()
}

pub(super) fn decode_step(node: &Node, problems: &mut Collected) -> Option<Step> {
    let kind = match &node.kind {
        Kind::Text(word) => decode_bare(word, node, problems)?,
        Kind::Map(entries) if entries.len() == 1 => {
            let (key, body) = &entries[0];
            let tag = problems.text(key, "the name of a step")?;
            decode_tagged(&tag, body, problems)?
        }
        Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float | Kind::List(_) | Kind::Map(_) => {
            problems.report(
                Problem::new(
                    "scenario::step",
                    node.span.clone(),
                    "a step is one word, or a map with one key",
                )
                .label("not a step")
                .help("write `- start` or `- guest-write: { disk: vda, … }`"),
            );
            return None;
        }
    };
    Some(Step {
        kind,
        span: node.span.clone(),
    })
}

fn decode_bare(word: &str, node: &Node, problems: &mut Collected) -> Option<StepKind> {
    Some(match word {
        "start" => StepKind::Start,
        "pause" => StepKind::Pause,
        "resume" => StepKind::Resume,
        "destroy" => StepKind::Destroy,
        "await-backup" => StepKind::AwaitBackup,
        _ if TAGGED.contains(&word) => {
            problems.report(
                Problem::new(
                    "scenario::step_arguments",
                    node.span.clone(),
                    format!("step `{word}` needs arguments"),
                )
                .help(format!("write `{word}: {{ … }}`")),
            );
            return None;
        }
        _ => {
            return unknown_step(
                &Spanned {
                    value: word.to_owned(),
                    span: node.span.clone(),
                },
                problems,
            );
        }
    })
}

fn unknown_step(tag: &Spanned<String>, problems: &mut Collected) -> Option<StepKind> {
    problems.report(
        Problem::new(
            "scenario::unknown_step",
            tag.span.clone(),
            format!("unknown step `{}`", tag.value),
        )
        .label("not a step")
        .suggest(&tag.value, BARE.into_iter().chain(TAGGED)),
    );
    None
}

fn decode_tagged(tag: &Spanned<String>, body: &Node, problems: &mut Collected) -> Option<StepKind> {
    match tag.value.as_str() {
        "guest-write" => decode_guest_write(body, problems),
        "recreate-image" => {
            let mut fields = problems.map(body, "`recreate-image`")?;
            let disk = fields.text(problems, "disk", "the disk");
            fields.finish(problems);
            Some(StepKind::RecreateImage { disk: disk? })
        }
        "checkpoint-create" => decode_checkpoint(body, problems).map(StepKind::CheckpointCreate),
        "checkpoint-dump" => decode_dump(body, problems),
        "checkpoint-redefine" => {
            let mut fields = problems.map(body, "`checkpoint-redefine`")?;
            let from = fields.text(problems, "from", "the dump's label");
            let validate = fields.flag(problems, "validate", "`validate`");
            fields.finish(problems);
            Some(StepKind::CheckpointRedefine {
                from: from?,
                validate: validate?,
            })
        }
        "checkpoint-delete" => {
            let mut fields = problems.map(body, "`checkpoint-delete`")?;
            let name = fields.text(problems, "name", "the name");
            let only = fields.flag(problems, "metadata-only", "`metadata-only`");
            fields.finish(problems);
            Some(StepKind::CheckpointDelete {
                name: name?.value,
                metadata_only: only?,
            })
        }
        "backup-begin" => decode_backup(body, problems).map(StepKind::BackupBegin),
        "call" => decode_call(body, problems).map(StepKind::Call),
        word if BARE.contains(&word) => {
            problems.report(
                Problem::new(
                    "scenario::step_arguments",
                    tag.span.clone(),
                    format!("step `{word}` takes no arguments"),
                )
                .help(format!("write `- {word}`")),
            );
            None
        }
        _ => unknown_step(tag, problems),
    }
}

fn decode_guest_write(body: &Node, problems: &mut Collected) -> Option<StepKind> {
    let mut fields = problems.map(body, "`guest-write`")?;
    let disk = fields.text(problems, "disk", "the disk");
    let offset = fields.word(problems, "offset", "the offset");
    let length = fields.word(problems, "length", "the length");
    let pattern = fields
        .required(problems, "pattern")
        .and_then(|node| problems.number(node, "the pattern", "one byte, 0 to 255"));
    fields.finish(problems);
    Some(StepKind::GuestWrite {
        disk: disk?,
        offset: offset?,
        length: length?,
        pattern: pattern?,
    })
}

fn decode_dump(body: &Node, problems: &mut Collected) -> Option<StepKind> {
    let mut fields = problems.map(body, "`checkpoint-dump`")?;
    let name = fields.text(problems, "name", "the name");
    let no_domain = fields.flag(problems, "no-domain", "`no-domain`");
    let label = fields.text(problems, "as", "the label");
    fields.finish(problems);
    Some(StepKind::CheckpointDump {
        name: name?.value,
        no_domain: no_domain?,
        label: label?,
    })
}

fn decode_checkpoint(body: &Node, problems: &mut Collected) -> Option<CheckpointRequest> {
    let mut fields = problems.map(body, "a checkpoint")?;
    let name = fields.text(problems, "name", "the name");
    let description = fields.text_if_given(problems, "description", "the description");
    let disks = fields
        .optional("disks")
        .map(|node| problems.texts(node, "`disks`"));
    fields.finish(problems);
    Some(CheckpointRequest {
        name: name?.value,
        description: description?.map(|text| text.value),
        disks,
    })
}

fn decode_backup(body: &Node, problems: &mut Collected) -> Option<BackupRequest> {
    let mut fields = problems.map(body, "`backup-begin`")?;
    if let Some(node) = fields.required(problems, "mode")
        && let Some(mode) = problems.text(node, "the mode")
        && mode.value != "push"
    {
        problems.report(
            Problem::new(
                "scenario::unknown_mode",
                mode.span,
                format!("backup mode `{}` is not supported", mode.value),
            )
            .help("known: push; any other document can be sent by `call`"),
        );
    }
    let incremental = fields.text_if_given(problems, "incremental", "the checkpoint");
    let disks = fields
        .required(problems, "disks")
        .and_then(|node| problems.map(node, "`disks`"));
    let disks = disks.map(|map| {
        let decode = |(disk, node)| decode_backup_disk(disk, node, problems);
        map.all().filter_map(decode).collect()
    });
    let checkpoint = fields
        .optional("checkpoint")
        .map(|node| decode_checkpoint(node, problems));
    fields.finish(problems);
    Some(BackupRequest {
        incremental: incremental?.map(|text| text.value),
        disks: disks?,
        checkpoint: whole(checkpoint)?,
    })
}

fn decode_backup_disk(
    disk: Spanned<String>,
    node: &Node,
    problems: &mut Collected,
) -> Option<BackupDisk> {
    let mut fields = problems.map(node, "a disk of a backup")?;
    let target = fields.text(problems, "target", "the target");
    let known = DiskFormat::ALL.map(DiskFormat::as_str);
    let driver = fields
        .optional("driver")
        .map(|node| problems.choice(node, "disk format", "scenario::unknown_format", &known));
    let secret = fields.text_if_given(problems, "luks-secret-usage", "the secret's usage name");
    fields.finish(problems);
    let target = target?;
    if target.value.contains('/') || ["", ".", ".."].contains(&target.value.as_str()) {
        problems.report(
            Problem::new(
                "scenario::file_name",
                target.span,
                format!("`{}` is not a file name", target.value),
            )
            .help("targets lie in the scenario's own directory: write a name without `/`"),
        );
        return None;
    }
    Some(BackupDisk {
        disk,
        target: target.value,
        driver: whole(driver)?,
        luks_secret_usage: secret?.map(|text| text.value),
    })
}

fn decode_call(body: &Node, problems: &mut Collected) -> Option<RawCall> {
    let mut fields = problems.map(body, "`call`")?;
    let names: Vec<&str> = Api::ALL.iter().map(|api| api.as_str()).collect();
    let api = fields.required(problems, "api").and_then(|node| {
        problems.choice::<Api>(node, "libvirt function", "scenario::unknown_api", &names)
    });
    let mut argument = |name, argument| {
        let node = fields.optional(name)?;
        if let Some(api) = api
            && !api.arguments().contains(&argument)
        {
            problems.report(
                Problem::new(
                    "scenario::argument",
                    node.span.clone(),
                    format!("`{api}` takes no `{name}`"),
                )
                .help("remove the key"),
            );
        }
        Some(problems.text(node, name))
    };
    let checkpoint = argument("checkpoint", Argument::Checkpoint);
    let disk = argument("disk", Argument::Disk);
    let xml = argument("xml", Argument::Xml);
    let checkpoint_xml = argument("checkpoint-xml", Argument::CheckpointXml);
    let flags = fields.optional("flags").map(|node| {
        if let Some(api) = api
            && !api.takes_flags()
        {
            problems.report(
                Problem::new(
                    "scenario::argument",
                    node.span.clone(),
                    format!("`{api}` takes no `flags`"),
                )
                .help("remove the key"),
            );
        }
        problems.number(node, "`flags`", "a number of 32 bits")
    });
    fields.finish(problems);
    let value = |text: Option<Spanned<String>>| text.map(|text| text.value);
    Some(RawCall {
        api: api?,
        checkpoint: value(whole(checkpoint)?),
        disk: value(whole(disk)?),
        xml: value(whole(xml)?),
        checkpoint_xml: value(whole(checkpoint_xml)?),
        flags: whole(flags)?.unwrap_or(0),
    })
}

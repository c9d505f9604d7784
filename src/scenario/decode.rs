//! From the spanned tree to the typed scenario.

use super::diagnostic::Problem;
use super::fields::{Collected, Fields, whole};
use super::step::{decode_step, decode_steps};
use super::syntax::{Disk, Expectation, FORMAT, Refusal, Scenario, Spanned, Step};
use super::tree::{Kind, Node};
use crate::model::{Decision, DiskFormat, ErrorCode, ErrorDomain};

/// Decodes as much as there is; `None` stands for a part that is wrong and was reported.
pub(super) fn decode(root: &Node, problems: &mut Collected) -> Option<Scenario> {
    let mut fields = problems.map(root, "a scenario")?;
    decode_format(&mut fields, problems);
    let name = fields.text(problems, "scenario", "the name");
    let summary = fields.text(problems, "summary", "the summary");
    let refs = fields
        .optional("refs")
        .map(|node| problems.texts(node, "refs"));
    let disks = fields
        .required(problems, "disks")
        .map(|node| decode_disks(node, problems));
    let history = fields
        .optional("history")
        .map(|node| decode_steps(node, problems, "history"));
    let when = fields
        .required(problems, "when")
        .and_then(|node| decode_step(node, problems));
    let then = fields
        .required(problems, "then")
        .and_then(|node| decode_then(node, problems));
    fields.finish(problems);
    Some(Scenario {
        name: name?,
        summary: summary?.value.trim().to_owned(),
        refs: refs
            .unwrap_or_default()
            .into_iter()
            .map(|text| text.value)
            .collect(),
        disks: disks?,
        history: history.unwrap_or_default(),
        when: when?,
        then: then?,
    })
}

fn decode_format(fields: &mut Fields<'_>, problems: &mut Collected) {
    let Some(node) = fields.required(problems, "format") else {
        return;
    };
    let Some(format) = problems.number::<i128>(node, "the format", "a version number") else {
        return;
    };
    if format != FORMAT {
        problems.report(
            Problem::new(
                "scenario::format",
                node.span.clone(),
                format!("format {format} is not known"),
            )
            .label(format!("this build reads format {FORMAT}"))
            .help("a newer backup-tck may read it"),
        );
    }
}

fn decode_disks(node: &Node, problems: &mut Collected) -> Vec<Disk> {
    let Some(fields) = problems.map(node, "`disks`") else {
        return Vec::new();
    };
    let decode_disk = |(target, node): (Spanned<String>, &Node)| {
        let mut fields = problems.map(node, "a disk")?;
        let known = DiskFormat::ALL.map(DiskFormat::as_str);
        let format = fields.required(problems, "format").and_then(|node| {
            problems.choice(node, "disk format", "scenario::unknown_format", &known)
        });
        let size = fields.word(problems, "size", "the size");
        fields.finish(problems);
        Some(Disk {
            target,
            format: format?,
            size: size?,
        })
    };
    fields.all().filter_map(decode_disk).collect()
}

fn decode_then(node: &Node, problems: &mut Collected) -> Option<Expectation> {
    let mut fields = problems.map(node, "`then`")?;
    if let Some(node) = fields.optional("result") {
        let ok = matches!(&node.kind, Kind::Text(text) if text == "ok");
        if !ok {
            problems.report(
                Problem::new(
                    "scenario::result",
                    node.span.clone(),
                    "`result` can only be `ok`",
                )
                .help("a refusal is written `error: VIR_ERR_…`"),
            );
        }
        fields.finish(problems);
        return ok.then_some(Expectation::Success);
    }
    let codes: Vec<&str> = ErrorCode::names().collect();
    let error = fields.required(problems, "error").and_then(|node| {
        problems.choice(node, "libvirt error code", "scenario::unknown_code", &codes)
    });
    let domains: Vec<&str> = ErrorDomain::names().collect();
    let error_domain = fields.optional("error-domain").map(|node| {
        problems.choice(
            node,
            "libvirt error domain",
            "scenario::unknown_domain",
            &domains,
        )
    });
    let message = fields.text_if_given(problems, "message", "the message");
    let known = Decision::ALL.map(Decision::as_str);
    let decision = fields
        .required(problems, "decision")
        .and_then(|node| problems.choice(node, "decision", "scenario::unknown_decision", &known));
    let remedy = fields
        .optional("remedy")
        .map(|node| decode_steps(node, problems, "remedy"));
    fields.finish(problems);
    Some(Expectation::Refusal(Refusal {
        error: error?,
        error_domain: whole(error_domain)?,
        message: message?,
        decision: decision?,
        remedy: remedy.unwrap_or_default(),
    }))
}

/// Every step that the call under test depends on, in order.
pub(super) fn all_steps(scenario: &Scenario) -> impl Iterator<Item = &Step> {
    let remedy = match &scenario.then {
        Expectation::Success => &[][..],
        Expectation::Refusal(refusal) => &refusal.remedy[..],
    };
    scenario
        .history
        .iter()
        .chain([&scenario.when])
        .chain(remedy)
}

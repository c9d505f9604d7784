//! A transcript as steps with named fields, so that two of them can be held side by side.

use crate::model::{
    Answer, BitmapRow, BitmapTable, Call, JobEvent, LibvirtError, Observation, Value,
};
use crate::run::Outcome;
use crate::transcript::{
    Conclusion, Exchange, HostState, ProofLine, Record, Transcript, documented_order,
};

/// A name and a value.
pub(super) type Field = (String, String);

/// A part of a transcript.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Step {
    /// `history`, `when`, ….
    pub(super) section: &'static str,
    /// Counted from 1 in its section.
    pub(super) number: usize,
    /// The step in one line; empty for a section that has only one.
    pub(super) label: String,
    /// What was asked, answered and seen.
    pub(super) fields: Vec<Field>,
}

/// Every step of a transcript. The extra texts of an error are libvirt's own business, which the
/// mock does not model: they count where both sides are real.
pub(super) fn steps(transcript: &Transcript, extra_texts: bool) -> Vec<Step> {
    let Transcript {
        format: _,
        scenario: _,
        identity: _,
        history,
        before,
        when,
        after,
        conclusion,
        recovery,
        proof,
    } = transcript;
    let mut steps = Vec::new();
    let mut add = |section, number, label: &str, fields| {
        steps.push(Step {
            section,
            number,
            label: label.to_owned(),
            fields,
        });
    };
    for (number, record) in (1..).zip(history) {
        add(
            "history",
            number,
            &record.label,
            exchange(record, extra_texts),
        );
    }
    if let Some(before) = before {
        add("before", 1, "", state(before));
    }
    if let Some(when) = when {
        add("when", 1, &when.label, exchange(when, extra_texts));
    }
    if let Some(after) = after {
        add("after", 1, "", state(after));
    }
    if let Some(found) = conclusion {
        add("decision", 1, "", concluded(found));
    }
    for (number, record) in (1..).zip(recovery) {
        add(
            "recovery",
            number,
            &record.label,
            exchange(record, extra_texts),
        );
    }
    if !proof.is_empty() {
        add("proof", 1, "", proof.iter().map(proven).collect());
    }
    steps
}

/// What an outcome says beside what the transcript does.
pub(super) fn outcome(outcome: &Outcome) -> Vec<Field> {
    let mut fields = vec![field("outcome", outcome.word())];
    match outcome {
        Outcome::Passed | Outcome::Failed(_) | Outcome::Interrupted => {}
        Outcome::Crashed(crash) => {
            fields.push(field("end", &crash.end));
            fields.push(field("call", &crash.call));
        }
        Outcome::TimedOut { call } => fields.push(field("call", call)),
        Outcome::UnexpectedPass { divergence } => fields.push(field("divergence", divergence)),
        Outcome::Broken { reason, .. } | Outcome::Skipped { reason } => {
            fields.push(field("reason", reason));
        }
    }
    fields
}

fn field(name: impl Into<String>, value: &(impl ToString + ?Sized)) -> Field {
    (name.into(), value.to_string())
}

fn exchange(record: &Record, extra_texts: bool) -> Vec<Field> {
    match &record.exchange {
        Exchange::Call { call, answer } => {
            let mut fields = request(call);
            match answer {
                Answer::Refused(error) => fields.extend(refusal(error, extra_texts)),
                Answer::Returned(value) => fields.extend(returned(value)),
            }
            fields
        }
        Exchange::Action {
            action,
            observation,
        } => {
            let mut fields = vec![field("action", &as_json(action))];
            fields.extend(observed(observation));
            fields
        }
    }
}

fn request(call: &Call) -> Vec<Field> {
    let Call {
        api,
        domain,
        checkpoint,
        disk,
        xml,
        checkpoint_xml,
        snapshot,
        base,
        top,
        size,
        to,
        flags,
        read_only,
    } = call;
    let mut fields = vec![field("call", api), field("call's domain", domain)];
    let texts = [
        ("call's checkpoint", checkpoint),
        ("call's disk", disk),
        ("call's XML", xml),
        ("call's checkpoint XML", checkpoint_xml),
        ("call's snapshot", snapshot),
        ("call's base", base),
        ("call's top", top),
        ("call's size", &size.map(|size| size.to_string())),
        ("call's destination", to),
    ];
    for (name, text) in texts {
        fields.extend(text.as_ref().map(|text| field(name, text)));
    }
    fields.push(field("call's flags", &format_args!("{flags:#x}")));
    fields.extend(read_only.then(|| field("call's connection", "read-only")));
    fields
}

fn refusal(error: &LibvirtError, extra_texts: bool) -> Vec<Field> {
    let LibvirtError {
        code,
        domain,
        level,
        message,
        str1,
        str2,
        str3,
        int1,
        int2,
    } = error;
    let mut fields = vec![
        field("answer", "refused"),
        field("code", code),
        field("error domain", domain),
        field("level", level),
        field("message", message),
        field("int1", int1),
        field("int2", int2),
    ];
    for (name, text) in [("str1", str1), ("str2", str2), ("str3", str3)] {
        let text = text.as_ref().filter(|_| extra_texts);
        fields.extend(text.map(|text| field(name, text)));
    }
    fields
}

fn returned(value: &Value) -> Vec<Field> {
    let mut fields = vec![field("answer", "returned")];
    match value {
        Value::Nothing => {}
        Value::Name(name) => fields.push(field("name", name)),
        Value::Xml(xml) => fields.push(field("XML", xml)),
        Value::Names(names) => fields.push(field("names", &listed(names))),
        Value::State(state, reason) => {
            fields.push(field("state", state));
            fields.push(field("reason", reason));
        }
        Value::Params(params) => {
            let params = params.iter();
            fields.extend(params.map(|(name, value)| field(name, value)));
        }
    }
    fields
}

fn observed(observation: &Observation) -> Vec<Field> {
    match observation {
        Observation::Done => Vec::new(),
        Observation::Bitmaps(table) => bitmaps(table),
        Observation::Events(events) => {
            let events: Vec<String> = documented_order(events).into_iter().map(event).collect();
            vec![field("events", &listed(&events))]
        }
        Observation::Content(content) => vec![field("content", &as_json(content))],
        Observation::Check(report) => {
            let report = report.as_deref().unwrap_or("clean");
            vec![field("qemu-img check", report)]
        }
        Observation::Usable(reason) => {
            vec![field("use", reason.as_deref().unwrap_or("usable"))]
        }
        Observation::Files(files) => vec![field("files", &listed(files))],
        Observation::Formats(formats) => vec![field("formats", &as_json(formats))],
        Observation::Layers(layers) => vec![field("layers", &as_json(layers))],
        Observation::Versions(versions) => vec![field("versions", &as_json(versions))],
        Observation::Answer(answer) => vec![field("answer", &as_json(answer))],
    }
}

fn event(event: &JobEvent) -> String {
    as_json(event)
}

fn state(state: &HostState) -> Vec<Field> {
    let HostState {
        domain,
        checkpoints,
        backup,
        bitmaps: table,
        files,
    } = state;
    let mut fields = vec![
        field("domain", domain),
        field("checkpoints", &listed(checkpoints)),
        field("backup job", if *backup { "yes" } else { "no" }),
        field("files", &listed(files)),
    ];
    fields.extend(bitmaps(table));
    fields
}

/// A field for each bitmap.
fn bitmaps(table: &BitmapTable) -> Vec<Field> {
    let row = |row: &BitmapRow| {
        let BitmapRow {
            disk,
            layer,
            name,
            persistent,
            recording,
            inconsistent,
            busy,
            granularity,
            dirty,
        } = row;
        let word = |flag: &bool| if *flag { "yes" } else { "no" };
        let dirty = dirty.map(|dirty| format!(" dirty={dirty}"));
        let value = format!(
            "persistent={} recording={} inconsistent={} busy={} granularity={granularity}{}",
            word(persistent),
            word(recording),
            word(inconsistent),
            word(busy),
            dirty.unwrap_or_default(),
        );
        field(format!("bitmap {disk}[{layer}] {name}"), &value)
    };
    table.0.iter().map(row).collect()
}

fn concluded(conclusion: &Conclusion) -> Vec<Field> {
    let Conclusion {
        decision,
        base,
        disks,
        clean_up,
        rule,
        because,
        sources,
        probes,
    } = conclusion;
    let mut fields = vec![
        field("decision", decision),
        field("rule", rule),
        field("because", because),
        field("sources", &listed(sources)),
    ];
    let probes = probes.iter();
    fields.extend(probes.map(|probe| field(format!("probe {}", probe.probe), &probe.answer)));
    fields.extend(base.iter().map(|base| field("base", base)));
    fields.extend(
        disks
            .iter()
            .map(|(disk, part)| field(format!("disk {disk}"), part)),
    );
    let clean_up = clean_up.iter();
    fields.extend(clean_up.map(|step| field(format!("clean-up {step}"), &listed(&step.disks))));
    fields
}

fn proven(line: &ProofLine) -> Field {
    let verdict = if line.holds {
        ""
    } else {
        ", so it does not hold"
    };
    field(&line.claim, &format_args!("{}{verdict}", line.found))
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

/// For what has no form of its own in words.
fn as_json(value: &(impl serde::Serialize + std::fmt::Debug)) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| format!("{value:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ErrorCode, ErrorDomain, JobEnd};

    #[test]
    fn a_race_between_disks_is_no_change() {
        let block_job = |disk: &str| JobEvent::BlockJob {
            disk: disk.to_owned(),
            end: JobEnd::Completed,
        };
        let completed = JobEvent::JobCompleted {
            success: true,
            message: None,
        };
        let events = |events: [&JobEvent; 3]| {
            observed(&Observation::Events(events.map(JobEvent::clone).into()))
        };
        let (vda, vdb) = (block_job("vda"), block_job("vdb"));
        assert_eq!(
            events([&vda, &completed, &vdb]),
            events([&vdb, &completed, &vda])
        );
        assert_ne!(
            events([&vda, &completed, &vdb]),
            events([&vda, &vdb, &completed])
        );
    }

    #[test]
    fn extra_texts_count_only_where_they_are_wanted() {
        let error = |str1: &str| LibvirtError {
            str1: Some(str1.to_owned()),
            ..LibvirtError::reported(ErrorCode::INVALID_ARG, ErrorDomain::QEMU, "x")
        };
        assert_eq!(refusal(&error("a"), false), refusal(&error("b"), false));
        assert_ne!(refusal(&error("a"), true), refusal(&error("b"), true));
    }
}

//! A transcript as the text that snapshots hold and people read.

use std::fmt::{Display, Write};

use super::{Conclusion, Exchange, HostState, Record, Transcript};
use crate::model::{Answer, BitmapRow, Call, Content, JobEvent, LibvirtError, Observation, Value};

/// The transcript as text. Nothing of it depends on the driver that answered.
#[must_use]
pub fn render(transcript: &Transcript) -> String {
    let mut page = Page::default();
    page.line(0, "history");
    page.steps(&transcript.history);
    if let Some(before) = &transcript.before {
        page.line(0, "before");
        page.state(before);
    }
    if let Some(when) = &transcript.when {
        page.line(0, "when");
        page.line(1, &when.label);
        page.request(2, when);
        page.answer(2, when);
    }
    if let Some(after) = &transcript.after {
        page.line(0, "after");
        if transcript.before.as_ref() == Some(after) {
            page.line(1, "as before");
        } else {
            page.state(after);
        }
    }
    if let Some(conclusion) = &transcript.conclusion {
        page.conclusion(conclusion);
    }
    if !transcript.recovery.is_empty() {
        page.line(0, "recovery");
        page.steps(&transcript.recovery);
    }
    if !transcript.proof.is_empty() {
        page.line(0, "proof");
        for line in &transcript.proof {
            let verdict = if line.holds { "" } else { "  FALSE" };
            page.line(
                1,
                format_args!("{:<28}  {}{verdict}", line.claim, line.found),
            );
        }
    }
    page.0
}

/// The text of a transcript, or a snapshot of it, up to the decision.
#[must_use]
pub fn without_recovery(text: &str) -> &str {
    let heads = ["\nrecovery\n", "\nproof\n"];
    let end = heads.iter().filter_map(|head| text.find(head)).min();
    end.map_or(text, |end| &text[..=end])
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, depth: usize, line: impl Display) {
        let line = format!("{:1$}{line}", "", depth * 2);
        // Writing into a string cannot fail.
        let _ = writeln!(self.0, "{}", line.trim_end());
    }

    fn block(&mut self, depth: usize, text: &str) {
        for line in text.lines() {
            self.line(depth, line);
        }
    }

    fn steps(&mut self, records: &[Record]) {
        for (number, record) in (1..).zip(records) {
            let outcome = short_answer(record);
            self.line(
                1,
                format_args!("{number:>2} {:<44}  {outcome}", record.label),
            );
            self.answer(3, record);
        }
    }

    /// The documents of a call.
    fn request(&mut self, depth: usize, record: &Record) {
        if let Exchange::Call {
            call:
                Call {
                    xml,
                    checkpoint_xml,
                    snapshot,
                    base,
                    top,
                    size,
                    to,
                    flags,
                    ..
                },
            ..
        } = &record.exchange
        {
            for document in [xml, checkpoint_xml].into_iter().flatten() {
                self.block(depth + 1, document);
            }
            let size = size.map(|size| size.to_string());
            for (name, value) in [
                ("snapshot", snapshot),
                ("base", base),
                ("top", top),
                ("size", &size),
                ("to", to),
            ] {
                if let Some(value) = value {
                    self.line(depth, format_args!("{name} {value}"));
                }
            }
            self.line(depth, format_args!("flags {flags:#x}"));
        }
    }

    /// Whatever of an answer does not fit into a word.
    fn answer(&mut self, depth: usize, record: &Record) {
        match &record.exchange {
            Exchange::Call {
                answer: Answer::Refused(error),
                ..
            } => self.refusal(depth, error),
            Exchange::Call {
                answer: Answer::Returned(value),
                ..
            } => self.value(depth, value),
            Exchange::Action { observation, .. } => self.observation(depth, observation),
        }
    }

    fn refusal(&mut self, depth: usize, error: &LibvirtError) {
        let LibvirtError {
            code,
            domain,
            level,
            message,
            int1,
            int2,
            ..
        } = error;
        let numbers = format!("level {level}  int1 {int1}  int2 {int2}");
        self.line(
            depth,
            format_args!("refused {code}  domain {domain}  {numbers}"),
        );
        self.block(depth, message);
    }

    fn value(&mut self, depth: usize, value: &Value) {
        match value {
            Value::Xml(xml) => self.block(depth, xml),
            Value::Names(names) => self.line(depth, listed(names)),
            Value::Params(params) => {
                for (name, param) in params {
                    self.line(depth, format_args!("{name} {param}"));
                }
            }
            Value::State(state, _) => self.line(depth, state),
            Value::Nothing | Value::Name(_) => {}
        }
    }

    fn observation(&mut self, depth: usize, observation: &Observation) {
        match observation {
            Observation::Events(events) => {
                for event in documented_order(events) {
                    self.line(depth, event_text(event));
                }
            }
            Observation::Bitmaps(table) => self.bitmaps(depth, &table.0),
            Observation::Content(content) => self.line(depth, content_text(content)),
            Observation::Check(Some(report)) | Observation::Usable(Some(report)) => {
                self.block(depth, report);
            }
            Observation::Files(files) => self.line(depth, listed(files)),
            Observation::Formats(formats) => {
                for (disk, format) in formats {
                    self.line(depth, format_args!("{disk} {format}"));
                }
            }
            Observation::Versions(versions) => {
                for (disk, version) in versions {
                    self.line(depth, format_args!("{disk} {version}"));
                }
            }
            Observation::Layers(layers) => {
                for (disk, images) in layers {
                    let paths: Vec<String> =
                        images.iter().map(|image| image.path.clone()).collect();
                    self.line(depth, format_args!("{disk} {}", paths.join(" < ")));
                }
            }
            Observation::Answer(Answer::Returned(value)) => self.value(depth, value),
            Observation::Answer(Answer::Refused(error)) => self.refusal(depth, error),
            Observation::Done | Observation::Check(None) | Observation::Usable(None) => {}
        }
    }

    fn state(&mut self, state: &HostState) {
        let backup = if state.backup {
            "a backup job"
        } else {
            "no backup job"
        };
        self.line(1, format_args!("domain       {}, {backup}", state.domain));
        self.line(
            1,
            format_args!("checkpoints  {}", listed(&state.checkpoints)),
        );
        self.line(1, format_args!("files        {}", listed(&state.files)));
        if state.bitmaps.0.is_empty() {
            self.line(1, "bitmaps      none");
        } else {
            self.line(1, "bitmaps");
            self.bitmaps(2, &state.bitmaps.0);
        }
    }

    fn bitmaps(&mut self, depth: usize, rows: &[BitmapRow]) {
        for row in rows {
            let word = |flag| if flag { "yes" } else { "no" };
            let persistent = if row.persistent {
                "persistent"
            } else {
                "transient"
            };
            let busy = if row.busy { " busy" } else { "" };
            let dirty = row
                .dirty
                .map(|dirty| format!(" dirty={dirty}"))
                .unwrap_or_default();
            self.line(
                depth,
                format_args!(
                    "{}[{}] {}  {persistent} recording={} inconsistent={} granularity={}{dirty}{busy}",
                    row.disk,
                    row.layer,
                    row.name,
                    word(row.recording),
                    word(row.inconsistent),
                    row.granularity,
                ),
            );
        }
    }

    fn conclusion(&mut self, conclusion: &Conclusion) {
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
        self.line(
            0,
            format_args!("decision  {decision} ({})", decision.category()),
        );
        self.line(1, format_args!("because   {rule}: {because}"));
        for source in sources {
            self.line(1, format_args!("source    {source}"));
        }
        for probe in probes {
            self.line(
                1,
                format_args!("probe     {}: {}", probe.probe, probe.answer),
            );
        }
        if let Some(base) = base {
            self.line(1, format_args!("base      {base}"));
        }
        for (disk, part) in disks {
            self.line(1, format_args!("disk      {disk} {part}"));
        }
        for step in clean_up {
            self.line(1, format_args!("clean-up  {step}"));
        }
    }
}

fn short_answer(record: &Record) -> String {
    match (record.refusal(), &record.exchange) {
        (Some(error), _) => format!("refused {}", error.code.0),
        (
            None,
            Exchange::Action {
                observation: Observation::Check(Some(_)),
                ..
            },
        ) => "not clean".to_owned(),
        (None, _) => "ok".to_owned(),
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(" ")
    }
}

/// Which of several disks ends first is a race, so their events are put in the order of their
/// names. What is documented stays as it was: the place of `JOB_COMPLETED` among them.
#[must_use]
pub fn documented_order(events: &[JobEvent]) -> Vec<&JobEvent> {
    let of_disk = |event: &&JobEvent| matches!(event, JobEvent::BlockJob { .. });
    let mut of_disks: Vec<&JobEvent> = events.iter().filter(of_disk).collect();
    of_disks.sort_by_key(|event| match event {
        JobEvent::BlockJob { disk, .. } => Some(disk),
        JobEvent::JobCompleted { .. } => None,
    });
    let mut of_disks = of_disks.into_iter();
    let in_order = |event| {
        if of_disk(&event) {
            of_disks.next().unwrap_or(event)
        } else {
            event
        }
    };
    events.iter().map(in_order).collect()
}

fn event_text(event: &JobEvent) -> String {
    match event {
        JobEvent::JobCompleted {
            success,
            message: None,
        } => format!("JOB_COMPLETED success={success}"),
        JobEvent::JobCompleted {
            success,
            message: Some(message),
        } => {
            format!("JOB_COMPLETED success={success} errmsg={message}")
        }
        JobEvent::BlockJob { disk, end } => format!("BLOCK_JOB_2 {disk} {end}"),
    }
}

fn content_text(content: &Content) -> String {
    let run = |run: &crate::model::Run| format!("{}+{}={:#04X}", run.offset, run.length, run.fill);
    let runs: Vec<String> = content.runs().iter().map(run).collect();
    format!("{}: {}", content.size(), listed(&runs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::JobEnd;

    fn block_job(disk: &str) -> JobEvent {
        JobEvent::BlockJob {
            disk: disk.to_owned(),
            end: JobEnd::Completed,
        }
    }

    #[test]
    fn a_race_between_disks_does_not_show() {
        let completed = JobEvent::JobCompleted {
            success: true,
            message: None,
        };
        let one = [block_job("vda"), completed.clone(), block_job("vdb")];
        let other = [block_job("vdb"), completed.clone(), block_job("vda")];
        assert_eq!(documented_order(&one), documented_order(&other));
        let late = [block_job("vda"), block_job("vdb"), completed];
        assert_ne!(
            documented_order(&one),
            documented_order(&late),
            "the documented order must show"
        );
    }
}

//! The page of a scenario: its story step by step, and what must come of it.

use super::page::Page;
use super::topic::Written;
use crate::model::Place;
use crate::plan::{Step, lower};
use crate::scenario::{Expectation, Refusal, Step as WrittenStep};

pub(super) fn page(name: &str, written: &Written) -> String {
    let Written { scenario, text } = written;
    let mut page = Page::new(&format!("{name}, a scenario"));
    page.section("what it shows");
    page.paragraph(&scenario.summary);
    for source in &scenario.refs {
        page.paragraph(source);
    }
    page.section("disks of the domain");
    for disk in &scenario.disks {
        let text = format!("{} of {}", disk.format, disk.size.value);
        page.row(&disk.target.value, &text);
    }
    // A transcript names the steps with the same words.
    let plan = lower(scenario, &somewhere());
    page.section("what happens first");
    if plan.history.is_empty() {
        page.paragraph("nothing");
    }
    page.steps(labels(&plan.history));
    page.section("the call under test");
    page.verbatim(&as_written(text, &scenario.when));
    page.section("what must come of it");
    match &scenario.then {
        Expectation::Success => {
            page.paragraph("The call succeeds; data proves what it did.");
        }
        Expectation::Refusal(refusal) => expect(&mut page, refusal, text),
    }
    page.into_text()
}

fn expect(page: &mut Page, refusal: &Refusal, text: &str) {
    page.row("error", &refusal.error.to_string());
    if let Some(domain) = refusal.error_domain {
        page.row("domain", &domain.to_string());
    }
    if let Some(message) = &refusal.message {
        page.row("message", &format!("…{}…", message.value));
    }
    let decision = refusal.decision;
    page.row("decision", &format!("{decision} ({})", decision.category()));
    if !refusal.remedy.is_empty() {
        page.section("the part of the recovery that only the author knows");
        for step in &refusal.remedy {
            page.verbatim(&as_written(text, step));
        }
    }
    page.section("more");
    page.bullets([
        format!("backup-tck explain {decision}"),
        format!("backup-tck explain {}", refusal.error.0),
    ]);
}

fn labels(steps: &[Step]) -> impl Iterator<Item = &str> {
    steps.iter().map(|step| step.label.as_str())
}

/// A step as its author wrote it, from the left edge. Only where it begins is known; it goes on as
/// long as lines are indented further than the key or the dash that it belongs to.
fn as_written(text: &str, step: &WrittenStep) -> String {
    let (before, from) = text.split_at_checked(step.span.start).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let column = line.len();
    // On a line of its own, the key stands above; any indentation less than its own ends it.
    let owner = if line.trim().is_empty() {
        column.saturating_sub(1)
    } else {
        indent_of(line)
    };
    let mut written = Vec::new();
    for line in from.lines() {
        let indent = indent_of(line);
        if written.is_empty() {
            written.push(line.trim_end());
        } else if line.trim().is_empty() || indent > owner {
            written.push(line[indent.min(column)..].trim_end());
        } else {
            break;
        }
    }
    written.join("\n").trim_end().to_owned()
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// No step's label tells where it runs.
fn somewhere() -> Place {
    Place {
        directory: "/".to_owned(),
        domain: "domain".to_owned(),
        uuid: String::new(),
        emulator: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rstest::rstest;

    use super::*;
    use crate::scenario::parse;

    #[rstest]
    #[case::block(
        "when:\n  checkpoint-create:\n    name: c1\n    disks: [vda]\n\n# more\n",
        "checkpoint-create:\n  name: c1\n  disks: [vda]"
    )]
    #[case::flow(
        "when: { checkpoint-create: { name: c1 } }\n",
        "{ checkpoint-create: { name: c1 } }"
    )]
    #[case::flow_on_two_lines(
        "when: { checkpoint-create: { name: c1,\n  disks: [vda] } }\n",
        "{ checkpoint-create: { name: c1,\ndisks: [vda] } }"
    )]
    #[case::word("when: start\n", "start")]
    fn a_step_is_shown_as_it_was_written(#[case] when: &str, #[case] expected: &str) {
        let text = format!(
            "format: 1\nscenario: case\nsummary: It is.\n\
             disks:\n  vda: {{ format: qcow2, size: 16M }}\n{when}then: {{ result: ok }}\n"
        );
        let scenario = parse(Path::new("case.yaml"), &text).unwrap();
        assert_eq!(as_written(&text, &scenario.when), expected);
    }
}

//! The page of a scenario: its story step by step, and what must come of it.

use super::page::Page;
use crate::model::Place;
use crate::plan::{Step, lower};
use crate::scenario::{Expectation, Refusal, Scenario};

pub(super) fn page(name: &str, scenario: &Scenario) -> String {
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
    page.paragraph(&plan.when.label);
    page.section("what must come of it");
    match &scenario.then {
        Expectation::Success => {
            page.paragraph("The call succeeds; data proves what it did.");
        }
        Expectation::Refusal(refusal) => expect(&mut page, refusal, &plan.remedy),
    }
    page.into_text()
}

fn expect(page: &mut Page, refusal: &Refusal, remedy: &[Step]) {
    page.row("error", &refusal.error.to_string());
    if let Some(domain) = refusal.error_domain {
        page.row("domain", &domain.to_string());
    }
    if let Some(message) = &refusal.message {
        page.row("message", &format!("…{}…", message.value));
    }
    let decision = refusal.decision;
    page.row("decision", &format!("{decision} ({})", decision.category()));
    if !remedy.is_empty() {
        page.section("the part of the recovery that only the author knows");
        page.steps(labels(remedy));
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

/// No step's label tells where it runs.
fn somewhere() -> Place {
    Place {
        directory: "/".to_owned(),
        domain: "domain".to_owned(),
        uuid: String::new(),
        emulator: String::new(),
    }
}

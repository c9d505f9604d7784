//! The page of a scenario: its story step by step, and what must come of it.

use super::finding::shown_by;
use super::page::Page;
use super::scenarios::Known;
use crate::scenario::syntax::Disk;
use crate::scenario::{Expectation, Refusal, Scenario, step_text};

pub(super) fn page(name: &str, known: &Known) -> String {
    let scenario = &known.scenario;
    let mut page = Page::new(&format!("{name}, a scenario"));
    page.section("what it shows");
    page.paragraph(&scenario.summary);
    for source in &scenario.refs {
        page.paragraph(source);
    }
    conditions(&mut page, scenario);
    page.section("disks of the domain");
    for (target, disk) in &scenario.disks.0 {
        page.row(&target.value, &disk_in_words(disk));
    }
    page.section("what happens first");
    if scenario.history.is_empty() {
        page.paragraph("nothing");
    }
    let steps: Vec<String> = scenario
        .history
        .iter()
        .map(|step| step_text(&step.value))
        .collect();
    page.steps(steps.iter().map(String::as_str));
    page.section("the call under test");
    page.verbatim(&step_text(&scenario.when.value));
    page.section("what must come of it");
    match &scenario.then {
        Expectation::Success => {
            page.paragraph("The call succeeds; data proves what it did.");
        }
        Expectation::Refusal(refusal) => expect(&mut page, refusal),
    }
    more(&mut page, name, known);
    page.into_text()
}

/// Where it is run, and where it is skipped.
fn conditions(page: &mut Page, scenario: &Scenario) {
    let needs = scenario
        .needs
        .iter()
        .map(|need| format!("needs {}", need.as_str()));
    let since = scenario
        .since
        .map(|version| format!("since libvirt {version}"));
    let until = scenario
        .until
        .map(|version| format!("until libvirt {version}"));
    let all: Vec<String> = needs.chain(since).chain(until).collect();
    if !all.is_empty() {
        page.section("where it is run");
        page.bullets(all);
    }
}

fn disk_in_words(disk: &Disk) -> String {
    let format = disk.format.as_ref().map(|format| format.value.to_string());
    let size = disk
        .size
        .as_ref()
        .map(|size| format!("of {}", size.value.0));
    let compat = disk
        .compat
        .is_some()
        .then(|| "another version of the format".to_owned());
    let layers = disk.backing.len();
    let layers = (layers > 0).then(|| format!("{layers} layers below"));
    let empty = disk.empty.then(|| "empty".to_owned());
    let words: Vec<String> = [format, size, compat, layers, empty]
        .into_iter()
        .flatten()
        .collect();
    words.join(" ")
}

fn expect(page: &mut Page, refusal: &Refusal) {
    page.row("error", &refusal.error.to_string());
    if let Some(domain) = refusal.error_domain {
        page.row("domain", &domain.to_string());
    }
    if let Some(message) = &refusal.message {
        page.row("message", &format!("…{}…", message.value));
    }
    let decision = refusal.decision;
    page.row("decision", &format!("{decision} ({})", decision.category()));
    if refusal.remedy.iter().flatten().next().is_some() {
        page.section("the part of the recovery that only the author knows");
        for step in refusal.remedy.iter().flatten() {
            page.verbatim(&step_text(&step.value));
        }
    }
}

/// The ways from here: what its error, its decision and its rule mean, what it shows of libvirt, and
/// what products make of it.
fn more(page: &mut Page, name: &str, known: &Known) {
    let mut topics: Vec<String> = Vec::new();
    if let Expectation::Refusal(refusal) = &known.scenario.then {
        topics.push(refusal.decision.to_string());
        topics.push(refusal.error.0.to_string());
    }
    topics.extend(known.rule.clone().filter(|rule| rule != "none"));
    topics.extend(shown_by(name).map(|finding| finding.name.clone()));
    let mut commands: Vec<String> = topics
        .iter()
        .map(|topic| format!("backup-tck explain {topic}"))
        .collect();
    commands.extend(
        known
            .is_for_clients()
            .then(|| format!("backup-tck policies {name}")),
    );
    commands.push(format!("backup-tck script {name}"));
    page.section("more");
    page.commands(commands);
}

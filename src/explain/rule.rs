//! The pages of rules.

use super::page::Page;
use super::scenarios::{Scenarios, decided_by};
use crate::findings::findings;
use crate::judge::Rule;

pub(super) fn page(rule: &Rule, scenarios: &Scenarios) -> String {
    let mut page = Page::new(&format!("{}, a rule of the judge", rule.id));
    page.section("the situation");
    if rule.codes.is_empty() {
        page.row("error", "none: the call succeeded, and its job has ended");
    }
    for code in rule.codes {
        page.row("error", &code.to_string());
    }
    if rule.apis.is_empty() {
        page.row("call", "any function");
    }
    for api in rule.apis {
        page.row("call", api.as_str());
    }
    page.row("facts", rule.because);
    page.row("message", message(rule));
    page.section("what a client does");
    page.paragraph(&format!("{} ({})", rule.decision, rule.decision.category()));
    page.section("who says so");
    page.bullets(rule.sources);
    page.section("scenarios whose snapshots show that it decided");
    page.names(decided_by(scenarios, rule.id), "none yet");
    page.section("more");
    let codes = rule.codes.iter().map(|code| code.0.to_string());
    let topics = [rule.decision.to_string()].into_iter().chain(codes);
    let shown: Vec<&str> = decided_by(scenarios, rule.id).collect();
    let findings = findings()
        .iter()
        .filter(|finding| shown.iter().any(|name| finding.is_shown_by(name)))
        .map(|finding| finding.name.clone());
    let topics = topics.chain(findings);
    let page_of_all = format!("DECISIONS.md#{}", rule.id.to_lowercase());
    page.commands(
        topics
            .map(|topic| format!("backup-tck explain {topic}"))
            .chain([page_of_all]),
    );
    page.into_text()
}

/// Whether the message is read, and why.
fn message(rule: &Rule) -> &'static str {
    if rule.reads_message {
        "is read: no code, number or query tells this situation from others"
    } else {
        "is not read: codes, numbers and queries tell enough"
    }
}

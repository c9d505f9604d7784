//! The pages of error codes and of rules about them.

use super::code_texts::meaning;
use super::page::Page;
use super::scenarios::{Scenarios, refusing};
use crate::judge::{Rule, rules};
use crate::model::{Decision, ErrorCode};

pub(super) fn page(code: ErrorCode, scenarios: &Scenarios) -> String {
    let name = code.name().unwrap_or("unknown to this build");
    let mut page = Page::new(&format!("{name}, error code {} of libvirt", code.0));
    page.section("what libvirt means by it");
    match meaning(code) {
        Some(meaning) => page.paragraph(meaning),
        None => page.paragraph(
            "The backup and checkpoint calls are not known to raise it. Its name, and what other \
             calls mean by it, are in libvirt's include/libvirt/virterror.h.",
        ),
    }
    if let Some(prefix) = code.prefix() {
        page.paragraph(&format!("Its messages begin with `{prefix}: `."));
    }
    page.section("what a client should do");
    let mut any = false;
    for rule in rules().filter(|rule| rule.codes.contains(&code)) {
        any = true;
        row(&mut page, rule);
    }
    let otherwise = Decision::InvestigateEscalate;
    let situation = if any {
        "otherwise"
    } else {
        "no rule covers it"
    };
    page.row("-", situation);
    page.row("", &format!("-> {otherwise} ({})", otherwise.category()));
    page.section("scenarios that expect it");
    let names = refusing(scenarios, move |refusal| refusal.error == code);
    page.names(names, "none yet");
    page.into_text()
}

pub(super) fn rule_page(rule: &Rule) -> String {
    let mut page = Page::new(&format!("{}, a rule of the judge", rule.id));
    page.section("the situation");
    page.row("error", &rule.trigger());
    for api in rule.apis {
        page.row("call", api.as_str());
    }
    page.row("facts", rule.because);
    page.section("what a client does");
    page.paragraph(&format!("{} ({})", rule.decision, rule.decision.category()));
    page.section("who says so");
    page.bullets(rule.sources);
    page.section("more");
    let codes = rule.codes.iter().map(|code| code.0.to_string());
    let topics = [rule.decision.to_string()].into_iter().chain(codes);
    page.bullets(topics.map(|topic| format!("backup-tck explain {topic}")));
    page.into_text()
}

fn row(page: &mut Page, rule: &Rule) {
    page.row(rule.id, rule.because);
    let decision = rule.decision;
    page.row("", &format!("-> {decision} ({})", decision.category()));
    for source in rule.sources {
        page.row("", &format!("source: {source}"));
    }
}

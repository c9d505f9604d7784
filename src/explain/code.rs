//! The pages of error codes.

use super::code_texts::meaning;
use super::page::Page;
use super::scenarios::{Scenarios, refusing};
use crate::judge::{Rule, rules};
use crate::model::{Api, Decision, ErrorCode};

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
    decisions(&mut page, code);
    page.section("scenarios that expect it");
    let names = refusing(scenarios, move |refusal| refusal.error == code);
    page.names(names, "none yet");
    page.section("more");
    page.bullets(["DECISIONS.md: every function and code on one page"]);
    page.into_text()
}

/// The rules about a code, by the functions that they are about.
fn decisions(page: &mut Page, code: ErrorCode) {
    page.section("what a client should do");
    let groups = groups(code);
    page.paragraph(match groups.len() {
        0 => "No rule is about this code.",
        1 => "The first rule whose situation it is decides.",
        _ => {
            "The first rule whose situation it is decides. They are tried in the order of \
             `backup-tck explain --list`; here, those about the same functions stand together."
        }
    });
    for (apis, rules) in &groups {
        page.section(&heading(apis));
        for rule in rules {
            row(page, rule);
        }
    }
    let otherwise = Decision::InvestigateEscalate;
    page.section("in any other situation");
    page.row("-", "no rule covers it");
    page.row("", &format!("-> {otherwise} ({})", otherwise.category()));
}

/// Functions, and the rules that are about just these, in the order they are tried.
type Group = (&'static [Api], Vec<&'static Rule>);

fn groups(code: ErrorCode) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for rule in rules().filter(|rule| rule.codes.contains(&code)) {
        match groups.iter_mut().find(|(apis, _)| *apis == rule.apis) {
            Some((_, rules)) => rules.push(rule),
            None => groups.push((rule.apis, vec![rule])),
        }
    }
    groups
}

fn heading(apis: &[Api]) -> String {
    let names: Vec<&str> = apis.iter().map(|api| api.as_str()).collect();
    if names.is_empty() {
        "from any function".to_owned()
    } else {
        format!("from {}", names.join(", "))
    }
}

fn row(page: &mut Page, rule: &Rule) {
    page.row(rule.id, rule.because);
    let decision = rule.decision;
    page.row("", &format!("-> {decision} ({})", decision.category()));
    if rule.reads_message {
        page.row("", "reads the message, since no query tells the same");
    }
    for source in rule.sources {
        page.row("", &format!("source: {source}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_stands_on_the_pages_of_its_codes() {
        for rule in rules() {
            for code in rule.codes {
                let page = page(*code, &Scenarios::new());
                // A heading may go on in the next line.
                let page = page.replace("\n    ", " ");
                let mut lines = page.lines().skip_while(|line| *line != heading(rule.apis));
                let is_its = |line: &str| line.split_whitespace().next() == Some(rule.id);
                let mut group = lines.by_ref().take_while(|line| !line.is_empty());
                assert!(group.any(is_its), "{} on {code}: {page}", rule.id);
            }
        }
    }

    #[test]
    fn groups_keep_the_order_and_are_never_parted() {
        let groups = groups(ErrorCode::INTERNAL_ERROR);
        for (at, (apis, _)) in groups.iter().enumerate() {
            assert!(groups[..at].iter().all(|(before, _)| before != apis));
        }
        let place = |id: &str| rules().position(|rule| rule.id == id).unwrap();
        for (_, rules) in &groups {
            assert!(rules.is_sorted_by_key(|rule| place(rule.id)));
        }
        assert!(groups.len() > 5);
    }
}

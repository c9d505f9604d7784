//! The pages of findings.

use super::page::Page;
use crate::findings::{Finding, findings};

pub(super) fn page(finding: &Finding) -> String {
    let kind = finding.kind.word();
    let mut page = Page::new(&format!("{}, a finding ({kind})", finding.name));
    page.section(&finding.title);
    page.paragraph(&on_one_line(&finding.statement));
    page.section("what a client does today");
    page.paragraph(&on_one_line(&finding.today));
    page.section("what libvirt could do");
    page.paragraph(&on_one_line(&finding.libvirt));
    page.section("where it is");
    page.bullets(&finding.source);
    page.section("scenarios that show it");
    let note = finding.note.as_deref().unwrap_or_default();
    let note = on_one_line(note);
    page.names(finding.scenarios.iter().map(String::as_str), &note);
    page.section("the reproducer, behind the functions of src/findings/prelude.sh");
    page.verbatim(&finding.script);
    page.section("more");
    page.bullets([format!(
        "FINDINGS.md#{}: what it printed, and on which versions",
        finding.name
    )]);
    page.into_text()
}

/// The findings that a scenario shows.
pub(super) fn shown_by(scenario: &str) -> impl Iterator<Item = &'static Finding> {
    findings()
        .iter()
        .filter(move |finding| finding.is_shown_by(scenario))
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

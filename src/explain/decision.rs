//! The pages of decisions, clean-up steps and categories.

use super::clean_up_texts::{clean_up_text, time_text, time_word};
use super::decision_texts::{category_text, decision_text};
use super::page::Page;
use super::scenarios::{Scenarios, refusing};
use crate::judge::rules;
use crate::model::{Category, CleanUpKind, Decision};

pub(super) fn page(decision: Decision, scenarios: &Scenarios) -> String {
    let text = decision_text(decision);
    let mut page = Page::new(&format!("{decision}, a decision"));
    page.section("category");
    let category = decision.category();
    page.paragraph(&format!("{category}: {}", category_text(category)));
    page.section("meaning");
    page.paragraph(text.meaning);
    page.section("what the client does");
    page.steps(text.steps);
    page.section("how that is proven");
    page.bullets(text.proof);
    page.section("when it is wrong");
    page.bullets(text.wrong);
    page.section("rules that come to it");
    let mut any = false;
    for rule in rules().filter(|rule| rule.decision == decision) {
        any = true;
        page.row(rule.id, &format!("{}: {}", rule.trigger(), rule.because));
    }
    if decision == Decision::InvestigateEscalate {
        page.row("-", "every case that no other rule covers");
    } else if !any {
        page.paragraph("none yet");
    }
    page.section("scenarios that expect it");
    let names = refusing(scenarios, move |refusal| refusal.decision == decision);
    page.names(names, "none yet");
    page.section("more");
    page.bullets([
        format!("DECISIONS.md#{decision}"),
        format!("backup-tck policies --decision {decision}: what products do there"),
    ]);
    page.into_text()
}

pub(super) fn clean_up_page(kind: CleanUpKind) -> String {
    let text = clean_up_text(kind);
    let mut page = Page::new(&format!("{}, a clean-up step", kind.as_str()));
    page.section("when it is called for");
    page.paragraph(text.when);
    page.section("when it is due");
    for (time, why) in text.due {
        page.row(time_word(*time), &format!("{}: {why}", time_text(*time)));
    }
    page.section("what the client does");
    page.steps(text.steps);
    page.section("how that is proven");
    page.bullets(text.proof);
    page.section("take care");
    page.paragraph(text.care);
    page.into_text()
}

pub(super) fn category_page(category: Category) -> String {
    let mut page = Page::new(&format!("{}, a category of decisions", category.as_str()));
    page.section("meaning");
    page.paragraph(category_text(category));
    page.section("decisions that belong to it");
    let decisions = Decision::ALL
        .into_iter()
        .filter(|decision| decision.category() == category);
    page.names(decisions.map(Decision::as_str), "none");
    page.into_text()
}

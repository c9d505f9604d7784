//! An answer of the judge in words.

use super::page::Page;
use super::probe::asking;
use crate::judge::{Decided, Judgement, Probe};

/// The answer, 80 columns wide.
#[must_use]
pub fn judgement_text(judgement: &Judgement) -> String {
    match judgement {
        Judgement::Decided(decided) => decided_text(decided),
        Judgement::Need(probe) => need_text(probe),
    }
}

fn decided_text(decided: &Decided) -> String {
    let mut page = Page::new(&format!("{} ({})", decided.decision, decided.category));
    page.section("because");
    page.row(&decided.rule, &decided.because);
    if decided.reads_message {
        page.row("", "the message was read, since no query tells the same");
    }
    if let Some(base) = &decided.detail.base {
        page.section("the next backup");
        page.row("base", base);
        for (disk, part) in &decided.detail.disks {
            page.row(disk, &part.to_string());
        }
    }
    if !decided.detail.clean_up.is_empty() {
        page.section("clean-up");
        page.bullets(decided.detail.clean_up.iter().map(ToString::to_string));
    }
    if !decided.sources.is_empty() {
        page.section("who says so");
        page.bullets(&decided.sources);
    }
    page.section("more");
    page.bullets([format!("backup-tck explain {}", decided.decision)]);
    page.into_text()
}

fn need_text(probe: &Probe) -> String {
    let mut page = Page::new(&format!("not decided yet: {probe}"));
    asking(&mut page, probe.text());
    page.into_text()
}

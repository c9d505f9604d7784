//! The pages of probes.

use super::page::Page;
use crate::judge::ProbeText;
use crate::scenario::ProblemKind;

/// `namesake` is a problem whose short name is the same word.
pub(super) fn page(probe: &ProbeText, namesake: Option<&ProblemKind>) -> String {
    let mut page = Page::new(&format!("{}, a probe of the judge", probe.name));
    page.section("what it is");
    page.paragraph(
        "A question that a rule may have to ask before it decides. Rules ask the cheapest one \
         first, and none whose answer is among the facts already.",
    );
    asking(&mut page, probe);
    page.paragraph(
        "The form of the facts: backup-tck decide --schema facts. Without this answer, `backup-tck \
         decide` asks for it by this page's word where it needs it.",
    );
    page.section("what snapshots call it");
    page.paragraph(probe.title);
    if let Some(problem) = namesake {
        page.section("another topic of that name");
        page.commands([format!("backup-tck explain {}", problem.code)]);
    }
    page.into_text()
}

/// How a probe is asked, and what comes of it.
pub(super) fn asking(page: &mut Page, probe: &ProbeText) {
    page.section("how to ask");
    page.paragraph(probe.how);
    page.section("what asking changes");
    page.paragraph(probe.cost);
    page.section("where the answer goes");
    page.paragraph(&format!("observed.{}", probe.field));
}

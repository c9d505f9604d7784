//! The page of a kind of problem.

use super::page::Page;
use crate::scenario::ProblemKind;

pub(super) fn page(kind: &ProblemKind) -> String {
    let mut page = Page::new(&format!("{}: {}", kind.code, kind.title));
    page.section("what it means, and the way out");
    page.paragraph(kind.explanation);
    if let Some(example) = kind.example {
        page.section("wrong");
        page.verbatim(example.wrong);
        page.section("right");
        page.verbatim(example.right);
    }
    page.into_text()
}

//! Two compared runs as a page of Markdown.

use super::text::{change_lines, outcomes, side, summary};
use crate::record::{Compared, Comparison, Verdict};
use crate::report::markup::{Page, html};

/// The comparison as Markdown: a table of all that is not the same, the changes folded.
#[must_use]
pub fn markdown(comparison: &Comparison, names: [&str; 2]) -> String {
    let mut page = Page::default();
    page.line(format_args!("## backup-tck: {}\n", summary(comparison)));
    for (letter, name, run) in [
        ("A", names[0], &comparison.a),
        ("B", names[1], &comparison.b),
    ] {
        page.line(format_args!(
            "* {letter}: {}, {}",
            html(name),
            html(&side(run))
        ));
    }
    let in_order = || {
        Verdict::ALL
            .into_iter()
            .flat_map(|verdict| comparison.of(verdict))
    };
    let rows: Vec<_> = in_order()
        .map(|compared| [compared.name.clone(), words(compared), outcomes(compared)])
        .collect();
    page.table(["scenario", "what became of it", "A -> B"], &rows);
    let details = in_order().map(|compared| {
        let Compared { name, .. } = compared;
        (&**name, words(compared), Vec::new(), body(compared))
    });
    let details: Vec<_> = details.filter(|(.., text)| !text.is_empty()).collect();
    page.all_details(&details);
    page.text
}

fn words(compared: &Compared) -> String {
    compared.verdict.words().to_owned()
}

fn body(compared: &Compared) -> String {
    let mut lines: Vec<String> = compared.why.iter().cloned().collect();
    let mut step = "";
    for change in &compared.changes {
        if change.step != step {
            step = &change.step;
            lines.push(step.to_owned());
        }
        lines.extend(
            change_lines(change)
                .into_iter()
                .map(|(_, line)| format!("  {line}")),
        );
    }
    lines.join("\n")
}

//! The table as a page of Markdown.

use crate::policy::{Outcome, Played, Table};

/// The table as Markdown: what came of each profile in numbers, then each scenario.
#[must_use]
pub fn markdown(table: &Table) -> String {
    let told = table.rows.len();
    let mut lines = vec![format!("## backup-tck: {told} faults, by each client\n")];
    let outcomes = Outcome::ALL.map(|outcome| outcome.as_str().to_owned());
    lines.extend(head(["client".to_owned()].into_iter().chain(outcomes)));
    for (number, name) in table.profiles.iter().enumerate() {
        let counts = Outcome::ALL.map(|outcome| {
            let of_it = table
                .column(number)
                .filter(|played| played.outcome == outcome);
            of_it.count().to_string()
        });
        lines.push(line([name.clone()].into_iter().chain(counts)));
    }
    lines.push(String::new());
    for outcome in Outcome::ALL {
        lines.push(format!("* {}: {}", outcome.as_str(), outcome.meaning()));
    }
    lines.push("* +: something is left behind: a bitmap, a checkpoint, a job\n".to_owned());
    let names = ["scenario", "code", "decision"].map(str::to_owned);
    lines.extend(head(names.into_iter().chain(table.profiles.clone())));
    for row in &table.rows {
        let cells = [
            format!("`{}`", row.scenario),
            row.code_text(),
            row.decision.to_string(),
        ];
        lines.push(line(
            cells.into_iter().chain(row.played.iter().map(Played::word)),
        ));
    }
    lines.join("\n") + "\n"
}

fn head(cells: impl Iterator<Item = String>) -> [String; 2] {
    let cells: Vec<String> = cells.collect();
    let count = cells.len();
    [
        line(cells.into_iter()),
        format!("|{}", "---|".repeat(count)),
    ]
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.collect();
    format!("| {} |", cells.join(" | "))
}

//! The table for other programs, and for the checkout.

use crate::policy::{Outcome, Played, Row, Table};

/// The table as lines of tab-separated cells, under a head of comments.
#[must_use]
pub fn tsv(table: &Table) -> String {
    let mut lines: Vec<String> = [
        "# Made by: backup-tck policies --format tsv > snapshots/policies.tsv",
        "# What each client makes of the same refusal, played on the mock and shown by restored data.",
        "# In it: scenarios of backup-begin, checkpoint-create, checkpoint-delete and the job's abort",
        "# whose decision is not fix-request; of those whose is, one of a kind where a client loses data",
        "# or pays for a full backup; and, silent, a fault that libvirt tells nobody.",
    ]
    .map(str::to_owned)
    .into();
    for outcome in Outcome::ALL {
        lines.push(format!("# {}: {}", outcome.as_str(), outcome.meaning()));
    }
    lines.push("# +: something is left behind: a bitmap, a checkpoint, a job".to_owned());
    let head = ["scenario", "call", "code", "decision"].map(str::to_owned);
    let head: Vec<String> = head.into_iter().chain(table.profiles.clone()).collect();
    lines.push(head.join("\t"));
    lines.extend(table.rows.iter().map(line));
    lines.join("\n") + "\n"
}

fn line(row: &Row) -> String {
    let cells = [
        row.scenario.clone(),
        row.api.to_string(),
        row.code_text(),
        row.decision.to_string(),
    ];
    let words = row.played.iter().map(Played::word);
    let cells: Vec<String> = cells.into_iter().chain(words).collect();
    cells.join("\t")
}

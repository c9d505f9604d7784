//! The table as a person reads it.

use crate::policy::{Outcome, Played, Row, Table};

/// Columns of a line.
const WIDTH: usize = 80;

/// The table as text: what came of each profile in numbers, then each scenario.
#[must_use]
pub fn text(table: &Table, steps: bool) -> String {
    let mut lines = vec![
        format!(
            "{}, and what comes of each client:",
            counted(table.rows.len())
        ),
        String::new(),
    ];
    lines.extend(summary(table));
    lines.push(String::new());
    let used = Outcome::ALL.into_iter().filter(|outcome| {
        let mut all = table.rows.iter().flat_map(|row| &row.played);
        all.any(|played| played.outcome == *outcome)
    });
    for outcome in used {
        lines.push(format!("  {}  {}", outcome.letter(), outcome.meaning()));
    }
    lines.push("  +  and leaves something behind: a bitmap, a checkpoint, a job".to_owned());
    lines.push(String::new());
    for (number, name) in table.profiles.iter().enumerate() {
        lines.push(format!("{}{}", "| ".repeat(number), name));
    }
    let mut area = "";
    for row in &table.rows {
        let (own, name) = row.scenario.split_once('/').unwrap_or(("", &row.scenario));
        if own != area {
            area = own;
            lines.push(format!("{}{area}/", "| ".repeat(table.profiles.len())));
        }
        lines.push(line(row, name, table.profiles.len()));
        if steps {
            lines.extend(told(table, row));
        }
    }
    lines.join("\n") + "\n"
}

fn counted(faults: usize) -> String {
    let noun = if faults == 1 { "fault" } else { "faults" };
    format!("{faults} {noun}")
}

/// A line for each profile: how often each outcome.
fn summary(table: &Table) -> Vec<String> {
    let width = table.profiles.iter().map(String::len).max().unwrap_or(0);
    let heads = [
        "recovers",
        "needless full",
        "loses data",
        "endless",
        "gives up",
        "+",
    ];
    let outcomes = [
        Outcome::Recovers,
        Outcome::NeedlessFull,
        Outcome::LosesData,
        Outcome::Loops,
        Outcome::GivesUp,
    ];
    let mut lines = vec![
        format!("{:width$}  {}", "", heads.join("  "))
            .trim_end()
            .to_owned(),
    ];
    for (number, name) in table.profiles.iter().enumerate() {
        let count = |outcome| {
            let column = table.column(number);
            column.filter(|played| played.outcome == outcome).count()
        };
        let left = table
            .column(number)
            .filter(|played| !played.debris.is_empty());
        let counts = outcomes.into_iter().map(count).chain([left.count()]);
        let cells = counts.zip(heads).map(|(count, head)| {
            let cell_width = head.len();
            format!("{count:>cell_width$}")
        });
        let cells: Vec<String> = cells.collect();
        lines.push(format!("{name:width$}  {}", cells.join("  ")));
    }
    lines
}

fn line(row: &Row, name: &str, columns: usize) -> String {
    let letters: String = row.played.iter().map(Played::letters).collect();
    let code = row.code_text();
    let room = WIDTH.saturating_sub(columns * 2 + 3 + code.len());
    let name = if name.chars().count() > room {
        let cut: String = name.chars().take(room.saturating_sub(1)).collect();
        format!("{cut}…")
    } else {
        name.to_owned()
    };
    format!("{letters}  {name} {code}")
}

/// What each client did.
fn told(table: &Table, row: &Row) -> Vec<String> {
    let mut lines = vec![format!("    the judge decides {}", row.decision)];
    for (name, played) in table.profiles.iter().zip(&row.played) {
        lines.push(format!("    {name}: {}", played.word()));
        let left = played.debris.iter().map(|what| format!("leaves {what}"));
        for step in played.steps.iter().cloned().chain(left) {
            let wrapped = textwrap::wrap(&step, WIDTH - 8);
            lines.extend(wrapped.iter().map(|line| format!("        {line}")));
        }
    }
    lines
}

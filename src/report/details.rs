//! What went wrong in a scenario, in the words that all reports share.

use crate::run::{Finished, Outcome, Summary};
use crate::snapshot::Difference;
use crate::verdict::Check;

/// One line about a scenario.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Detail {
    pub(super) text: String,
    pub(super) tone: Tone,
}

/// Which side of a difference a line is from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Tone {
    /// Neither.
    Plain,
    /// The recorded one.
    Recorded,
    /// What happened.
    Happened,
}

/// Everything that is to be said about an outcome; nothing where it went well.
pub(super) fn details(finished: &Finished) -> Vec<Detail> {
    let mut lines = Vec::new();
    match &finished.outcome {
        Outcome::Passed | Outcome::Interrupted => {}
        Outcome::Failed(failure) => {
            for check in &failure.checks {
                add_check(&mut lines, check);
            }
            if let Some(difference) = &failure.difference {
                add_difference(&mut lines, &finished.name, difference);
            }
        }
        Outcome::Crashed(crash) => add_text(&mut lines, &crash.to_string()),
        Outcome::TimedOut { .. } | Outcome::UnexpectedPass { .. } => {
            add(&mut lines, finished.outcome.gist());
        }
        Outcome::Broken { reason, .. } | Outcome::Skipped { reason } => {
            add_text(&mut lines, reason);
        }
    }
    lines
}

/// The details as one text.
pub(super) fn detail_text(finished: &Finished) -> String {
    let lines: Vec<String> = details(finished)
        .into_iter()
        .map(|detail| detail.text.trim_end().to_owned())
        .collect();
    lines.join("\n")
}

/// What is to be said of a run of which nobody wrote the end; `None` where all is there.
pub(super) fn cut(selected: usize, summary: &Summary) -> Option<String> {
    let there = summary.total();
    (there < selected).then(|| {
        format!(
            "the run did not get to its end: {there} of {selected} scenarios are here, and \
             nothing is known of the others"
        )
    })
}

/// The text without its line breaks.
pub(super) fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join(" ").trim().to_owned()
}

/// What a terminal would take for a command is shown as what it is: no text.
fn add(lines: &mut Vec<Detail>, text: impl AsRef<str>) {
    let is_command = |c: char| c.is_control() && c != '\t';
    lines.push(Detail {
        text: text.as_ref().replace(is_command, "\u{FFFD}"),
        tone: Tone::Plain,
    });
}

fn add_text(lines: &mut Vec<Detail>, text: &str) {
    text.lines().for_each(|line| add(lines, line));
}

fn add_check(lines: &mut Vec<Detail>, check: &Check) {
    add(lines, format!("{}:", check.what));
    add(lines, format!("  expected  {}", one_line(&check.expected)));
    add(lines, format!("  found     {}", one_line(&check.found)));
}

fn add_difference(lines: &mut Vec<Detail>, name: &str, difference: &Difference) {
    match difference {
        Difference::NotRecorded => add(
            lines,
            format!("no snapshot was recorded; on real libvirt: backup-tck bless {name}"),
        ),
        Difference::Unreadable => add(
            lines,
            format!(
                "the snapshot has no head, so it is no snapshot: look at snapshots/{name}.snap"
            ),
        ),
        Difference::Lines(changed) => {
            add(
                lines,
                "the transcript differs from its snapshot (- recorded, + this run):",
            );
            lines.extend(changed.iter().map(|line| Detail {
                text: line.clone(),
                tone: match line.chars().next() {
                    Some('-') => Tone::Recorded,
                    Some('+') => Tone::Happened,
                    Some(_) | None => Tone::Plain,
                },
            }));
        }
    }
}

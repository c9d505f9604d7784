//! Two compared runs as a person reads them.

use console::Style as Colour;
use similar::{ChangeTag, TextDiff};

use crate::record::{Change, Compared, Comparison, Side, Verdict};
use crate::report::details::one_line;
use crate::report::forced;

/// The comparison as text: what matters most comes first.
#[must_use]
pub fn text(comparison: &Comparison, names: [&str; 2], colour: bool) -> String {
    let mut page = Page {
        text: String::new(),
        colour,
    };
    page.line(&format!("A  {}: {}", names[0], side(&comparison.a)));
    page.line(&format!("B  {}: {}", names[1], side(&comparison.b)));
    for verdict in Verdict::ALL {
        for compared in comparison.of(verdict) {
            page.compared(compared);
        }
    }
    page.line(&summary(comparison));
    page.text
}

/// Who answered, and how far the run got.
pub(super) fn side(side: &Side) -> String {
    let Side {
        driver,
        identity,
        scenarios,
        whole,
    } = side;
    let noun = if *scenarios == 1 {
        "scenario"
    } else {
        "scenarios"
    };
    let who = identity
        .as_ref()
        .map(|identity| format!(", {identity}"))
        .unwrap_or_default();
    let end = if *whole { "" } else { ", not to its end" };
    format!("{scenarios} {noun} on {driver}{who}{end}")
}

/// The verdicts, counted.
pub(super) fn summary(comparison: &Comparison) -> String {
    let counts = Verdict::ALL
        .into_iter()
        .map(|verdict| (comparison.of(verdict).count(), verdict))
        .filter(|(count, _)| *count > 0)
        .map(|(count, verdict)| format!("{count} {}", verdict.words()));
    let mut counts: Vec<String> = counts.collect();
    counts.push(format!("{} the same", comparison.same));
    counts.join(", ")
}

/// Both outcomes, or the one that there is.
pub(super) fn outcomes(compared: &Compared) -> String {
    let word = |word: &Option<String>| word.clone().unwrap_or_else(|| "not there".to_owned());
    if compared.a == compared.b {
        word(&compared.b)
    } else {
        format!("{} -> {}", word(&compared.a), word(&compared.b))
    }
}

/// A change in lines, and which side each is from.
pub(super) fn change_lines(change: &Change) -> Vec<(ChangeTag, String)> {
    let Change { field, a, b, .. } = change;
    let is_long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains('\n'));
    let mut lines = Vec::new();
    match (a, b) {
        (Some(_), None) if field == Change::WHOLE_STEP => {
            lines.push((ChangeTag::Delete, "- only in A".to_owned()));
        }
        (None, Some(_)) if field == Change::WHOLE_STEP => {
            lines.push((ChangeTag::Insert, "+ only in B".to_owned()));
        }
        (Some(a), Some(b)) if is_long(&change.a) || is_long(&change.b) => {
            lines.push((ChangeTag::Equal, format!("{field}:")));
            for hunk in TextDiff::from_lines(a, b)
                .unified_diff()
                .context_radius(1)
                .iter_hunks()
            {
                for part in hunk.iter_changes() {
                    let text = format!("  {} {}", part.tag(), part.value().trim_end());
                    lines.push((part.tag(), text));
                }
            }
        }
        (a, b) => {
            for (tag, value) in [(ChangeTag::Delete, a), (ChangeTag::Insert, b)] {
                if let Some(value) = value {
                    lines.push((tag, format!("{tag} {field}  {}", one_line(value))));
                }
            }
        }
    }
    lines
}

struct Page {
    text: String,
    colour: bool,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn compared(&mut self, compared: &Compared) {
        let Compared {
            name,
            verdict,
            why,
            changes,
            ..
        } = compared;
        let words = if verdict.is_regression() {
            verdict.words().to_uppercase()
        } else {
            verdict.words().to_owned()
        };
        let words = self.painted(*verdict, &words);
        self.line(&format!("{words}  {name}  ({})", outcomes(compared)));
        if let Some(why) = why {
            self.line(&format!("    {why}"));
        }
        let mut step = "";
        for change in changes {
            if change.step != step {
                step = &change.step;
                self.line(&format!("    {step}"));
            }
            for (tag, line) in change_lines(change) {
                let line = match (self.colour, tag) {
                    (true, ChangeTag::Delete) => forced(Colour::new().red(), &line),
                    (true, ChangeTag::Insert) => forced(Colour::new().green(), &line),
                    (true, ChangeTag::Equal) | (false, _) => line,
                };
                self.line(&format!("      {line}"));
            }
        }
    }

    fn painted(&self, verdict: Verdict, words: &str) -> String {
        let colour = match verdict {
            _ if !self.colour => return words.to_owned(),
            Verdict::NewFailure | Verdict::FailsDifferently | Verdict::Changed => {
                Colour::new().red().bold()
            }
            Verdict::StillFailing | Verdict::OnlyInA | Verdict::OnlyInB => Colour::new().yellow(),
            Verdict::Fixed => Colour::new().green(),
        };
        forced(colour, words)
    }
}

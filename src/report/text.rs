//! The run as a person reads it: one line a scenario, details below what went wrong.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Duration;

use console::Style as Colour;
use indicatif::{ProgressBar, ProgressStyle};

use super::Report;
use super::details::{Detail, Tone, details};
use crate::run::{Event, Finished, Origin, Outcome, Summary};

/// How the text looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Colours.
    pub colour: bool,
    /// A line that shows what is running now; needs a terminal.
    pub live: bool,
}

/// Writes a run as text.
pub struct Text<W> {
    out: W,
    style: Style,
    bar: Option<ProgressBar>,
    running: BTreeSet<String>,
    /// The first error of writing; later ones say the same.
    broken: Option<io::Error>,
}

const WORD_WIDTH: usize = 8;
const NAME_WIDTH: usize = 54;

impl<W: Write> Text<W> {
    /// Writes to `out`.
    pub const fn new(out: W, style: Style) -> Self {
        Self {
            out,
            style,
            bar: None,
            running: BTreeSet::new(),
            broken: None,
        }
    }

    fn line(&mut self, line: &str) {
        let mut write = || writeln!(self.out, "{}", line.trim_end());
        let written = match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        };
        if let Err(error) = written
            && self.broken.is_none()
        {
            self.broken = Some(error);
        }
    }

    fn start(&mut self, driver: &str, scenarios: usize, jobs: usize, suite: Origin) {
        let noun = if scenarios == 1 {
            "scenario"
        } else {
            "scenarios"
        };
        let of = match suite {
            Origin::Folder => "",
            Origin::Embedded => " of the suite inside this binary",
        };
        self.line(&format!(
            "{scenarios} {noun}{of} on {driver}, {jobs} at a time"
        ));
        if self.style.live {
            let bar = ProgressBar::new(scenarios as u64);
            let look = ProgressStyle::with_template("{spinner} {pos}/{len}  {wide_msg}  {elapsed}");
            if let Ok(look) = look {
                bar.set_style(look);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            self.bar = Some(bar);
        }
    }

    fn show_running(&self) {
        if let Some(bar) = &self.bar {
            let names: Vec<&str> = self.running.iter().map(String::as_str).collect();
            bar.set_message(names.join("  "));
        }
    }

    fn finished(&mut self, finished: &Finished) {
        let Finished {
            name,
            outcome,
            duration,
            ..
        } = finished;
        let word = format!("{:<WORD_WIDTH$}", emphasised(outcome));
        // A long word takes room of the name, so that the times stay below each other.
        let room = (WORD_WIDTH + NAME_WIDTH).saturating_sub(word.len());
        let word = self.painted(outcome, &word);
        self.line(&format!(
            "{word}  {name:<room$}  {:>6.2} s",
            duration.as_secs_f64()
        ));
        for Detail { text, tone } in details(finished) {
            let text = match (self.style.colour, tone) {
                (true, Tone::Recorded) => forced(Colour::new().red(), &text),
                (true, Tone::Happened) => forced(Colour::new().green(), &text),
                (true, Tone::Plain) | (false, _) => text,
            };
            self.line(&format!("          {text}"));
        }
    }

    fn summary(&mut self, summary: &Summary) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if summary.not_run > 0 {
            self.line("stopped after the first that ended badly (--fail-fast)");
        }
        let seconds = summary.duration.as_secs_f64();
        self.line(&format!("{summary}  in {seconds:.2} s"));
    }

    fn painted(&self, outcome: &Outcome, word: &str) -> String {
        if !self.style.colour {
            return word.to_owned();
        }
        let colour = match outcome {
            Outcome::Passed => Colour::new().green(),
            Outcome::Skipped { .. } => Colour::new().yellow(),
            Outcome::Failed(_)
            | Outcome::Crashed(_)
            | Outcome::TimedOut { .. }
            | Outcome::UnexpectedPass { .. }
            | Outcome::Broken { .. }
            | Outcome::Interrupted => Colour::new().red().bold(),
        };
        forced(colour, word)
    }
}

/// What is bad stands out without colour too.
fn emphasised(outcome: &Outcome) -> String {
    if outcome.is_bad() {
        outcome.word().to_uppercase()
    } else {
        outcome.word().to_owned()
    }
}

/// Colour was decided by the caller, not by what the library thinks of the terminal.
pub(super) fn forced(colour: Colour, text: &str) -> String {
    colour.force_styling(true).apply_to(text).to_string()
}

impl<W: Write> Report for Text<W> {
    fn consume(&mut self, event: &Event) {
        match event {
            Event::Started {
                driver,
                scenarios,
                jobs,
                suite,
            } => self.start(driver, *scenarios, *jobs, *suite),
            Event::Identified(identity) => self.line(&format!("answered by {identity}")),
            Event::ScenarioStarted { name } => {
                self.running.insert(name.clone());
                self.show_running();
            }
            Event::ScenarioFinished(finished) => {
                self.running.remove(&finished.name);
                if let Some(bar) = &self.bar {
                    bar.inc(1);
                }
                self.show_running();
                self.finished(finished);
            }
            Event::Finished(summary) => self.summary(summary),
        }
    }

    fn close(&mut self) -> io::Result<()> {
        self.broken.take().map_or(Ok(()), Err)
    }
}

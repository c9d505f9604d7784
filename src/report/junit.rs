//! The run as JUnit XML, as Jenkins' xUnit plugin, GitLab and most other servers read it.
//!
//! A suite for each area. What libvirt answered otherwise is a `failure`; what broke, crashed or
//! did not end is an `error`; what did not run is `skipped`. Written when the run has ended, also
//! when it was interrupted.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event as Xml};

use super::Report;
use super::details::{cut, detail_text};
use crate::model::Identity;
use crate::run::{Event, Finished, Outcome, Summary};

/// Writes a run as JUnit XML.
#[derive(Debug)]
pub struct Junit<W> {
    out: W,
    driver: String,
    selected: usize,
    identity: Option<Identity>,
    /// By area, then by name.
    areas: BTreeMap<String, BTreeMap<String, Case>>,
    duration: Duration,
}

/// A test case, without the transcript that its event had.
#[derive(Debug)]
struct Case {
    duration: Duration,
    /// `None` where all is well.
    mark: Option<Mark>,
}

#[derive(Debug)]
struct Mark {
    kind: Kind,
    /// The outcome in one word.
    word: &'static str,
    /// In one line.
    message: String,
    /// In full.
    body: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Failure,
    Error,
    Skipped,
}

impl<W: Write> Junit<W> {
    /// Writes to `out`, once, when it is closed.
    pub const fn new(out: W) -> Self {
        Self {
            out,
            driver: String::new(),
            selected: 0,
            identity: None,
            areas: BTreeMap::new(),
            duration: Duration::ZERO,
        }
    }

    fn take(&mut self, finished: &Finished) {
        let (area, name) = finished
            .name
            .split_once('/')
            .unwrap_or(("", &finished.name));
        let case = Case {
            duration: finished.duration,
            mark: mark(finished, &self.driver),
        };
        let cases = self.areas.entry(area.to_owned()).or_default();
        cases.insert(name.to_owned(), case);
    }

    /// A server counts tests, so what is missing is one.
    fn end(&mut self, summary: &Summary) {
        self.duration = summary.duration;
        if let Some(message) = cut(self.selected, summary) {
            let mark = Mark {
                kind: Kind::Error,
                word: "cut-off",
                body: format!("\n{message}\n"),
                message,
            };
            let case = Case {
                duration: Duration::ZERO,
                mark: Some(mark),
            };
            let cases = self.areas.entry("backup-tck".to_owned()).or_default();
            cases.insert("the run gets to its end".to_owned(), case);
        }
    }

    fn document(&self) -> io::Result<Vec<u8>> {
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        writer.write_event(Xml::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let all = || self.areas.values().flat_map(BTreeMap::values);
        let counts = Counts::of(all());
        let time = seconds(self.duration);
        let root = writer.create_element("testsuites").with_attributes([
            ("name", "backup-tck"),
            ("tests", &counts.tests),
            ("failures", &counts.failures),
            ("errors", &counts.errors),
            ("time", &time),
        ]);
        root.write_inner_content(|writer| {
            self.areas
                .iter()
                .try_for_each(|(area, cases)| self.suite(writer, area, cases))
        })?;
        let mut document = writer.into_inner();
        document.push(b'\n');
        Ok(document)
    }

    fn suite(
        &self,
        writer: &mut Writer<Vec<u8>>,
        area: &str,
        cases: &BTreeMap<String, Case>,
    ) -> io::Result<()> {
        let counts = Counts::of(cases.values());
        let time = seconds(cases.values().map(|case| case.duration).sum());
        let suite = writer.create_element("testsuite").with_attributes([
            ("name", area),
            ("tests", &counts.tests),
            ("failures", &counts.failures),
            ("errors", &counts.errors),
            ("skipped", &counts.skipped),
            ("time", &time),
        ]);
        suite.write_inner_content(|writer| {
            self.properties(writer)?;
            cases
                .iter()
                .try_for_each(|(name, case)| write_case(writer, area, name, case))
        })?;
        Ok(())
    }

    fn properties(&self, writer: &mut Writer<Vec<u8>>) -> io::Result<()> {
        let mut properties = vec![("driver", self.driver.clone())];
        if let Some(identity) = &self.identity {
            properties.push(("libvirt", identity.libvirt.to_string()));
            properties.push(("qemu", identity.qemu.clone()));
            properties.push(("real", identity.real.to_string()));
        }
        let element = writer.create_element("properties");
        element.write_inner_content(|writer| {
            for (name, value) in &properties {
                let element = writer.create_element("property");
                let attributes = [("name", *name), ("value", value)];
                element.with_attributes(attributes).write_empty()?;
            }
            Ok(())
        })?;
        Ok(())
    }
}

impl<W: Write> Report for Junit<W> {
    fn consume(&mut self, event: &Event) {
        match event {
            Event::Started {
                driver, scenarios, ..
            } => {
                self.driver.clone_from(driver);
                self.selected = *scenarios;
            }
            Event::Identified(identity) => self.identity = Some(identity.clone()),
            Event::ScenarioStarted { .. } => {}
            Event::ScenarioFinished(finished) => self.take(finished),
            Event::Finished(summary) => self.end(summary),
        }
    }

    fn close(&mut self) -> io::Result<()> {
        let document = self.document()?;
        self.out.write_all(&document)?;
        self.out.flush()
    }
}

fn mark(finished: &Finished, driver: &str) -> Option<Mark> {
    let kind = match &finished.outcome {
        Outcome::Passed => return None,
        Outcome::Failed(_) | Outcome::UnexpectedPass { .. } => Kind::Failure,
        Outcome::Crashed(_) | Outcome::TimedOut { .. } | Outcome::Broken { .. } => Kind::Error,
        Outcome::Skipped { .. } | Outcome::Interrupted => Kind::Skipped,
    };
    let again = format!("backup-tck run {} --driver {driver}", finished.name);
    Some(Mark {
        kind,
        word: finished.outcome.word(),
        message: clean(&finished.outcome.gist()),
        body: clean(&format!("\n{}\n\nagain: {again}\n", detail_text(finished))),
    })
}

fn write_case(writer: &mut Writer<Vec<u8>>, area: &str, name: &str, case: &Case) -> io::Result<()> {
    let time = seconds(case.duration);
    let element = writer.create_element("testcase").with_attributes([
        ("name", name),
        ("classname", area),
        ("time", &time),
    ]);
    let Some(mark) = &case.mark else {
        element.write_empty()?;
        return Ok(());
    };
    element.write_inner_content(|writer| {
        let (tag, attributes) = match mark.kind {
            Kind::Failure => (
                "failure",
                vec![("message", &*mark.message), ("type", mark.word)],
            ),
            Kind::Error => (
                "error",
                vec![("message", &*mark.message), ("type", mark.word)],
            ),
            Kind::Skipped => ("skipped", vec![("message", &*mark.message)]),
        };
        let element = writer.create_element(tag).with_attributes(attributes);
        if mark.kind == Kind::Skipped {
            element.write_empty()?;
        } else {
            element.write_text_content(BytesText::new(&mark.body))?;
        }
        Ok(())
    })?;
    Ok(())
}

struct Counts {
    tests: String,
    failures: String,
    errors: String,
    skipped: String,
}

impl Counts {
    fn of<'a>(cases: impl Iterator<Item = &'a Case>) -> Self {
        let cases: Vec<&Case> = cases.collect();
        let count = |kind| {
            let marks = cases.iter().filter_map(|case| case.mark.as_ref());
            marks.filter(|mark| mark.kind == kind).count().to_string()
        };
        Self {
            tests: cases.len().to_string(),
            failures: count(Kind::Failure),
            errors: count(Kind::Error),
            skipped: count(Kind::Skipped),
        }
    }
}

/// The schema wants at most three decimals.
fn seconds(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64())
}

/// XML 1.0 has no form at all for most control characters.
fn clean(text: &str) -> String {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    text.chars()
        .map(|c| if allowed(c) { c } else { '\u{FFFD}' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(
            clean("a\u{1b}[0mb\0\u{FFFF}\té\n"),
            "a\u{FFFD}[0mb\u{FFFD}\u{FFFD}\té\n"
        );
    }
}

//! A whole scenario as a script.

use std::fmt::Write as _;

use super::host::Lines;
use super::parts::{beginning, head, state};
use super::quote::Names;
use super::unlike::why_unlike;
use super::virsh::virsh_words;
use crate::model::{Answer, Call, LibvirtError, Place};
use crate::plan::{Operation, PlannedCall};
use crate::run::{Rehearsal, Rehearsed};
use crate::scenario::Scenario;
use crate::transcript::{Exchange, Redactions, without_diagnosis};

/// Why there is no script of a scenario: a step that has no plain command.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the step `{step}` has no plain command: {why}")]
pub struct NoScript {
    /// The step as transcripts name it.
    pub step: String,
    /// Why not.
    pub why: String,
}

/// The script of a scenario that was played somewhere, for `sh`.
///
/// # Errors
/// The first step that has no plain command.
pub fn script(name: &str, scenario: &Scenario, rehearsal: &Rehearsal) -> Result<String, NoScript> {
    let lines = Lines {
        names: Names::of(&rehearsal.place),
        disks: &rehearsal.disks,
    };
    let mut writer = Writer {
        lines: &lines,
        documents: 0,
        body: String::new(),
    };
    writer.title("Images and the domain.");
    for step in &rehearsal.setup {
        writer.step(step)?;
    }
    writer.title("What happens before.");
    for step in &rehearsal.history {
        writer.step(step)?;
    }
    writer.call_under_test(rehearsal)?;
    let Writer { body, .. } = writer;
    Ok(head(name, scenario) + &beginning(&rehearsal.place, &body) + &body)
}

struct Writer<'a> {
    lines: &'a Lines<'a>,
    documents: u32,
    body: String,
}

impl Writer<'_> {
    fn title(&mut self, text: &str) {
        let _ = writeln!(self.body, "\n# {text}");
    }

    /// A step that must not fail.
    fn step(&mut self, Rehearsed { step, records }: &Rehearsed) -> Result<(), NoScript> {
        let names = &self.lines.names;
        let _ = writeln!(self.body, "step={}", names.quoted(&step.label));
        for record in records {
            let lines = match (&step.operation, &record.exchange) {
                (Operation::Call(planned), Exchange::Call { call, .. }) => {
                    let mut command = self.command(&step.label, planned, call)?;
                    if let Some(kept) = &planned.keep_as {
                        let _ = write!(command, " >\"$dir\"/{}.dump", names.word(kept));
                    }
                    command_lines(&command, planned)
                }
                (_, Exchange::Call { call, .. }) => {
                    let planned = PlannedCall::literal(call.clone());
                    let command = self.command(&step.label, &planned, call)?;
                    command_lines(&command, &planned)
                }
                (_, Exchange::Action { action, .. }) => {
                    let lines = self.lines.action(action);
                    lines.map_err(|why| no_script(&step.label, why))?
                }
            };
            self.body.push_str(&lines);
        }
        Ok(())
    }

    fn call_under_test(&mut self, rehearsal: &Rehearsal) -> Result<(), NoScript> {
        let Rehearsed { step, records } = &rehearsal.when;
        let label = &step.label;
        let called = records.iter().find_map(|record| match &record.exchange {
            Exchange::Call { call, answer } => Some((call, answer)),
            Exchange::Action { .. } => None,
        });
        let (Operation::Call(planned), Some((call, answer))) = (&step.operation, called) else {
            return Err(no_script(label, "it is no call of libvirt".to_owned()));
        };
        if let Some(why) = why_unlike(rehearsal, call, answer) {
            return Err(no_script(label, why.to_owned()));
        }
        let who = format!("libvirt {}", rehearsal.identity.libvirt);
        let told = match answer {
            Answer::Returned(_) => "succeeds".to_owned(),
            Answer::Refused(error) => format!("is refused with {}", code_of(error)),
        };
        self.title(&format!("The call under test. On {who} it {told}."));
        self.body.push_str("step=\n");
        let command = self.command(label, planned, call)?;
        let names = &self.lines.names;
        let _ = writeln!(
            self.body,
            "echo {}\ncode=0\n\
             answer=$({command} 2>&1) || code=$?\nprintf '%s\\n' \"$answer\"",
            names.quoted(&format!("== {label}"))
        );
        self.body.push_str(&state(self.lines));
        let condition = match answer {
            Answer::Returned(_) => "case $code in\n0)".to_owned(),
            Answer::Refused(error) => {
                let message = pattern(error, &rehearsal.place, names);
                format!("case $code,$answer in\n[!0]*,{message})")
            }
        };
        let _ = write!(
            self.body,
            "\necho '== verdict'\n{condition} echo 'as on {who}: it {told}' ;;\n\
             *) echo 'otherwise than on {who}, where it {told}' && exit 1 ;;\nesac\n"
        );
        Ok(())
    }

    /// The command of a call, behind the lines that it needs.
    fn command(
        &mut self,
        label: &str,
        planned: &PlannedCall,
        call: &Call,
    ) -> Result<String, NoScript> {
        let mut before = String::new();
        let words = virsh_words(call, |text| {
            self.documents += 1;
            let file = format!("$dir/{}.xml", self.documents);
            before += &match &planned.xml_from {
                Some(from) => self.edited(from, &planned.edits, &file),
                None => self.lines.names.document(text, &file),
            };
            Ok(format!("\0{file}"))
        });
        let words = words.map_err(|why| no_script(label, why))?;
        self.body.push_str(&before);
        let words = words.iter().map(|word| match word.strip_prefix('\0') {
            Some(file) => format!("\"{file}\""),
            None => self.lines.names.word(word),
        });
        let words: Vec<String> = words.collect();
        let read_only = if call.read_only { " -r" } else { "" };
        Ok(format!("virsh{read_only} {}", words.join(" ")))
    }

    /// An earlier dump, edited, as a document.
    fn edited(&self, from: &str, edits: &[(String, String)], file: &str) -> String {
        let dump = format!("\"$dir\"/{}.dump", self.lines.names.word(from));
        if edits.is_empty() {
            return format!("cp {dump} \"{file}\"\n");
        }
        let expressions = edits.iter().map(|(replaced, by)| {
            let expression = format!("s|{}|{}|g", searched(replaced), put(by));
            format!("-e {}", self.lines.names.word(&expression))
        });
        let expressions: Vec<String> = expressions.collect();
        format!("sed {} {dump} >\"{file}\"\n", expressions.join(" "))
    }
}

/// A call before the one under test: it must succeed, or be refused where that is what happens.
fn command_lines(command: &str, planned: &PlannedCall) -> String {
    match planned.refused {
        None => format!("{command}\n"),
        Some(code) => format!("! {command} || exit 2 # refused with {code}\n"),
    }
}

/// What of a message does not differ from run to run, as a pattern of `case`.
fn pattern(error: &LibvirtError, place: &Place, names: &Names) -> String {
    // The words for names that the script knows become these again.
    let known = |text: String| {
        let pairs = [
            ("[DIR]", &place.directory),
            ("[UUID]", &place.uuid),
            ("[DOMAIN]", &place.domain),
            ("[EMULATOR]", &place.emulator),
        ];
        let put = |text: String, (word, known): (&str, &String)| text.replace(word, known);
        pairs.into_iter().fold(text, put)
    };
    let message = without_diagnosis(error.clone()).message;
    let mut text = Redactions::of(place).apply(message.trim());
    for (number, port) in (1..).zip(&place.ports) {
        text = text.replace(&format!("[PORT{number}]"), &port.to_string());
    }
    let text = known(text);
    // What has no name here may be anything.
    let unknown = [
        "[...]",
        "[TLS]",
        "[NODE]",
        "[TIME]",
        "[SCHEMAS]",
        "[LINE]",
        "[LIBXML2]",
    ];
    let parts = unknown
        .iter()
        .fold(text, |text, word| text.replace(word, ANYTHING));
    let parts = parts.split(ANYTHING).filter(|part| !part.is_empty());
    let parts: Vec<String> = parts.map(|part| names.quoted(part)).collect();
    format!("*{}*", parts.join("*"))
}

/// Stands between two parts of a message; no message holds it.
const ANYTHING: &str = "\0";

fn code_of(error: &LibvirtError) -> String {
    let code = error.code;
    let name = code.name().unwrap_or("no name");
    format!("{} {name}", code.0)
}

fn no_script(step: &str, why: String) -> NoScript {
    NoScript {
        step: step.to_owned(),
        why,
    }
}

/// A text that `sed` looks for as it is.
fn searched(text: &str) -> String {
    escaped(text, "\\|.*[]^$")
}

/// A text that `sed` puts as it is.
fn put(text: &str) -> String {
    escaped(text, "\\|&")
}

fn escaped(text: &str, special: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '\n' {
            escaped.push_str("\\n");
            continue;
        }
        if special.contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

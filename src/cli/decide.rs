//! `decide`: what a client does after an error, for programs in any language.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::exit_code::ExitCode;
use super::output::{fail, print, written};
use crate::explain::judgement_text;
use crate::judge::{Facts, Judgement, answer_schema, decide, facts_schema};

/// What follows the arguments in the command's help.
pub(super) const EXAMPLES: &str = "\
Examples:
  backup-tck decide < facts.json
  backup-tck decide --format text facts.json   the same in words
  backup-tck decide --lines                    one document a line, until the end
  backup-tck decide --schema facts > facts.schema.json

The smallest facts, of a backup that failed:
  { \"api\": \"virDomainBackupBegin\",
    \"error\": { \"code\": 109, \"domain\": 10 },
    \"request\": { \"disks\": [ { \"disk\": \"vda\", \"base\": \"monday\" } ] } }

The answer is { \"need\": { \"probe\": ... } } or { \"decided\": { ... } }.
Put what a probe tells into \"observed\", and ask again; how each is asked, and
where its answer goes: backup-tck explain domain-state, and the like.

Exits with 0 where every document has got an answer, and with 2 where one is
not in the form; all exit codes: backup-tck --help";

#[derive(Args, Debug)]
pub(super) struct DecideArgs {
    /// File with the facts as JSON; standard input where none is given
    file: Option<PathBuf>,

    /// Read one document a line, and answer each with a line at once
    #[arg(long, conflicts_with = "format")]
    lines: bool,

    /// How the answer looks
    #[arg(long, value_enum, default_value = "json", hide_possible_values = true)]
    format: Format,

    /// Print the JSON Schema of the facts, or of the answer
    #[arg(long, value_name = "OF", conflicts_with_all = ["file", "lines", "format"])]
    schema: Option<Document>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Format {
    /// JSON, for programs
    Json,
    /// Words, for people
    Text,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Document {
    /// What the command reads
    Facts,
    /// What it writes
    Answer,
}

pub(super) fn execute(args: &DecideArgs) -> Result<ExitCode, ExitCode> {
    match args.schema {
        Some(Document::Facts) => return Ok(print(&facts_schema())),
        Some(Document::Answer) => return Ok(print(&answer_schema())),
        None => {}
    }
    let from = args.file.as_ref();
    let from = from.map_or_else(
        || "standard input".to_owned(),
        |file| file.display().to_string(),
    );
    if args.file.is_none() && io::stdin().is_terminal() {
        let reason =
            "the facts are read from standard input or a file; see: backup-tck decide --help";
        return Err(fail(ExitCode::Usage, reason));
    }
    let unreadable = |error: io::Error| {
        let reason = format!("cannot read the facts from {from}: {error}");
        fail(ExitCode::Usage, &reason)
    };
    let input: Box<dyn Read> = match &args.file {
        Some(file) => Box::new(fs::File::open(file).map_err(unreadable)?),
        None => Box::new(io::stdin()),
    };
    if args.lines {
        return answer_lines(io::BufReader::new(input), &from);
    }
    let mut text = String::new();
    io::BufReader::new(input)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    let facts = read(&text).map_err(|reason| fail(ExitCode::Usage, &told(&from, &reason)))?;
    let judgement = decide(&facts);
    Ok(print(&match args.format {
        Format::Json => pretty(&judgement),
        Format::Text => judgement_text(&judgement),
    }))
}

/// Answers each line, so that one process serves a client for as long as it runs. A line that is not
/// in the form is answered as well, or the answers would not belong to their lines any more.
fn answer_lines(input: impl BufRead, from: &str) -> Result<ExitCode, ExitCode> {
    let mut code = ExitCode::Success;
    let mut out = io::stdout().lock();
    for (number, line) in (1..).zip(input.lines()) {
        let line = line.map_err(|error| {
            let reason = format!("cannot read line {number} of {from}: {error}");
            fail(ExitCode::Usage, &reason)
        })?;
        let answer = match read(&line) {
            Ok(facts) => compact(&decide(&facts)),
            Err(reason) => {
                let place = format!("line {number} of {from}");
                code = fail(ExitCode::Usage, &told(&place, &reason));
                compact(&Refused { error: reason })
            }
        };
        let result = writeln!(out, "{answer}").and_then(|()| out.flush());
        if result.is_err() {
            return Ok(written("standard output", result, code));
        }
    }
    Ok(code)
}

/// The answer to a line that is not in the form.
#[derive(Serialize)]
struct Refused {
    error: String,
}

/// The facts, or what is wrong with their form.
fn read(text: &str) -> Result<Facts, String> {
    if text.trim().is_empty() {
        return Err("there are no facts".to_owned());
    }
    let mut facts: Facts = serde_json::from_str(text).map_err(|error| error.to_string())?;
    // A document that is only about all disks of the domain says so by its formats.
    if let Some(formats) = &facts.observed.disk_formats {
        facts.request = facts.request.over(formats.keys().cloned());
    }
    Ok(facts)
}

fn told(place: &str, reason: &str) -> String {
    format!("{place}: {reason}\nthe form of the facts: backup-tck decide --schema facts")
}

fn pretty(answer: &Judgement) -> String {
    serde_json::to_string_pretty(answer).map_or_else(|error| error.to_string(), |text| text + "\n")
}

fn compact(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).unwrap_or_else(|error| error.to_string())
}

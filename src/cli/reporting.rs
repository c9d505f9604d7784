//! `--report` and `--record`: which reports of a run go where.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, LineWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;

use super::exit_code::ExitCode;
use super::output::{fail, written};
use crate::report::{Github, Jsonl, Junit, Markdown, Report, Style, Text, WholeFile};
use crate::run::Event;

/// Which reports.
#[derive(Args, Debug)]
pub(super) struct Reporting {
    /// Also report as FORMAT into FILE; without FILE on standard output, in place of the text.
    /// FORMAT is text, jsonl (JSON Lines), junit, github (annotations) or markdown. May be given
    /// several times
    #[arg(long = "report", value_name = "FORMAT[=FILE]")]
    reports: Vec<Target>,
}

/// Which reports, and whether the run is kept.
#[derive(Args, Debug)]
pub(super) struct Recording {
    #[command(flatten)]
    reporting: Reporting,

    /// Keep the whole run in FILE, for `replay` and `compare`; the same lines as --report
    /// jsonl=FILE
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

impl Reporting {
    /// The reports of what is read from `input`, one for each place; no file is touched yet.
    pub(super) fn targets_of(&self, input: &Path) -> Result<Vec<Target>, ExitCode> {
        let input = Place::File(input.to_owned());
        if self
            .reports
            .iter()
            .any(|target| target.place.is_also(&input))
        {
            let text = format!(
                "a report into {input} would replace the record that it is made from; name \
                 another file"
            );
            return Err(fail(ExitCode::Usage, &text));
        }
        planned(self.reports.clone())
    }
}

impl Recording {
    /// The reports that are wanted, one for each place; no file is touched yet.
    pub(super) fn targets(&self) -> Result<Vec<Target>, ExitCode> {
        let record = self.record.as_ref().map(|path| Target {
            format: Format::Jsonl,
            place: Place::File(path.clone()),
        });
        planned(
            self.reporting
                .reports
                .iter()
                .cloned()
                .chain(record)
                .collect(),
        )
    }
}

/// One report and where it goes.
#[derive(Clone, Debug)]
pub(super) struct Target {
    format: Format,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Format {
    Text,
    Jsonl,
    Junit,
    Github,
    Markdown,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Place {
    Stdout,
    Stderr,
    File(PathBuf),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, file) = match text.split_once('=') {
            Some((_, "")) => return Err("after `=` the name of a file is wanted".to_owned()),
            Some((format, file)) => (format, Some(file)),
            None => (text, None),
        };
        let format = match format {
            "text" => Format::Text,
            "jsonl" => Format::Jsonl,
            "junit" => Format::Junit,
            "github" => Format::Github,
            "markdown" => Format::Markdown,
            _ => {
                let known = "text, jsonl, junit, github, markdown";
                return Err(format!("unknown format `{format}`; there are: {known}"));
            }
        };
        // Opened anew, these would be cut to nothing where they are files.
        let place = match file {
            None | Some("/dev/stdout") => Place::Stdout,
            Some("/dev/stderr") => Place::Stderr,
            Some(file) => Place::File(PathBuf::from(file)),
        };
        Ok(Self { format, place })
    }
}

impl Place {
    /// Whether both are one file, however they are written.
    fn is_also(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(a), Self::File(b)) => a == b || is_one_file(a, b),
            (Self::Stdout, Self::Stdout) | (Self::Stderr, Self::Stderr) => true,
            (Self::Stdout | Self::Stderr | Self::File(_), _) => false,
        }
    }
}

/// Links and detours count as what they lead to. One that is not there yet lies in its folder.
fn is_one_file(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| {
        fs::canonicalize(path).or_else(|_| {
            let folder = match path.parent() {
                Some(folder) if folder != Path::new("") => folder,
                Some(_) | None => Path::new("."),
            };
            fs::canonicalize(folder).map(|folder| folder.join(path.file_name().unwrap_or_default()))
        })
    };
    // A device, such as /dev/null, takes whatever comes.
    let is_device = |path: &Path| fs::metadata(path).is_ok_and(|found| !found.is_file());
    match (real(a), real(b)) {
        (Ok(a), Ok(b)) => a == b && !is_device(&a),
        (Ok(_) | Err(_), _) => false,
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("standard output"),
            Self::Stderr => f.write_str("standard error"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Text goes to standard output unless something else does. Two reports in one place would make
/// both unreadable.
fn planned(mut targets: Vec<Target>) -> Result<Vec<Target>, ExitCode> {
    for (number, target) in targets.iter().enumerate() {
        if targets[..number]
            .iter()
            .any(|other| other.place.is_also(&target.place))
        {
            let text = format!(
                "two reports cannot share {}; send one to a file of its own: --report FORMAT=FILE",
                target.place
            );
            return Err(fail(ExitCode::Usage, &text));
        }
    }
    if !targets.iter().any(|target| target.place == Place::Stdout) {
        let (format, place) = (Format::Text, Place::Stdout);
        targets.insert(0, Target { format, place });
    }
    Ok(targets)
}

/// The reports of one run, open.
pub(super) struct Reports(Vec<(Place, Box<dyn Report>)>);

impl Reports {
    /// Opens every file, so that what cannot be written is told before the run; `style` is that
    /// of text on standard output, `suite` the folder of the scenarios.
    pub(super) fn open(targets: &[Target], style: Style, suite: &Path) -> Result<Self, ExitCode> {
        let opened = targets.iter().map(|Target { format, place }| {
            let report = open(*format, place, style, suite).map_err(|error| {
                let text = format!("cannot write to {place}: {error}; name another file");
                fail(ExitCode::Usage, &text)
            })?;
            Ok((place.clone(), report))
        });
        Ok(Self(opened.collect::<Result<_, ExitCode>>()?))
    }

    pub(super) fn consume(&mut self, event: &Event) {
        for (_, report) in &mut self.0 {
            report.consume(event);
        }
    }

    /// Writes what is left, and tells what could not be written; the exit code with that in mind.
    pub(super) fn close(&mut self, code: ExitCode) -> ExitCode {
        self.0.iter_mut().fold(code, |code, (place, report)| {
            written(&place.to_string(), report.close(), code)
        })
    }
}

fn open(format: Format, place: &Place, style: Style, suite: &Path) -> io::Result<Box<dyn Report>> {
    let stream = || -> io::Result<Box<dyn Write>> {
        Ok(match place {
            Place::Stdout => Box::new(io::stdout()),
            Place::Stderr => Box::new(io::stderr()),
            Place::File(path) => Box::new(File::create(path)?),
        })
    };
    let whole = || -> io::Result<Box<dyn Write>> {
        match place {
            Place::Stdout | Place::Stderr => stream(),
            Place::File(path) => Ok(Box::new(WholeFile::at(path)?)),
        }
    };
    Ok(match format {
        Format::Text if *place == Place::Stdout => Box::new(Text::new(stream()?, style)),
        Format::Text => Box::new(Text::new(LineWriter::new(stream()?), Style::default())),
        Format::Jsonl => Box::new(Jsonl::new(stream()?)),
        Format::Github => Box::new(Github::new(stream()?, suite)),
        Format::Junit => Box::new(Junit::new(whole()?)),
        Format::Markdown => Box::new(Markdown::new(whole()?)),
    })
}

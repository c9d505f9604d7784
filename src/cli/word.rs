//! Arguments that are words of the field.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};

use crate::model::{Decision, ErrorCode};
use crate::scenario::Need;

/// Reads a word of a closed set; a shell can complete it.
#[derive(Clone, Copy)]
pub(super) struct Word<T> {
    parse: fn(&str) -> Result<T, String>,
    known: fn() -> Vec<&'static str>,
}

/// An error code of libvirt: its name, its name without `VIR_ERR_`, or its number.
pub(super) const fn code() -> Word<ErrorCode> {
    Word {
        parse: parse_code,
        known: || ErrorCode::names().collect(),
    }
}

/// A decision.
pub(super) const fn decision() -> Word<Decision> {
    Word {
        parse: parse_decision,
        known: || Decision::ALL.map(Decision::as_str).to_vec(),
    }
}

/// Something that the host must offer.
pub(super) const fn need() -> Word<Need> {
    Word {
        parse: parse_need,
        known: || Need::ALL.map(Need::as_str).to_vec(),
    }
}

/// The name that is most like the wanted one.
pub(super) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let score = |name: &str| strsim::jaro_winkler(wanted, name);
    names.max_by(|a, b| score(a).total_cmp(&score(b)))
}

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Word<T> {
    type Value = T;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        // A function is a parser already.
        self.parse.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.known)().into_iter().map(PossibleValue::new)))
    }
}

fn parse_code(text: &str) -> Result<ErrorCode, String> {
    ErrorCode::meant_by(text).ok_or_else(|| {
        let short = |name: &'static str| name.trim_start_matches("VIR_ERR_");
        let wanted = text.to_uppercase();
        let wanted = wanted.trim_start_matches("VIR_ERR_");
        match nearest(wanted, ErrorCode::names().map(short)) {
            // Of numbers, none is like another.
            Some(name) if text.parse::<i64>().is_err() => {
                format!("no such code\ndid you mean VIR_ERR_{name}?")
            }
            Some(_) | None => "no such code\nsee: backup-tck explain --list".to_owned(),
        }
    })
}

fn parse_need(text: &str) -> Result<Need, String> {
    let known = Need::ALL.into_iter().find(|need| need.as_str() == text);
    known.ok_or_else(|| {
        let hint = nearest(text, Need::ALL.into_iter().map(Need::as_str));
        let hint = hint.map(|name| format!("\ndid you mean {name}?"));
        format!("no such need{}", hint.unwrap_or_default())
    })
}

fn parse_decision(text: &str) -> Result<Decision, String> {
    text.parse().map_err(|_| {
        let hint = nearest(text, Decision::ALL.into_iter().map(Decision::as_str));
        let hint = hint.map(|name| format!("\ndid you mean {name}?"));
        format!("no such decision{}", hint.unwrap_or_default())
    })
}

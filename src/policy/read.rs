//! Reading a profile from its text.

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::profile::{Base, Profile, Source};
use super::rule::{Act, CallWord, Rule};
use super::table::JUDGE;

/// A text is no profile.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{file}:{line}:{column}: {problem}")]
pub struct ProfileError {
    /// The file, as it is named in messages.
    pub file: String,
    /// The line, from 1; 0 where no place is known.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
    /// What is wrong, and the way out.
    pub problem: String,
}

/// A profile whose rules know where they stand.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Placed {
    name: Spanned<String>,
    about: String,
    #[serde(default)]
    sources: Vec<Source>,
    #[serde(default)]
    base: Base,
    #[serde(default)]
    binds_images: bool,
    #[serde(default)]
    before_incremental: Vec<Spanned<Act>>,
    rules: Spanned<Vec<Spanned<Rule>>>,
}

impl Profile {
    /// Reads a profile; `file` is only named in messages.
    ///
    /// # Errors
    /// The first problem of the text.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        let at = |place: Location, problem: String| ProfileError {
            file: file.to_owned(),
            line: place.line(),
            column: place.column(),
            problem,
        };
        let placed: Placed = serde_saphyr::from_str(text).map_err(|error| {
            let place = error.location().unwrap_or(Location::UNKNOWN);
            at(place, words(&error))
        })?;
        placed.check().map_err(|(place, text)| at(place, text))?;
        let (before, rules) = (placed.before_incremental, placed.rules.value);
        let (before, rules) = (before.into_iter(), rules.into_iter());
        Ok(Self {
            name: placed.name.value,
            about: placed.about,
            sources: placed.sources,
            base: placed.base,
            binds_images: placed.binds_images,
            before_incremental: before.map(|act| act.value).collect(),
            rules: rules.map(|rule| rule.value).collect(),
        })
    }
}

/// What the reader says, without the place and the excerpt, in the words of a profile's author.
fn words(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let first = text.lines().next().unwrap_or_default();
    let cut = first.find(" at line ").unwrap_or(first.len());
    let text = first[..cut].trim_start_matches("error: ");
    if let Some((wrong, known)) = unknown_word(text) {
        let score = |word: &str| strsim::jaro_winkler(wrong, word);
        let nearest = known.iter().max_by(|a, b| score(a).total_cmp(&score(b)));
        return match nearest.filter(|word| score(word) > 0.75) {
            Some(word) => format!("unknown word `{wrong}`; did you mean `{word}`?"),
            None => format!("unknown word `{wrong}`\nknown: {}", known.join(", ")),
        };
    }
    if text.contains("invalid u32") {
        return "a whole number is wanted".to_owned();
    }
    let cut = text.find("; use Option").unwrap_or(text.len());
    text[..cut].to_owned()
}

/// The word that a reader does not know, and those that it does.
fn unknown_word(text: &str) -> Option<(&str, Vec<&str>)> {
    let (wrong, known) = text.split_once("`, expected one of ")?;
    let (kind, wrong) = wrong.split_once('`')?;
    let is_unknown = ["unknown variant ", "unknown field "].contains(&kind);
    let known = known.split(", ").map(|word| word.trim_matches('`'));
    is_unknown.then(|| (wrong, known.collect()))
}

impl Placed {
    fn check(&self) -> Result<(), (Location, String)> {
        let problem = |place: Location, text: &str| Err((place, text.to_owned()));
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let name = &self.name.value;
        if name.is_empty() || !name.chars().all(is_plain) {
            let text = "a name is made of small letters, digits and dashes";
            return problem(self.name.referenced, text);
        }
        if name == JUDGE {
            let text = "this is the name of the column with the judge's own decision";
            return problem(self.name.referenced, text);
        }
        let Some((last, others)) = self.rules.value.split_last() else {
            return problem(self.rules.referenced, NO_DEFAULT);
        };
        for rule in &self.rules.value {
            rule.value
                .check()
                .map_err(|text| (rule.referenced, text.to_owned()))?;
        }
        for act in &self.before_incremental {
            let is_answer = matches!(
                act.value,
                Act::Retry(_) | Act::RetryForEver | Act::Ignore | Act::NotCalled
            );
            if is_answer {
                let text = "before a backup nothing was refused yet: this belongs into a rule";
                return problem(act.referenced, text);
            }
        }
        if let Some(early) = others.iter().find(|rule| rule.value.when.is_anything()) {
            let text = "this rule fits always, and the ones behind it never get their turn";
            return problem(early.referenced, text);
        }
        if !last.value.when.is_anything() {
            return problem(last.referenced, NO_DEFAULT);
        }
        Ok(())
    }
}

const NO_DEFAULT: &str =
    "the last rule must fit always: end with one that has no `when`, such as `- do: [give-up]`";

impl Rule {
    fn check(&self) -> Result<(), &'static str> {
        if self.acts.is_empty() {
            return Err("nothing is done: write `do: [ignore]` where that is meant");
        }
        let is_last = |act: &Act| {
            matches!(
                act,
                Act::GiveUp | Act::Ignore | Act::NotCalled | Act::RetryForEver
            )
        };
        let before = &self.acts[..self.acts.len() - 1];
        if before.iter().any(is_last) {
            return Err("an action stands behind one that ends the list");
        }
        if self.when.call == Some(CallWord::BitmapCheck) && !self.when.code.is_empty() {
            return Err("`bitmap-check` is no call of libvirt's, and has no code");
        }
        Ok(())
    }
}

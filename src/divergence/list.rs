//! The list: its form, and what it makes of a snapshot and of an expectation.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::model::{Decision, ErrorCode, ErrorDomain, Version};
use crate::scenario::{Expectation, Scenario};

/// The version of the list's format.
const FORMAT: u32 = 1;

/// The list of a suite.
#[derive(Clone, Debug, Default)]
pub struct Divergences(Vec<Divergence>);

/// One known difference.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Divergence {
    /// The scenario, with its area and its case; or several, as a glob over such names.
    pub scenario: Names,
    /// The first version that differs; the first there is where it is not given.
    #[serde(default, deserialize_with = "version")]
    since: Option<Version>,
    /// The last one, all of its series; the newest there is where it is not given.
    #[serde(default, deserialize_with = "version")]
    until: Option<Version>,
    /// Lines of the snapshot, and what stands in their place.
    #[serde(default)]
    replace: Vec<Replacement>,
    /// What must come of the call instead.
    #[serde(default)]
    then: Option<OtherEnd>,
    /// libvirt does not live to the scenario's end.
    #[serde(default)]
    crash: bool,
    /// What libvirt does otherwise.
    pub reason: String,
    /// Who says so: a commit, a document or a measurement.
    pub link: String,
}

/// The names of the scenarios that an entry is about.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Names {
    text: String,
    glob: GlobMatcher,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Replacement {
    /// A line, without the blanks around it; with `…` at its end, how it begins.
    line: String,
    /// The lines in its place, which get its indentation; none where it is missing.
    #[serde(default)]
    with: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct OtherEnd {
    #[serde(deserialize_with = "word")]
    error: Option<ErrorCode>,
    #[serde(deserialize_with = "word")]
    error_domain: Option<ErrorDomain>,
    message: Option<String>,
    #[serde(deserialize_with = "word")]
    decision: Option<Decision>,
    /// The call succeeds.
    succeeds: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    divergences: Vec<Divergence>,
}

impl Divergences {
    /// Reads a list.
    ///
    /// # Errors
    /// It is no list of this format; the text says where and why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let document: Document = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        if document.format != FORMAT {
            let found = document.format;
            return Err(format!(
                "it has the format {found}, and this build reads {FORMAT}: use the backup-tck it \
                 came with"
            ));
        }
        Ok(Self(document.divergences))
    }

    /// Every entry.
    #[must_use]
    pub fn all(&self) -> &[Divergence] {
        &self.0
    }

    /// The entries about a scenario on a version of libvirt.
    fn about(&self, scenario: &str, version: Version) -> impl Iterator<Item = &Divergence> {
        let is_it =
            move |entry: &&Divergence| entry.scenario.hold(scenario) && entry.applies_to(version);
        self.0.iter().filter(is_it)
    }

    /// Why libvirt of this version is known to crash in a scenario; `None` where it is not.
    #[must_use]
    pub fn crash(&self, name: &str, version: Version) -> Option<String> {
        let mut about = self.about(name, version);
        about.find(|entry| entry.crash).map(Divergence::in_words)
    }

    /// The scenario as this version is expected to end it.
    #[must_use]
    pub fn expectation(&self, name: &str, version: Version, scenario: &Scenario) -> Scenario {
        let mut scenario = scenario.clone();
        for other in self
            .about(name, version)
            .filter_map(|entry| entry.then.as_ref())
        {
            other.replace(&mut scenario.then);
        }
        scenario
    }

    /// What the snapshot of a scenario would be on this version, and the differences in words;
    /// `None` where none is known.
    ///
    /// # Errors
    /// A line that an entry replaces is not in the snapshot.
    pub fn expected(
        &self,
        name: &str,
        version: Version,
        snapshot: &str,
    ) -> Result<Option<(String, String)>, String> {
        let mut text = snapshot.to_owned();
        let mut reasons = Vec::new();
        for entry in self.about(name, version).filter(|entry| !entry.crash) {
            text = entry.apply(&text)?;
            reasons.push(entry.in_words());
        }
        Ok((!reasons.is_empty()).then(|| (text, reasons.join("; "))))
    }
}

impl TryFrom<String> for Names {
    type Error = globset::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let glob = GlobBuilder::new(&text).literal_separator(true).build()?;
        Ok(Self {
            text,
            glob: glob.compile_matcher(),
        })
    }
}

impl Names {
    /// Whether a scenario is among them.
    #[must_use]
    pub fn hold(&self, scenario: &str) -> bool {
        self.glob.is_match(scenario)
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Divergence {
    fn applies_to(&self, version: Version) -> bool {
        let old_enough = |last: Version| version <= last || version.same_series(last);
        self.since.is_none_or(|first| first <= version) && self.until.is_none_or(old_enough)
    }

    /// Whether it is that libvirt does not live to the scenario's end.
    #[must_use]
    pub const fn is_crash(&self) -> bool {
        self.crash
    }

    /// The versions that differ.
    #[must_use]
    pub fn versions(&self) -> String {
        let series = |version: Version| format!("{}.{}", version.major, version.minor);
        match (self.since.map(series), self.until.map(series)) {
            (Some(since), Some(until)) if since == until => since,
            (Some(since), Some(until)) => format!("{since} to {until}"),
            (Some(since), None) => format!("since {since}"),
            (None, Some(until)) => format!("until {until}"),
            (None, None) => "all others".to_owned(),
        }
    }

    fn in_words(&self) -> String {
        format!("{} ({})", self.reason, self.link)
    }

    /// The snapshot with this difference.
    ///
    /// # Errors
    /// A line that it replaces is not there.
    pub fn apply(&self, snapshot: &str) -> Result<String, String> {
        let mut text = snapshot.to_owned();
        for replacement in &self.replace {
            let mut replaced = String::with_capacity(text.len());
            let mut found = false;
            for old in text.lines() {
                if !replacement.is_about(old) {
                    replaced.push_str(old);
                    replaced.push('\n');
                    continue;
                }
                found = true;
                let indentation = &old[..old.len() - old.trim_start().len()];
                for new in &replacement.with {
                    let _ = writeln!(replaced, "{indentation}{new}");
                }
            }
            if !found {
                return Err(format!(
                    "snapshots/divergences.yaml replaces a line that the snapshot of {} does not \
                     have: {}",
                    self.scenario, replacement.line
                ));
            }
            text = replaced;
        }
        Ok(text)
    }
}

impl Replacement {
    fn is_about(&self, line: &str) -> bool {
        match self.line.trim().strip_suffix('…') {
            Some(beginning) => line.trim().starts_with(beginning),
            None => line.trim() == self.line.trim(),
        }
    }
}

impl OtherEnd {
    fn replace(&self, then: &mut Expectation) {
        if self.succeeds {
            *then = Expectation::Success;
        }
        let Expectation::Refusal(refusal) = then else {
            return;
        };
        refusal.error = self.error.unwrap_or(refusal.error);
        refusal.decision = self.decision.unwrap_or(refusal.decision);
        refusal.error_domain = self.error_domain.or(refusal.error_domain);
        if let (Some(message), Some(old)) = (&self.message, &mut refusal.message) {
            old.value.clone_from(message);
        }
    }
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Version>, D::Error> {
    word(deserializer)
}

/// A word in the form that scenarios use.
fn word<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(D::Error::custom))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "
format: 1
divergences:
  - scenario: a/b
    since: \"12.0\"
    replace:
      - { line: refused 84, with: [refused 8, text] }
    then: { error: VIR_ERR_INVALID_ARG }
    reason: another check comes first
    link: measured on libvirt 12.8
";
    const SNAPSHOT: &str = "when\n    refused 84\nafter\n";

    #[test]
    fn a_line_is_replaced_where_the_version_differs() {
        let list = Divergences::parse(LIST).unwrap();
        let on = |version| list.expected("a/b", version, SNAPSHOT).unwrap();
        assert_eq!(on(Version::new(11, 3, 0)), None);
        let (text, reason) = on(Version::new(12, 8, 0)).unwrap();
        assert_eq!(text, "when\n    refused 8\n    text\nafter\n");
        assert_eq!(
            reason,
            "another check comes first (measured on libvirt 12.8)"
        );
        let other = list.expected("a/c", Version::new(12, 8, 0), SNAPSHOT);
        assert_eq!(other.unwrap(), None);
    }

    #[test]
    fn one_entry_may_be_about_several_scenarios() {
        let list = LIST.replace("a/b", "a/{b,c-*}@d");
        let list = Divergences::parse(&list).unwrap();
        let on = |name| list.expected(name, Version::new(12, 8, 0), SNAPSHOT);
        for name in ["a/b@d", "a/c-1@d"] {
            assert!(on(name).unwrap().is_some(), "{name}");
        }
        for name in ["a/b", "a/c@d", "a/c-1/x@d", "b/b@d"] {
            assert!(on(name).unwrap().is_none(), "{name}");
        }
        assert!(Divergences::parse(&LIST.replace("a/b", "\"a/{b\"")).is_err());
    }

    #[test]
    fn a_line_may_be_given_by_its_beginning() {
        let list = LIST.replace("line: refused 84", "line: refused …");
        let list = Divergences::parse(&list).unwrap();
        let on = |snapshot| list.expected("a/b", Version::new(12, 8, 0), snapshot);
        let (text, _) = on(SNAPSHOT).unwrap().unwrap();
        assert_eq!(text, "when\n    refused 8\n    text\nafter\n");
        assert!(on("when\n    was refused 84\n").is_err());
    }

    #[test]
    fn a_crash_is_no_change_of_the_snapshot() {
        let list = LIST.replace(
            "    then: { error: VIR_ERR_INVALID_ARG }",
            "    crash: true",
        );
        let list = Divergences::parse(&list).unwrap();
        assert_eq!(list.crash("a/b", Version::new(11, 3, 0)), None);
        let newest = Version::new(12, 8, 0);
        assert!(list.crash("a/b", newest).is_some());
        assert_eq!(list.expected("a/b", newest, SNAPSHOT).unwrap(), None);
    }

    #[test]
    fn a_line_that_is_not_there_is_told() {
        let list = Divergences::parse(LIST).unwrap();
        let error = list.expected("a/b", Version::new(12, 0, 0), "when\n    ok\n");
        assert!(error.unwrap_err().contains("does not have: refused 84"));
    }

    #[test]
    fn another_format_and_unknown_words_are_refused() {
        let other = LIST.replace("format: 1", "format: 2");
        assert!(
            Divergences::parse(&other)
                .unwrap_err()
                .contains("the format 2")
        );
        for (old, new) in [
            ("reason:", "cause:"),
            ("12.0", "newest"),
            ("VIR_ERR_INVALID_ARG", "8x"),
        ] {
            assert!(
                Divergences::parse(&LIST.replace(old, new)).is_err(),
                "{new}"
            );
        }
    }
}

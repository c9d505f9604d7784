//! Words to topics.

use super::scenarios::{Known, Scenarios};
use super::{code, decision, finding, probe, problem, rule, scenario};
use crate::findings::{Finding, findings};
use crate::judge::{PROBES, ProbeText, Rule, rules};
use crate::model::{Category, CleanUpKind, Decision, ErrorCode};
use crate::scenario::{ProblemKind, catalogue};

/// Something that can be explained.
#[derive(Clone, Copy, Debug)]
pub enum Topic<'a> {
    /// An error code of libvirt.
    Code(ErrorCode),
    /// What a client does after a failed call.
    Decision(Decision),
    /// A step that goes with a decision.
    CleanUp(CleanUpKind),
    /// A class of decisions.
    Category(Category),
    /// A rule of the judge.
    Rule(&'static Rule),
    /// A question of the judge.
    Probe(&'static ProbeText),
    /// A kind of problem of a scenario file.
    Problem(&'static ProblemKind),
    /// Something that libvirt does and its callers do not expect.
    Finding(&'static Finding),
    /// A scenario, by its name.
    Scenario(&'a str, &'a Known),
}

/// A word that is no topic, or more than one.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UnknownTopic {
    /// Nothing has this name.
    #[error("nothing is called `{topic}`; the nearest topics are:{}", listed(.nearest))]
    Unknown {
        /// The word.
        topic: String,
        /// Topics with names that are like it, the best one first.
        nearest: Vec<String>,
    },
    /// Several scenarios have it in their names.
    #[error("`{topic}` is a part of {} names; say more of one:{}", .names.len(), listed(.names))]
    Ambiguous {
        /// The word.
        topic: String,
        /// The scenarios.
        names: Vec<String>,
    },
}

/// How many near names are told.
const NEAREST: usize = 3;

/// One a line; of many, the first ones.
fn listed(names: &[String]) -> String {
    const LISTED: usize = 12;
    let mut lines: Vec<&str> = names.iter().map(String::as_str).take(LISTED).collect();
    if names.len() > LISTED {
        lines.push("…");
    }
    format!("\n  {}", lines.join("\n  "))
}

impl Topic<'_> {
    /// Its text, 80 columns wide but for what an author wrote wider.
    #[must_use]
    pub fn page(self, scenarios: &Scenarios) -> String {
        match self {
            Self::Code(code) => code::page(code, scenarios),
            Self::Decision(decision) => decision::page(decision, scenarios),
            Self::CleanUp(kind) => decision::clean_up_page(kind),
            Self::Category(category) => decision::category_page(category),
            Self::Rule(rule) => rule::page(rule, scenarios),
            Self::Probe(text) => probe::page(text, problem_called(text.name)),
            Self::Problem(kind) => problem::page(kind),
            Self::Finding(found) => finding::page(found),
            Self::Scenario(name, known) => scenario::page(name, known),
        }
    }
}

/// The topic that a word names. A code may be given as number, a problem without `scenario::`, a
/// scenario by a part of its name; a whole name outranks these.
pub fn find<'a>(word: &str, scenarios: &'a Scenarios) -> Result<Topic<'a>, UnknownTopic> {
    let of_vocabulary = vocabulary().find(|(name, _)| name == word);
    if let Some((_, topic)) = of_vocabulary {
        return Ok(topic);
    }
    if let Some(code) = ErrorCode::meant_by(word) {
        return Ok(Topic::Code(code));
    }
    if let Some((name, known)) = scenarios.get_key_value(word) {
        return Ok(Topic::Scenario(name, known));
    }
    // As a snapshot or a report calls it.
    if let Some(text) = PROBES.iter().find(|text| text.title == word) {
        return Ok(Topic::Probe(text));
    }
    // Last, since a short word such as `when` may be a part of a scenario's name as well.
    if let Some(kind) = problem_called(word) {
        return Ok(Topic::Problem(kind));
    }
    let mut matching = scenarios
        .iter()
        .filter(|(name, _)| !word.is_empty() && name.contains(word));
    match (matching.next(), matching.next()) {
        (Some((name, known)), None) => Ok(Topic::Scenario(name, known)),
        (Some((first, _)), Some((second, _))) => {
            let names = [first, second]
                .into_iter()
                .chain(matching.map(|(name, _)| name));
            Err(UnknownTopic::Ambiguous {
                topic: word.to_owned(),
                names: names.cloned().collect(),
            })
        }
        (None, _) => Err(UnknownTopic::Unknown {
            topic: word.to_owned(),
            nearest: nearest(word, scenarios),
        }),
    }
}

/// Every topic, in groups.
#[must_use]
pub fn list(scenarios: &Scenarios) -> String {
    let mut page = super::page::Page::new("What `backup-tck explain` knows:");
    page.section("decisions: what a client does after a failed call");
    page.names(Decision::ALL.map(Decision::as_str), "");
    page.section("clean-up steps that go with a decision");
    page.names(CleanUpKind::ALL.map(CleanUpKind::as_str), "");
    page.section("categories of decisions");
    let categories = Category::ALL.map(Category::as_str);
    page.names(categories, "");
    page.section("rules of the judge, as snapshots name them");
    page.names(rules().map(|rule| rule.id), "");
    page.section("probes: what the judge may have to ask before it decides");
    page.names(PROBES.iter().map(|text| text.name), "");
    page.section("error codes of libvirt, by name, by name without VIR_ERR_, or by number");
    let codes = ErrorCode::names().filter_map(|name| {
        let code: ErrorCode = name.parse().ok()?;
        Some(format!("{:>3} {name}", code.0))
    });
    let codes: Vec<String> = codes.collect();
    page.names(codes.iter().map(String::as_str), "");
    page.section("findings: what libvirt does that its callers do not expect");
    page.names(findings().iter().map(|finding| finding.name.as_str()), "");
    page.section("problems of a scenario file");
    page.names(catalogue().map(|kind| kind.code), "");
    page.section("scenarios, by name or by a part of it");
    page.names(scenarios.keys().map(String::as_str), "none here");
    page.into_text()
}

/// Every topic that is always there, by its full name.
pub(super) fn vocabulary() -> impl Iterator<Item = (String, Topic<'static>)> {
    let decisions = Decision::ALL
        .into_iter()
        .map(|decision| (decision.to_string(), Topic::Decision(decision)));
    let clean_ups = CleanUpKind::ALL
        .into_iter()
        .map(|kind| (kind.as_str().to_owned(), Topic::CleanUp(kind)));
    let categories = Category::ALL
        .into_iter()
        .map(|category| (category.as_str().to_owned(), Topic::Category(category)));
    let rules = rules().map(|rule| (rule.id.to_owned(), Topic::Rule(rule)));
    let probes = PROBES
        .iter()
        .map(|text| (text.name.to_owned(), Topic::Probe(text)));
    let problems = catalogue().map(|kind| (kind.code.to_owned(), Topic::Problem(kind)));
    let codes = ErrorCode::names()
        .filter_map(|name| Some((name.to_owned(), Topic::Code(name.parse().ok()?))));
    let findings = findings()
        .iter()
        .map(|finding| (finding.name.clone(), Topic::Finding(finding)));
    decisions
        .chain(clean_ups)
        .chain(categories)
        .chain(rules)
        .chain(probes)
        .chain(problems)
        .chain(codes)
        .chain(findings)
}

/// The problem with this name behind `scenario::`.
fn problem_called(short: &str) -> Option<&'static ProblemKind> {
    catalogue().find(|kind| without_area(kind.code) == short)
}

/// The topics whose names are most like the word.
fn nearest(word: &str, scenarios: &Scenarios) -> Vec<String> {
    let word = without_area(word).to_lowercase();
    let score = |name: &str| {
        let name = without_area(name.trim_start_matches("VIR_ERR_"));
        strsim::jaro_winkler(&word, &name.to_lowercase())
    };
    let names = vocabulary().map(|(name, _)| name);
    let mut names: Vec<(f64, String)> = names
        .chain(scenarios.keys().cloned())
        .map(|name| (score(&name), name))
        .collect();
    names.sort_by(|a, b| b.0.total_cmp(&a.0));
    // The best one is told in any case, others only where they could be meant.
    let best = names.first().map_or(0.0, |(score, _)| *score);
    names
        .into_iter()
        .take(NEAREST)
        .filter(|(score, _)| *score > 0.75 || *score >= best)
        .map(|(_, name)| name)
        .collect()
}

/// The last part of `area/name` or `scenario::code`.
fn without_area(name: &str) -> &str {
    name.rsplit(['/', ':']).next().unwrap_or(name)
}

//! Function, code and situation, with what the suite shows of each.

use std::collections::{BTreeMap, BTreeSet};

use super::markdown::{code, head, row, rule, scenario};
use super::situations::about;
use crate::explain::scenarios::{Known, Scenarios};
use crate::judge::{Rule, rules};
use crate::model::{Api, Decision, ErrorCode};
use crate::scenario::{Expectation, function};

/// How many scenarios a cell names; the rule names them all.
const NAMED: usize = 3;

/// What decided: the place of a rule in the judge's order, after all of them where none did.
type Place = usize;

/// The place of a function in the page, and its name.
type Order = (usize, &'static str);

/// The scenarios that show one situation of one function and code.
type Shown<'a> = BTreeMap<(Place, String), Vec<(&'a str, &'a Known)>>;

/// Backups first, then jobs and checkpoints, then whatever else a client calls.
fn order(api: Api) -> Order {
    let name = api.as_str();
    let parts = ["Backup", "Job", "Checkpoint"];
    let is_about = |part: &&str| name.contains(part) && !name.contains("BlockJob");
    let part = parts.iter().position(is_about);
    (part.unwrap_or(parts.len()), name)
}

/// Every refused call of the suite, by function and code.
fn refused(scenarios: &Scenarios) -> BTreeMap<(Order, i32), Shown<'_>> {
    let mut table: BTreeMap<(Order, i32), Shown<'_>> = BTreeMap::new();
    for (name, known) in scenarios {
        let Expectation::Refusal(refusal) = &known.scenario.then else {
            continue;
        };
        let (Some(api), Some(rule)) = (function(&known.scenario.when.value), &known.rule) else {
            continue;
        };
        let key = (order(api), refusal.error.0);
        let place = rules().position(|known| known.id == rule);
        let situation = (place.unwrap_or(usize::MAX), rule.clone());
        let shown = table.entry(key).or_default().entry(situation);
        shown.or_default().push((name, known));
    }
    table
}

/// A section for each function.
pub(super) fn by_function(scenarios: &Scenarios) -> String {
    let mut last = None;
    let sections = refused(scenarios)
        .into_iter()
        .map(|((order, number), shown)| {
            let is_new = last.replace(order) != Some(order);
            let title = if is_new {
                format!("### {}\n\n", order.1)
            } else {
                String::new()
            };
            let columns = [
                "situation",
                "decision",
                "clean-up",
                "asked for",
                "rule",
                "shown by",
            ];
            let rows = shown
                .iter()
                .map(|((_, id), scenarios)| situation_row(id, scenarios));
            let rows: String = rows.collect();
            let code = ErrorCode(number);
            format!("{title}**{code}**\n\n{}{rows}\n", head(&columns))
        });
    sections.collect()
}

fn situation_row(id: &str, scenarios: &[(&str, &Known)]) -> String {
    let found = rules().find(|rule| rule.id == id);
    let (because, decision) = found.map_or(
        ("no rule covers it", Decision::InvestigateEscalate),
        |rule| (rule.because, rule.decision),
    );
    let words = |of: fn(&Known) -> &[String]| {
        let words: BTreeSet<&str> = scenarios
            .iter()
            .flat_map(|(_, known)| of(known))
            .map(String::as_str)
            .collect();
        if words.is_empty() {
            "-".to_owned()
        } else {
            words.into_iter().collect::<Vec<_>>().join(", ")
        }
    };
    let mut names: Vec<String> = scenarios
        .iter()
        .take(NAMED)
        .map(|(name, _)| scenario(name))
        .collect();
    if let Some(more @ 1..) = scenarios.len().checked_sub(NAMED) {
        names.push(format!("{more} more"));
    }
    row([
        because.to_owned(),
        code(decision.as_str()),
        words(|known| &known.clean_up),
        words(|known| &known.probes),
        found.map_or_else(|| "none".to_owned(), |found| rule(found.id)),
        names.join(", "),
    ])
}

/// What a job that has ended calls for.
pub(super) fn ended_jobs() -> String {
    let mut text = head(&["situation", "decision", "rule"]);
    for found in rules().filter(|rule| rule.codes.is_empty()) {
        let decision = code(found.decision.as_str());
        text.push_str(&row([found.because.to_owned(), decision, rule(found.id)]));
    }
    text
}

/// Every rule with its sources and all of its scenarios.
pub(super) fn all_rules(scenarios: &Scenarios) -> String {
    rules().map(|rule| whole_rule(rule, scenarios)).collect()
}

fn whole_rule(rule: &Rule, scenarios: &Scenarios) -> String {
    let functions: Vec<&str> = rule.apis.iter().map(|api| api.as_str()).collect();
    let functions = if functions.is_empty() {
        "any function".to_owned()
    } else {
        functions.join(", ")
    };
    let reads = if rule.reads_message {
        "The message is read: no code, number or query tells the same.\n"
    } else {
        ""
    };
    let shown = scenarios
        .iter()
        .filter(|(_, known)| known.rule.as_deref() == Some(rule.id))
        .map(|(name, _)| scenario(name));
    let shown: Vec<String> = shown.collect();
    let shown = match (shown.is_empty(), about(rule.id)) {
        (false, _) => format!("Shown by: {}.", shown.join(", ")),
        (true, Some(row)) => format!("No scenario: {}", row.why_not),
        (true, None) => "No scenario.".to_owned(),
    };
    format!(
        "\n### {}\n\n{}: {}; from {functions}.\n**{}**, {}.\n{reads}\nSource: {}.\n\n{shown}\n",
        rule.id,
        rule.trigger(),
        rule.because,
        rule.decision,
        rule.decision.category(),
        rule.sources.join("; "),
    )
}

//! The page from its head to its end.

use super::markdown::{bullets, code, head, row, scenario};
use super::situations::situations;
use super::steps::STEPS;
use super::table::{all_rules, by_function, ended_jobs};
use crate::divergence::Divergence;
use crate::explain::clean_up_texts::{clean_up_text, time_text, time_word};
use crate::explain::decision_texts::{category_text, decision_text};
use crate::explain::scenarios::Scenarios;
use crate::judge::{PROBES, rules};
use crate::model::{Category, CleanUpKind, Decision};

const HEAD: &str = "\
<!-- Made by `backup-tck explain --decisions`; change the rules or the scenarios, and make it anew. -->
# What to do after an error of libvirt's backup and checkpoint functions

libvirt's documents name the error codes. They do not say which failure calls for a corrected
request, which for patience, and which for a new full backup; `virDomainBackupBegin` has no list of
its errors at all. This page says it, for libvirt's QEMU driver.

The tables rest on *scenarios*: a history of disks, checkpoints and damage that was played on
libvirt 11.3.0 with QEMU 10.0, refused by it in this way, recovered by this decision, and proven by
restored data. The same suite was run on libvirt 7.0.0, 9.0.0 and 12.8.0; what they answer otherwise
stands [below](#versions). `backup-tck run NAME` plays a scenario again, `backup-tck explain RULE` tells
more of a rule, and `backup-tck decide` answers for facts given as JSON.
";

const SUCCEEDED: &str = "\
A call that succeeds, or a job that ends, may mean less than it seems. These situations raise no error;
restored data shows what they are.
";

const RULES: &str = "\
The order is that of the judge: the first rule that fits decides. A rule without a scenario says why
it has none.
";

const VERSIONS: &str = "\
What differs from libvirt 11.3, each seen on that version.
";

/// The whole page.
#[must_use]
pub fn document(scenarios: &Scenarios, divergences: &[Divergence]) -> String {
    let shown = scenarios
        .values()
        .filter(|known| known.rule.is_some())
        .count();
    let count = format!(
        "\n{} rules, {} scenarios, {shown} of them with a decision.\n",
        rules().count(),
        scenarios.len(),
    );
    let steps = (1..)
        .zip(&STEPS)
        .map(|(number, step)| format!("{number}. **{}** {}\n", step.head, step.text));
    let sections = [
        ("How to decide, in ten steps", steps.collect()),
        ("The decisions", categories() + &decisions()),
        ("The clean-up", clean_ups()),
        ("What can be asked", probes()),
        ("Function, code, situation", by_function(scenarios)),
        ("A backup that has begun, and has ended", ended_jobs()),
        (
            "Where nothing fails",
            format!("{SUCCEEDED}\n{}", no_error()),
        ),
        ("Versions", format!("{VERSIONS}\n{}", versions(divergences))),
        ("The rules", format!("{RULES}{}", all_rules(scenarios))),
    ];
    let sections = sections.map(|(title, text)| format!("\n## {title}\n\n{text}"));
    format!("{HEAD}{count}{}", sections.concat())
}

fn categories() -> String {
    let mut text = head(&["category", "meaning", "decisions"]);
    for category in Category::ALL {
        let decisions = Decision::ALL
            .into_iter()
            .filter(|decision| decision.category() == category)
            .map(|decision| code(decision.as_str()));
        let decisions: Vec<String> = decisions.collect();
        let words = [category.to_string(), category_text(category).to_owned()];
        text.push_str(&row(words.into_iter().chain([decisions.join(", ")])));
    }
    text
}

fn decisions() -> String {
    Decision::ALL.into_iter().map(one_decision).collect()
}

fn one_decision(decision: Decision) -> String {
    let words = decision_text(decision);
    let numbered = (1..)
        .zip(words.steps)
        .map(|(number, step)| format!("{number}. {step}\n"));
    let numbered: Vec<String> = numbered.collect();
    let numbered = numbered.concat();
    format!(
        "\n### {decision}\n\n{} ({})\n\n{numbered}\nProven by:\n\n{}\nWrong when:\n\n{}",
        words.meaning,
        decision.category(),
        bullets(words.proof),
        bullets(words.wrong),
    )
}

fn clean_ups() -> String {
    let mut text = "Steps that go with a decision, each at its time.\n\n".to_owned();
    text += &head(&["step", "when", "what is done", "due", "care"]);
    for kind in CleanUpKind::ALL {
        let words = clean_up_text(kind);
        let due = words
            .due
            .iter()
            .map(|(time, why)| format!("{}: {why}", code(time_word(*time))));
        let due: Vec<String> = due.collect();
        text.push_str(&row([
            &code(kind.as_str()),
            words.when,
            &words.steps.join("; "),
            &due.join("; "),
            words.care,
        ]));
    }
    text.push('\n');
    let mut times: Vec<_> = CleanUpKind::ALL
        .into_iter()
        .flat_map(|kind| clean_up_text(kind).due)
        .map(|(time, _)| *time)
        .collect();
    times.sort_by_key(|time| time_word(*time));
    times.dedup();
    let times = times
        .into_iter()
        .map(|time| format!("{}: {}", code(time_word(time)), time_text(time)));
    text.push_str(&bullets(times));
    text
}

fn probes() -> String {
    let mut text = head(&["question", "how it is asked", "what it changes"]);
    for probe in PROBES {
        text.push_str(&row([probe.title, probe.how, probe.cost]));
    }
    text
}

fn no_error() -> String {
    let mut text = head(&["name", "situation", "shown by"]);
    for found in situations().filter(|row| !row.text.is_empty()) {
        let names: Vec<String> = found.shown_by.split_whitespace().map(scenario).collect();
        let shown = format!("{}{}", names.join(", "), found.why_not);
        text.push_str(&row([found.id, found.text, &shown]));
    }
    text
}

/// One row for each difference, however many entries tell of it.
fn versions(divergences: &[Divergence]) -> String {
    let mut rows: Vec<(String, &str, Vec<&str>, Vec<String>)> = Vec::new();
    for entry in divergences {
        let versions = entry.versions();
        let scenarios = code(&entry.scenario.to_string());
        let link = entry.link.as_str();
        let same = |row: &&mut (String, &str, _, _)| row.0 == versions && row.1 == entry.reason;
        match rows.iter_mut().find(same) {
            Some((_, _, links, names)) => {
                if !links.contains(&link) {
                    links.push(link);
                }
                names.push(scenarios);
            }
            None => rows.push((versions, &entry.reason, vec![link], vec![scenarios])),
        }
    }
    let rows = rows.iter().map(|(versions, reason, links, scenarios)| {
        row([
            versions.as_str(),
            reason,
            &links.join("; "),
            &scenarios.join(", "),
        ])
    });
    let rows: Vec<String> = rows.collect();
    head(&["libvirt", "what is different", "source", "scenarios"]) + &rows.concat()
}

//! The catalogue of errors, the scenarios that it names, and the table of where they were raised.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot do is a failure of the test"
)]

use std::collections::{BTreeMap, BTreeSet};

use backup_tck::coverage::Catalogue;
use backup_tck::suite::Suite;

const TABLE: &str = include_str!("../snapshots/coverage-11.3.tsv");

fn catalogue() -> Catalogue {
    Catalogue::parse(&Suite::Embedded.catalogue().unwrap().unwrap()).unwrap()
}

fn names() -> BTreeSet<String> {
    let cases = Suite::Embedded.cases().unwrap();
    cases.into_iter().map(|case| case.name).collect()
}

/// Function by function, the scenarios in which it raised an error.
fn raised() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut raised: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for line in TABLE.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        if let ["raised", function, _, scenarios] = cells[..] {
            raised
                .entry(function)
                .or_default()
                .extend(scenarios.split(' '));
        }
    }
    raised
}

#[test]
fn every_error_that_is_said_to_be_shown_is() {
    let mut missing = Vec::new();
    for row in catalogue().rows {
        let Some(scenario) = &row.shown_by else {
            continue;
        };
        let snapshot = Suite::Embedded.snapshot(scenario).unwrap();
        let answer = format!("refused {} ", row.code);
        let domain = format!("domain {} ", row.domain);
        let shows = |text: String| {
            let lines: Vec<&str> = text.lines().collect();
            // The message follows its numbers, on one line or more.
            (0..lines.len()).any(|at| {
                lines[at].contains(&answer)
                    && lines[at].contains(&domain)
                    && lines[at + 1..].join("\n").contains(&row.text)
            })
        };
        if !snapshot.is_some_and(shows) {
            missing.push(format!("{} {} {} {scenario}", row.api, row.code, row.text));
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_error_was_raised_where_the_catalogue_says() {
    let raised = raised();
    let mut missing = Vec::new();
    for row in catalogue().rows {
        let Some(scenario) = &row.shown_by else {
            continue;
        };
        let there = raised.get(row.function());
        if !there.is_some_and(|scenarios| scenarios.contains(scenario.as_str())) {
            missing.push(format!("{} by {scenario}", row.site));
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn the_table_names_only_scenarios_that_are_there() {
    let there = names();
    let told = raised().into_values().flatten();
    let gone: BTreeSet<&str> = told.filter(|name| !there.contains(*name)).collect();
    assert_eq!(gone, BTreeSet::new(), "make the table anew");
}

#[test]
fn a_row_names_what_the_table_has_not() {
    let never: Vec<&str> = TABLE
        .lines()
        .filter(|line| line.starts_with("never\t"))
        .collect();
    let reasons = catalogue().rows.into_iter().filter_map(|row| row.why_not);
    assert_eq!(never.len(), reasons.count(), "make the table anew");
}

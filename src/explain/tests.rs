//! Every topic has a whole page, and words find their topics.

use std::path::Path;
use std::sync::Arc;

use rstest::rstest;

use super::{Scenarios, Topic, UnknownTopic, find, list};
use crate::model::{Category, CleanUpKind, Decision, ErrorCode};
use crate::scenario::{catalogue, parse};

fn scenarios() -> Scenarios {
    let text = "\
format: 1
scenario: raw-disk-refused
summary: A checkpoint on a raw disk is refused.
disks:
  vda: { format: raw, size: 16M }
  vdb: { format: qcow2, size: 16M }
history:
  - start
when:
  checkpoint-create: { name: c1, disks: [vda] }
then:
  error: VIR_ERR_CONFIG_UNSUPPORTED
  decision: fix-request
  remedy:
    - checkpoint-create: { name: c1, disks: [vdb] }
";
    let mut read = parse(Path::new("raw-disk-refused.yaml"), text).unwrap();
    let written = Arc::new(read.remove(0));
    [
        ("seed/raw-disk-refused".to_owned(), written.clone()),
        ("more/raw-disk-refused-later".to_owned(), written),
    ]
    .into()
}

#[test]
fn every_topic_has_a_whole_page_of_80_columns() {
    let scenarios = scenarios();
    let codes = ErrorCode::names().map(str::to_owned);
    let decisions = Decision::ALL.map(|decision| decision.to_string());
    let clean_ups = CleanUpKind::ALL.map(|kind| kind.as_str().to_owned());
    let categories = Category::ALL.map(|category| category.as_str().to_owned());
    let problems = catalogue().map(|kind| kind.code.to_owned());
    let rules = crate::judge::rules().map(|rule| rule.id.to_owned());
    let words: Vec<String> = codes
        .chain(decisions)
        .chain(clean_ups)
        .chain(categories)
        .chain(problems)
        .chain(rules)
        .chain(scenarios.keys().cloned())
        .collect();
    assert!(words.len() > 150, "{}", words.len());
    for word in words {
        let page = find(&word, &scenarios).unwrap().page(&scenarios);
        assert!(page.contains(&word), "{word}: {page}");
        assert_eq!(offence(&page), None, "{word}: {page}");
        assert!(
            list(&scenarios).contains(&word),
            "{word} is not in the list"
        );
    }
    assert_eq!(offence(&list(&scenarios)), None);
}

#[test]
fn that_check_can_fail() {
    assert!(offence("title\n\nheading\n\nheading\n  text\n").is_some());
    assert!(offence("title\n\nheading\n").is_some());
    assert!(offence(&format!("title\n\nheading\n  {}\n", "x".repeat(79))).is_some());
}

#[test]
fn a_code_is_found_by_number_and_by_its_short_name() {
    for word in ["109", "CHECKPOINT_INCONSISTENT", "checkpoint_inconsistent"] {
        let topic = find(word, &Scenarios::new()).map(|topic| topic.page(&Scenarios::new()));
        assert!(
            topic
                .unwrap()
                .starts_with("VIR_ERR_CHECKPOINT_INCONSISTENT")
        );
    }
}

#[test]
fn a_part_of_a_name_finds_a_scenario_where_it_is_clear() {
    let scenarios = scenarios();
    assert!(matches!(
        find("seed/raw", &scenarios),
        Ok(Topic::Scenario("seed/raw-disk-refused", _))
    ));
    assert!(matches!(
        find("raw-disk", &scenarios),
        Err(UnknownTopic::Ambiguous { names, .. }) if names.len() == 2
    ));
}

#[rstest]
#[case("VIR_ERR_CHECKPOINT_INCONSISTANT", "VIR_ERR_CHECKPOINT_INCONSISTENT")]
#[case("full-backup-newchain", "full-backup-new-chain")]
#[case("scenario::unknown_disc", "scenario::unknown_disk")]
#[case("seed/row-disk-refused", "seed/raw-disk-refused")]
fn an_unknown_word_leads_to_the_nearest_one(#[case] word: &str, #[case] meant: &str) {
    let scenarios = scenarios();
    let Err(UnknownTopic::Unknown { nearest, .. }) = find(word, &scenarios) else {
        panic!("{word} was found");
    };
    assert_eq!(nearest[0], meant);
}

#[test]
fn an_empty_word_is_no_topic() {
    assert!(find("", &scenarios()).is_err());
}

/// A line that is too long, or a heading with nothing below it.
fn offence(page: &str) -> Option<String> {
    let lines: Vec<&str> = page.lines().collect();
    let long = lines.iter().find(|line| line.chars().count() > 80);
    let is_heading = |line: &str| !line.is_empty() && !line.starts_with(' ');
    let empty = (1..lines.len()).find(|at| {
        let below = lines.get(at + 1);
        is_heading(lines[*at]) && below.is_none_or(|line| !line.starts_with("  "))
    });
    let empty = empty.map(|at| format!("nothing below `{}`", lines[at]));
    long.map(|line| format!("too long: {line}")).or(empty)
}

//! Every topic has a whole page, and words find their topics.

use std::path::Path;
use std::sync::Arc;

use rstest::rstest;

use super::{Known, Scenarios, Topic, UnknownTopic, find, list};
use crate::judge::{PROBES, rules};
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
    let snapshot = "decision  fix-request (invalid request)\n  because   B27: the parameters\n";
    [
        ("seed/raw-disk-refused", Some(snapshot)),
        ("more/raw-disk-refused-later", None),
    ]
    .map(|(name, snapshot)| (name.to_owned(), Known::new(written.clone(), snapshot)))
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
    let rules = rules().map(|rule| rule.id.to_owned());
    let probes = PROBES.map(|probe| probe.name.to_owned());
    let words: Vec<String> = codes
        .chain(decisions)
        .chain(clean_ups)
        .chain(categories)
        .chain(problems)
        .chain(rules)
        .chain(probes)
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

/// What `--list` shows is found by what it shows, and by nothing that it hides.
#[test]
fn every_line_of_the_list_is_a_topic() {
    let scenarios = scenarios();
    let list = list(&scenarios);
    let mut groups = list.split("\n\n").skip(1);
    let mut count = 0;
    for line in groups.by_ref().flat_map(|group| group.lines().skip(1)) {
        for word in line.split_whitespace() {
            let page = find(word, &scenarios).unwrap().page(&scenarios);
            assert!(page.lines().count() > 3, "{word}: {page}");
            count += 1;
        }
    }
    assert!(count > 200, "{count} words");
    for heading in [
        "decisions",
        "clean-up steps",
        "categories",
        "rules",
        "probes",
    ] {
        let is_heading = |line: &str| line.starts_with(heading);
        assert_eq!(list.lines().filter(|line| is_heading(line)).count(), 1);
    }
}

#[test]
fn a_probe_is_found_by_its_word_and_by_what_snapshots_call_it() {
    let none = Scenarios::new();
    for probe in PROBES {
        for word in [probe.name, probe.title] {
            let topic = find(word, &none).unwrap();
            assert!(
                matches!(topic, Topic::Probe(found) if found.name == probe.name),
                "{word}: {topic:?}"
            );
        }
        let page = find(probe.name, &none).unwrap().page(&none);
        assert!(
            page.contains(&format!("observed.{}", probe.field)),
            "{page}"
        );
        assert!(page.contains(probe.title), "{page}");
    }
}

#[test]
fn whole_names_are_different_and_outrank_short_ones() {
    let mut names: Vec<String> = super::topic::vocabulary().map(|(name, _)| name).collect();
    names.sort_unstable();
    let same = names.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(same, None);
    // The probe, and not the problem `scenario::server`, which its page leads to.
    let none = Scenarios::new();
    let topic = find("server", &none).unwrap();
    let page = topic.page(&none);
    assert!(matches!(topic, Topic::Probe(_)));
    assert!(
        page.contains("backup-tck explain scenario::server"),
        "{page}"
    );
}

#[test]
fn a_rule_names_the_scenarios_that_it_decided() {
    let scenarios = scenarios();
    let page = |rule| find(rule, &scenarios).unwrap().page(&scenarios);
    assert!(page("B27").contains("\n  seed/raw-disk-refused\n"));
    assert!(!page("B27").contains("raw-disk-refused-later"));
    assert!(!page("B29").contains("seed/raw-disk-refused"));
}

#[test]
fn a_rule_says_whether_it_reads_the_message() {
    let none = Scenarios::new();
    for rule in rules() {
        let page = find(rule.id, &none).unwrap().page(&none);
        assert_eq!(
            page.contains("message   is read"),
            rule.reads_message,
            "{page}"
        );
        for source in rule.sources {
            let words = |text: &str| text.split_whitespace().collect::<String>();
            assert!(words(&page).contains(&words(source)), "{source}: {page}");
        }
    }
    assert!(rules().any(|rule| rule.reads_message));
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
#[case("bitmap-helth", "bitmap-health")]
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

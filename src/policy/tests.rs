//! Made profiles: each outcome comes about, and a profile that lies is found out.

use rstest::rstest;

use super::*;
use crate::scenario::Scenario;
use crate::suite::{Case, Suite};

/// A profile of one rule, in YAML's flow style.
fn profile(acts: &str) -> Profile {
    let text = format!("name: made\nabout: One rule.\nrules:\n  - do: {acts}\n");
    Profile::parse("made.yaml", &text).unwrap()
}

/// What comes of a profile in the scenario whose name ends so.
fn played(profile: &Profile, scenario: &str) -> Played {
    // Reading the whole suite would cost a second each time.
    let file = scenario.split('@').next().unwrap();
    let files = Suite::Embedded.files().unwrap().into_iter();
    let cases: Vec<Case> = files
        .filter(|found| found.name.ends_with(file))
        .flat_map(|found| Case::of(&found))
        .collect();
    let case = cases.iter().find(|case| case.name.ends_with(scenario));
    let case = case.unwrap_or_else(|| panic!("there is no {scenario}"));
    let scenario: &Scenario = case.scenario.as_ref().unwrap();
    let profiles = std::slice::from_ref(profile);
    let mut table = Table::of(&[(&case.name, scenario)], profiles, false).unwrap();
    let row = table.rows.pop();
    row.unwrap_or_else(|| panic!("{} is not told of", case.name))
        .played
        .remove(0)
}

#[rstest]
// The client believes in a backup that is not there.
#[case::always_ignore(
    "[ignore]",
    "/incremental-over-inconsistent-bitmap",
    Outcome::LosesData
)]
#[case::always_retry(
    "[retry-for-ever]",
    "/incremental-over-inconsistent-bitmap",
    Outcome::Loops
)]
#[case::three_retries(
    "[retry: 3]",
    "/incremental-over-inconsistent-bitmap",
    Outcome::GivesUp
)]
#[case::told("[give-up]", "/incremental-over-inconsistent-bitmap", Outcome::GivesUp)]
#[case::full(
    "[full-backup]",
    "/incremental-over-inconsistent-bitmap",
    Outcome::Recovers
)]
// An older base is as good.
#[case::full_beside_a_base("[full-backup]", "/middle-bitmap-lost@itself", Outcome::NeedlessFull)]
#[case::other_base(
    "[incremental-from-other-backup]",
    "/middle-bitmap-lost@itself",
    Outcome::Recovers
)]
#[case::mixed(
    "[mixed-backup]",
    "/incremental-over-bitmap-lost-on-one-disk",
    Outcome::Recovers
)]
#[case::redefined(
    "[redefine: { validate: true }, retry: 1]",
    "/incremental-after-metadata-lost",
    Outcome::Recovers
)]
// No job is ever shown as completed.
#[case::waited_for_ever("[wait-for-completed]", "/nbd-port-busy", Outcome::Loops)]
// The job that is shown as completed is that of the last backup.
#[case::waited_for_another(
    "[wait-for-completed]",
    "/middle-bitmap-lost@itself",
    Outcome::LosesData
)]
#[case::job_ends("[retry: 1]", "/another-backup-runs", Outcome::Recovers)]
#[case::off(
    "[start-paused, retry: 1]",
    "/backup-of-shut-off-domain",
    Outcome::Recovers
)]
#[case::not_its_way("[not-called]", "/backup-of-shut-off-domain", Outcome::NotCalled)]
// The name is taken by the bitmap that was left behind.
#[case::same_name(
    "[try: delete-checkpoint-metadata-only, try: full-backup-same-name, give-up]",
    "/incremental-over-inconsistent-bitmap",
    Outcome::GivesUp
)]
// The checkpoint of an attempt that nobody read is the newest, and has no backup behind it.
#[case::newest_of_all(
    "[incremental-from-newest]",
    "/name-of-aborted-attempt",
    Outcome::LosesData
)]
fn each_outcome_comes_about(#[case] acts: &str, #[case] scenario: &str, #[case] outcome: Outcome) {
    let played = played(&profile(acts), scenario);
    assert_eq!(played.outcome, outcome, "{played:#?}");
}

#[rstest]
#[case::inconsistent_bitmap_stays(
    "[delete-checkpoint-metadata-only, full-backup]",
    "/incremental-over-inconsistent-bitmap",
    "bitmap c1 on vda without a checkpoint"
)]
#[case::broken_checkpoint_stays(
    "[full-backup]",
    "/incremental-over-inconsistent-bitmap",
    "checkpoint c1 without a usable bitmap on vda"
)]
#[case::job_stays("[give-up]", "recovery/metadata-store-unwritable", "a backup job")]
#[case::job_of_others_aborted(
    "[abort-job, give-up]",
    "/another-backup-runs",
    "another client's backup, aborted"
)]
#[case::checkpoint_stays(
    "[ignore]",
    "/delete-of-half-present-checkpoint@with-monitor",
    "checkpoint c2, which was to go"
)]
fn what_is_left_behind_is_told(#[case] acts: &str, #[case] scenario: &str, #[case] what: &str) {
    let played = played(&profile(acts), scenario);
    assert!(played.debris.iter().any(|left| left == what), "{played:#?}");
}

#[test]
fn a_bitmap_that_is_purged_leaves_nothing() {
    let acts = "[redefine-without-validate-then-delete, full-backup]";
    let played = played(&profile(acts), "/incremental-over-inconsistent-bitmap");
    assert_eq!(played.word(), "recovers", "{played:#?}");
}

/// The newest checkpoint of libvirt as a base, night after night: the error was told, and the next
/// backup, which nothing refuses, is based on an attempt that has no data.
#[test]
fn a_client_without_books_loses_data_in_its_next_run() {
    let text = "name: made\nabout: No books.\nbase: newest\nrules:\n  - do: [give-up]\n";
    let profile = Profile::parse("made.yaml", text).unwrap();
    let played = played(&profile, "/name-of-aborted-attempt");
    assert_eq!(played.outcome, Outcome::LosesData, "{played:#?}");
    let lost = played.steps.last().unwrap();
    assert!(lost.contains("do not know all of its images"), "{lost}");
}

#[rstest]
#[case(
    "name: A\nabout: x\nrules:\n  - do: [give-up]\n",
    "m.yaml:1:7: a name is made of"
)]
#[case(
    "name: backup-tck\nabout: x\nrules:\n  - do: [give-up]\n",
    "m.yaml:1:7: this is the name of the column"
)]
#[case(
    "name: a\nabout: x\nrules: []\n",
    "m.yaml:3:8: the last rule must fit always"
)]
#[case(
    "name: a\nabout: x\nrules:\n  - when: { code: 1 }\n    do: [ignore]\n",
    "m.yaml:4:5: the last rule must fit always"
)]
#[case(
    "name: a\nabout: x\nrules:\n  - do: [ignore]\n  - do: [give-up]\n",
    "m.yaml:4:5: this rule fits always, and the ones behind"
)]
#[case(
    "name: a\nabout: x\nrules:\n  - do: []\n",
    "m.yaml:4:5: nothing is done"
)]
#[case(
    "name: a\nabout: x\nrules:\n  - do: [give-up, full-backup]\n",
    "m.yaml:4:5: an action stands behind one that ends the list"
)]
#[case(
    "name: a\nabout: x\nbefore-incremental: [ignore]\nrules:\n  - do: [give-up]\n",
    "m.yaml:3:22: before a backup nothing was refused yet"
)]
#[case(
    "name: a\nabout: x\nrules:\n  - do: [retry-forever]\n",
    "m.yaml:4:10: unknown word `retry-forever`; did you mean `retry-for-ever`?"
)]
#[case(
    "name: a\nabout: x\nrules:\n  - do: [retry: many]\n",
    "m.yaml:4:17: a whole number is wanted"
)]
#[case(
    "name: a\nabout: x\nrules:\n  - when: { code: 1090 }\n    do: [ignore]\n",
    "m.yaml:4:19: `1090` is no error code"
)]
#[case(
    "name: a\nabout: x\nzzz: 1\nrules:\n  - do: [give-up]\n",
    "m.yaml:3:1: unknown word `zzz`\nknown: name, about"
)]
#[case(
    "name: a\nabout: x\nrules:\n  - when: { call: bitmap-check, code: 1 }\n    do: [ignore]\n",
    "m.yaml:4:5: `bitmap-check` is no call of libvirt's"
)]
fn a_broken_profile_is_told_at_its_place(#[case] text: &str, #[case] told: &str) {
    let error = Profile::parse("m.yaml", text).unwrap_err();
    assert!(error.to_string().starts_with(told), "{error}");
}

#[test]
fn every_shipped_profile_can_be_read_and_says_where_it_is_from() {
    let profiles = shipped();
    assert_eq!(profiles.len(), 6);
    for profile in profiles {
        assert!(!profile.sources.is_empty(), "{}", profile.name);
        for source in &profile.sources {
            assert!(source.repository.contains('/'), "{source:?}");
        }
    }
}

/// The page about the language of profiles has every word of it.
#[test]
fn every_word_of_a_profile_is_explained() {
    let page = include_str!("LANGUAGE.md");
    let unknown = |text: &str| {
        let error = serde_saphyr::from_str::<Rule>(text).unwrap_err();
        let text = error.without_snippet().to_string();
        let (_, known) = text.split_once("expected one of ").unwrap();
        let known = known.split(" at line ").next().unwrap();
        let words = known.lines().next().unwrap().split(", ");
        words
            .map(|word| word.trim_matches('`').to_owned())
            .collect::<Vec<_>>()
    };
    let mut words = unknown("{ do: [none] }");
    words.extend(unknown("{ when: { none: 1 }, do: [ignore] }"));
    words.extend(unknown("{ when: { call: none }, do: [ignore] }"));
    words.extend(unknown("{ do: [redefine: { none: 1 }] }"));
    assert!(words.len() > 35, "{words:?}");
    for word in words {
        assert!(
            page.contains(&format!("`{word}")),
            "`{word}` is not explained"
        );
    }
}

//! The libvirt before the fix fails, and for the right reasons.
//!
//! `mock@6.9` is libvirt 11.3 without the three commits that answered Red Hat bug 1874846. The
//! scenarios of the report must fail there exactly where they are about one of these commits,
//! which is the regression that the suite exists for.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot do is a failure of the test"
)]

use std::collections::BTreeMap;

use backup_tck::driver::Driver;
use backup_tck::driver::mock::Mock;
use backup_tck::model::{ErrorCode, Version};
use backup_tck::run::{Extent, run_scenario};
use backup_tck::suite::{Case, Suite};
use rstest::rstest;

/// A backup over a broken bitmap has a code of its own.
const E33E89D: &str = "e33e89d8399042f55fa6999fdfaa40ee884a9bfe";
/// The QEMU driver knows `VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE`.
const A4D4D2B: &str = "a4d4d2bd5deb3efaa45a5a3386f681363a54a6e5";
/// A backup looks for the metadata of its base.
const AB8CC7: &str = "5ab8cc78c4ab026338070409196fe14ee56a0d04";

/// Each scenario that must fail, the commit it is about, and what 6.9 answers; `None` where the
/// call succeeds.
type Row = (&'static str, &'static str, Option<ErrorCode>);

const INVALID_ARG: Option<ErrorCode> = Some(ErrorCode::INVALID_ARG);

const ROWS: [Row; 19] = [
    (
        "incremental-after-image-recreated@push",
        E33E89D,
        INVALID_ARG,
    ),
    (
        "incremental-after-image-recreated@pull",
        E33E89D,
        INVALID_ARG,
    ),
    (
        "incremental-over-bitmap-removed-offline",
        E33E89D,
        INVALID_ARG,
    ),
    ("incremental-over-disabled-bitmap", E33E89D, INVALID_ARG),
    ("incremental-over-inconsistent-bitmap", E33E89D, INVALID_ARG),
    ("incremental-over-bitmap-never-stored", E33E89D, INVALID_ARG),
    (
        "incremental-over-bitmap-lost-on-one-disk",
        E33E89D,
        INVALID_ARG,
    ),
    (
        "incremental-of-raw-disk@redefined-base",
        E33E89D,
        INVALID_ARG,
    ),
    ("middle-bitmap-lost@itself", E33E89D, INVALID_ARG),
    ("incremental-from-unknown-checkpoint", AB8CC7, INVALID_ARG),
    ("incremental-from-deleted-checkpoint", AB8CC7, INVALID_ARG),
    ("incremental-of-raw-disk@unknown-base", AB8CC7, INVALID_ARG),
    (
        "incremental-after-metadata-and-one-bitmap-lost",
        AB8CC7,
        INVALID_ARG,
    ),
    // The bitmap is good, and nobody looks for the metadata.
    ("incremental-after-metadata-lost", AB8CC7, None),
    (
        "redefine-validate-after-image-recreated",
        A4D4D2B,
        INVALID_ARG,
    ),
    ("redefine-validate-on-shut-off-domain", A4D4D2B, INVALID_ARG),
    (
        "redefine-validate-one-good-one-bad-disk",
        A4D4D2B,
        INVALID_ARG,
    ),
    ("redefine-validate-under-wrong-name", A4D4D2B, INVALID_ARG),
    (
        "redefine-validate-with-wrong-bitmap-attribute-accepted",
        A4D4D2B,
        INVALID_ARG,
    ),
];

/// What a mock answers to the call under test of a scenario, and whether all is as expected.
fn answer(version: Version, case: &Case) -> (Option<ErrorCode>, bool) {
    let scenario = case.scenario.as_ref().unwrap();
    let mut mock = Mock::of(version).unwrap();
    let identity = mock.identity().unwrap();
    let ran = run_scenario(&mut mock, &identity, &case.name, scenario, Extent::Whole).unwrap();
    let when = ran.transcript.when.unwrap();
    let as_expected = ran.checks.iter().all(|check| check.holds);
    (when.refusal().map(|error| error.code), as_expected)
}

fn seed() -> BTreeMap<String, Case> {
    let cases = Suite::Embedded.cases().unwrap().into_iter();
    let of_seed = |case: Case| Some((case.name.strip_prefix("seed/")?.to_owned(), case));
    cases.filter_map(of_seed).collect()
}

#[rstest]
#[case::before_the_fix(Version::new(6, 9, 0), ROWS.map(|(name, _, _)| name).into())]
#[case::after_it(Version::new(11, 3, 0), vec![])]
fn exactly_the_scenarios_about_the_fix_fail(
    #[case] version: Version,
    #[case] mut expected: Vec<&str>,
) {
    let seed = seed();
    let failed = |(name, case): (&'_ String, &Case)| {
        let (_, as_expected) = answer(version, case);
        (!as_expected).then(|| name.clone())
    };
    let failed: Vec<String> = seed.iter().filter_map(failed).collect();
    expected.sort_unstable();
    assert_eq!(failed, expected);
}

#[test]
fn each_fails_by_what_its_commit_has_changed() {
    let seed = seed();
    for (name, commit, expected) in ROWS {
        let case = &seed[name];
        let (found, _) = answer(Version::new(6, 9, 0), case);
        assert_eq!(found, expected, "{name}");
        let scenario = case.scenario.as_ref().unwrap();
        let is_named = scenario
            .refs
            .iter()
            .any(|reference| reference.contains(commit));
        assert!(is_named, "{name} does not name commit {commit}");
    }
}

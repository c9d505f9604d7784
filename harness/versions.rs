//! Other versions of libvirt, as far as they were measured: the scenarios of these areas give the
//! transcripts of 11.3 there, but for what `snapshots/divergences.yaml` lists. `ci/lab` shows the same
//! of real libvirt.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot do is a failure of the test"
)]

use backup_tck::divergence::Divergences;
use backup_tck::driver::Driver;
use backup_tck::driver::mock::Mock;
use backup_tck::model::Version;
use backup_tck::run::{Extent, run_scenario};
use backup_tck::snapshot::compare;
use backup_tck::suite::Suite;
use rstest::rstest;

/// Every scenario of these was run on real libvirt of each version from this one on, and the mock
/// follows it.
const MEASURED: [(&str, Version); 10] = [
    ("backup-begin", Version::new(7, 0, 0)),
    ("backup-job", Version::new(7, 0, 0)),
    ("bitmaps", Version::new(7, 0, 0)),
    ("checkpoint-create", Version::new(7, 0, 0)),
    ("checkpoint-delete", Version::new(7, 0, 0)),
    ("checkpoint-query", Version::new(7, 0, 0)),
    ("undefine", Version::new(7, 0, 0)),
    ("seed", Version::new(7, 0, 0)),
    ("recovery", Version::new(7, 0, 0)),
    ("reports", Version::new(7, 0, 0)),
];

fn known_differences() -> Divergences {
    let text = Suite::Embedded.divergences().unwrap();
    text.map_or_else(Divergences::default, |text| {
        Divergences::parse(&text).unwrap()
    })
}

#[rstest]
#[case::bullseye(Version::new(7, 0, 0))]
#[case::bookworm(Version::new(9, 0, 0))]
#[case::reference(Version::new(11, 3, 0))]
#[case::newest(Version::new(12, 8, 0))]
fn the_mock_of_a_version_answers_as_that_version(#[case] version: Version) {
    let known = known_differences();
    let mut mock = Mock::of(version).unwrap();
    let identity = mock.identity().unwrap();
    let mut ran = 0;
    for case in Suite::Embedded.cases().unwrap() {
        let scenario = case.scenario.as_ref().unwrap();
        let name = &case.name;
        let mut measured = MEASURED.iter();
        let is_measured = measured.any(|(area, since)| *area == case.area() && *since <= version)
            && scenario.applies_to(version);
        // libvirt dies there, and the mock does not.
        if !is_measured || known.crash(name, version).is_some() {
            continue;
        }
        let snapshot = Suite::Embedded.snapshot(name).unwrap().unwrap();
        let expected = known.expected(name, version, &snapshot).unwrap();
        let expected = expected.map_or(snapshot, |(text, _)| text);
        let scenario = known.expectation(name, version, scenario);
        let played = run_scenario(&mut mock, &identity, name, &scenario, Extent::Whole).unwrap();
        assert_eq!(compare(Some(&expected), &played.text), None, "{name}");
        assert!(played.checks.iter().all(|check| check.holds), "{name}");
        ran += 1;
    }
    assert!(ran > 230, "{ran} scenarios were run");
}

/// A line that is not in the snapshot would make the scenario broken on that version.
#[test]
fn every_known_difference_is_about_a_snapshot() {
    let known = known_differences();
    let cases = Suite::Embedded.cases().unwrap();
    for entry in known.all() {
        let is_about = |name: &&str| entry.scenario.hold(name);
        let names = cases.iter().map(|case| case.name.as_str());
        let names: Vec<_> = names.filter(is_about).collect();
        assert!(!names.is_empty(), "no scenario {}", entry.scenario);
        for name in names {
            let snapshot = Suite::Embedded.snapshot(name).unwrap();
            let snapshot = snapshot.unwrap_or_else(|| panic!("no snapshot of {name}"));
            let changed = entry.apply(&snapshot).unwrap();
            assert_eq!(changed == snapshot, entry.is_crash(), "{name}");
        }
    }
}

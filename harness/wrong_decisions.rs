//! A proof that accepts every decision proves nothing: of each decision a tempting wrong one is
//! executed, and must be caught by the claim that it breaks.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot do is a failure of the test"
)]

mod ended_job;
mod hole;
mod silent;
mod wrong;

use std::collections::BTreeSet;

use backup_tck::driver::mock::Mock;
use backup_tck::model::{CleanUpKind, Decision};
use backup_tck::suite::Suite;
use ended_job::End;
use wrong::WRONG;

#[test]
fn each_wrong_decision_is_caught() {
    let mut missed = Vec::new();
    for wrong in WRONG {
        let (broken, fails) = wrong.found(&mut Mock::newest());
        if !fails || !wrong.is_caught_by(&broken) {
            missed.push(format!("{}: broken are {broken:?}", wrong.name));
        }
    }
    assert!(missed.is_empty(), "not caught:\n{}", missed.join("\n"));
}

/// What was recorded on real libvirt holds each of the ten decisions and of the five clean-up steps,
/// executed and proven.
#[test]
fn every_decision_and_clean_up_step_is_in_the_suite() {
    let suite = Suite::Embedded;
    let names = suite.cases().unwrap().into_iter().map(|case| case.name);
    let snapshots: Vec<String> = names
        .filter_map(|name| suite.snapshot(&name).unwrap())
        .collect();
    let has = |line: &str| {
        let is_proven = |text: &&String| text.contains(line) && text.contains("\nproof\n");
        snapshots.iter().any(|text| is_proven(&text))
    };
    for decision in Decision::ALL {
        assert!(has(&format!("\ndecision  {decision} (")), "{decision}");
    }
    for kind in CleanUpKind::ALL {
        assert!(
            has(&format!("\n  clean-up  {} ", kind.as_str())),
            "{}",
            kind.as_str()
        );
    }
    assert!(!has("\ndecision  no-such-decision ("));
}

/// Not every fault is refused: of some nobody is told.
#[test]
fn what_libvirt_does_not_tell_the_data_does() {
    silent::assert_only_data_tells(&mut Mock::newest());
}

/// The checkpoint of an attempt that nobody read is a good base to libvirt. What restores from it lacks
/// the writes between the last backup and the attempt.
#[test]
fn an_uncommitted_base_restores_with_a_hole() {
    let difference = hole::difference(&mut Mock::newest());
    assert_eq!(difference, "byte 4194304 is 0x00 instead of 0xa2");
}

/// What began well and came to nothing is decided by the job's end, and its checkpoint goes.
#[test]
fn a_job_that_was_cancelled_is_taken_again_from_the_old_base() {
    for end in [End::Aborted, End::Killed, End::NoSpace] {
        ended_job::assert_recovers(&mut Mock::newest(), end);
    }
}

/// The same scenarios pass where the decision is the judge's.
#[test]
fn each_right_decision_is_proven() {
    for wrong in WRONG {
        let right = wrong::Wrong {
            alter: |_| {},
            change: |_| {},
            ..*wrong
        };
        let (broken, fails) = right.found(&mut Mock::newest());
        assert!(!fails && broken.is_empty(), "{}: {broken:?}", wrong.name);
    }
}

#[test]
fn every_decision_has_a_tempting_wrong_one() {
    let tried: BTreeSet<&str> = WRONG.iter().map(|wrong| wrong.right.as_str()).collect();
    let all: BTreeSet<&str> = Decision::ALL
        .iter()
        .map(|decision| decision.as_str())
        .collect();
    assert_eq!(tried, all);
    let names: BTreeSet<&str> = WRONG.iter().map(|wrong| wrong.name).collect();
    assert_eq!(names.len(), WRONG.len(), "each has a name of its own");
    assert!(
        WRONG.iter().filter(|wrong| wrong.waits).count() <= 1,
        "each costs 30 s"
    );
}

/// The table of every way in which a bitmap breaks: each is shown by a scenario, or by data that only
/// the proof tells of, or it says why nothing shows it.
#[test]
fn every_way_in_which_a_bitmap_breaks_is_shown_or_argued() {
    let table = include_str!("../scenarios/CORRUPTION.tsv");
    let names = Suite::Embedded.cases().unwrap().into_iter();
    let names: BTreeSet<String> = names.map(|case| case.name).collect();
    let mut told = BTreeSet::new();
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("id\tclass\tshown-by\twhy-not"));
    for line in lines {
        let cells: Vec<&str> = line.split('\t').collect();
        let [id, class, shown_by, why_not] = cells[..] else {
            panic!("{line}");
        };
        assert!(told.insert(id), "{id} stands there twice");
        match shown_by.strip_prefix("silent: ") {
            Some(what) => {
                assert_eq!(class, "SILENT", "{id}");
                let mut known = silent::SILENT.iter();
                assert!(known.any(|(known, _)| *known == what), "{line}");
            }
            None if shown_by == "-" => assert!(!why_not.is_empty(), "{id} says nothing"),
            None => assert!(names.contains(shown_by), "{line}"),
        }
        assert!(shown_by == "-" || why_not.is_empty(), "{id} says both");
    }
}

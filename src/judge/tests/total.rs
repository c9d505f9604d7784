//! What holds of every decision, whatever the facts.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::arbitrary::{any_facts, calm_facts};
use crate::judge::{BitmapHealth, Decided, Facts, Judgement, PROBES, Probe, decide};
use crate::model::{
    Api, BitmapRow, CleanUp, CleanUpKind, CleanUpTime, Decision, DiskPart, Request,
};

/// How many questions can be asked at all: each once, and one for each name.
const MOST_PROBES: usize = 13 + 6;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn whatever_is_missing_can_be_asked_for(facts in any_facts(0.5)) {
        if let Judgement::Need(probe) = decide(&facts) {
            prop_assert!(!knows(&facts, &probe), "{probe} is known already");
        }
    }

    /// Asking step by step comes to what knowing everything from the start comes to.
    #[test]
    fn it_does_not_matter_when_a_fact_is_learnt(
        all in prop_oneof![any_facts(1.0), calm_facts()],
    ) {
        let mut facts = Facts { observed: crate::judge::Observed::default(), ..all.clone() };
        let mut asked = 0;
        let decided = loop {
            match decide(&facts) {
                Judgement::Decided(decided) => break decided,
                Judgement::Need(probe) => {
                    asked += 1;
                    prop_assert!(asked <= MOST_PROBES, "{probe} again and again");
                    answer(&mut facts, &all, probe);
                }
            }
        };
        let mut known = all;
        // Without a way to the monitor the bitmaps are not seen, and each health is what was told.
        if !known.records.can_use_monitor {
            known.observed.bitmaps = None;
            known.observed.bitmap_health = facts.observed.bitmap_health.clone();
        }
        prop_assert_eq!(decide(&known), Judgement::Decided(decided));
    }

    #[test]
    fn nothing_is_deleted_that_can_still_be_used(
        facts in prop_oneof![any_facts(1.0), calm_facts()],
    ) {
        let Judgement::Decided(decided) = decide(&facts) else { return Ok(()) };
        is_harmless(&facts, &decided)?;
    }

    /// Whoever cannot tell everything gets an answer as well, and deletes nothing by guess.
    #[test]
    fn what_cannot_be_known_is_not_guessed(
        mut facts in any_facts(0.6),
        unanswerable in proptest::sample::subsequence(
            PROBES.map(|probe| probe.name).to_vec(), 0..=PROBES.len(),
        ),
    ) {
        let unanswerable = unanswerable.into_iter().map(str::to_owned);
        facts.records.unanswerable = unanswerable.collect();
        match decide(&facts) {
            Judgement::Need(probe) => {
                prop_assert!(!facts.records.unanswerable.contains(probe.text().name));
            }
            Judgement::Decided(decided) => {
                facts.records.unanswerable.clear();
                // Where something would have had to be asked, nothing is deleted.
                if matches!(decide(&facts), Judgement::Need(_)) {
                    prop_assert!(decided.detail.clean_up.is_empty());
                }
            }
        }
    }

    #[test]
    fn a_base_is_verified_and_good(facts in prop_oneof![any_facts(1.0), calm_facts()]) {
        let Judgement::Decided(decided) = decide(&facts) else { return Ok(()) };
        let Some(base) = &decided.detail.base else { return Ok(()) };
        prop_assert!(facts.records.verified_checkpoints.contains(base));
        for (disk, part) in &decided.detail.disks {
            if *part == DiskPart::Incremental {
                prop_assert!(serves(&facts, base, disk), "{base} on {disk}");
            }
        }
    }

    #[test]
    fn facts_survive_their_json(facts in any_facts(0.5)) {
        let text = serde_json::to_string(&facts).unwrap();
        prop_assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), facts);
    }
}

/// The rules of safety, written down once more and without the judge's own words for them.
fn is_harmless(facts: &Facts, decided: &Decided) -> TestCaseResult {
    let steps = &decided.detail.clean_up;
    if decided.decision == Decision::InvestigateEscalate {
        prop_assert!(
            steps.is_empty(),
            "whoever investigates must find everything"
        );
    }
    let takes_a_backup = matches!(
        decided.decision,
        Decision::FullBackupNewChain
            | Decision::FullForAffectedDisks
            | Decision::IncrementalFromOtherGoodCheckpoint
    );
    for step in steps {
        let name = &step.checkpoint;
        let is_verified = facts.records.verified_checkpoints.contains(name);
        let is_wanted = facts.api == Api::CheckpointDelete.into()
            && facts.request.checkpoint.as_ref() == Some(name);
        if step.time == CleanUpTime::AfterVerifiedBackup {
            prop_assert!(
                takes_a_backup,
                "{step} waits for a backup that nobody takes"
            );
        } else if step.kind != CleanUpKind::ClearStuckBackupJob {
            prop_assert!(
                !is_verified || is_wanted,
                "{step}, which has a backup behind it"
            );
        }
        let deletes_bitmaps = matches!(
            step.kind,
            CleanUpKind::PurgeStaleBitmapLive
                | CleanUpKind::PurgeStaleBitmapOffline
                | CleanUpKind::DiscardUncommittedCheckpoint
        );
        let serves_somewhere = step.disks.iter().any(|disk| serves(facts, name, disk));
        let formats = facts.observed.disk_formats.iter().flatten();
        let request = facts.request.clone();
        let request = request.over(formats.map(|(disk, _)| disk.clone()));
        let requested = request.disk_names().collect::<BTreeSet<_>>();
        let is_foreign = |disk: &&String| !requested.contains(disk.as_str());
        let gone = step.disks.iter().filter(|disk| serves(facts, name, disk));
        if deletes_bitmaps && is_verified && !is_wanted {
            let foreign = gone.clone().find(is_foreign);
            prop_assert_eq!(foreign, None, "{} on a disk that nobody asked about", step);
        }
        let is_known = facts.records.are_about(name);
        let is_of_ended_job = facts.error.is_none() && request.checkpoint.as_ref() == Some(name);
        let carries = |row: &&BitmapRow| row.name == *name;
        let mut rows = facts.observed.bitmaps.iter().flat_map(|table| &table.0);
        let is_useless = rows.clone().any(|row| carries(&row))
            && rows.all(|row| !carries(&row) || row.inconsistent);
        if step.kind != CleanUpKind::ClearStuckBackupJob {
            prop_assert!(
                is_known || is_of_ended_job || is_wanted || is_useless,
                "{} may be another's",
                step
            );
        }
        if step.kind == CleanUpKind::DiscardUncommittedCheckpoint {
            let runs = facts.observed.backup == Some(true);
            prop_assert!(
                !runs || facts.error.is_none(),
                "{} may be the running job's",
                step
            );
        }
        // What can serve goes only with the chain it belongs to, and when the caller says so.
        let retires = decided.decision == Decision::FullBackupNewChain;
        if deletes_bitmaps && is_verified && serves_somewhere && !is_wanted {
            prop_assert!(
                retires && is_broken_somewhere(facts, &request, step),
                "{step} can still serve"
            );
        }
    }
    Ok(())
}

/// A verified checkpoint whose bitmap libvirt takes for good, on the image it was made on.
fn serves(facts: &Facts, name: &str, disk: &str) -> bool {
    if facts.records.rule_out(disk, name) {
        return false;
    }
    let Some(table) = facts.observed.bitmaps.as_ref() else {
        let health = facts
            .observed
            .bitmap_health
            .get(name)
            .and_then(|disks| disks.get(disk));
        return health == Some(&BitmapHealth::Good);
    };
    let rows = table
        .0
        .iter()
        .filter(|row| row.disk == disk && row.name == name);
    let mut layers = Vec::new();
    for row in rows {
        if !row.persistent || !row.recording || row.inconsistent {
            return false;
        }
        layers.push(row.layer);
    }
    !layers.is_empty() && layers.iter().zip(0..).all(|(layer, at)| *layer == at)
}

/// One that does not serve on every disk that the request wants, or that it is on.
fn is_broken_somewhere(facts: &Facts, request: &Request, step: &CleanUp) -> bool {
    let name = &step.checkpoint;
    let needed = request.needed().filter(|(_, base)| base == name);
    let mut disks = needed
        .map(|(disk, _)| disk)
        .chain(step.disks.iter().map(String::as_str));
    disks.any(|disk| !serves(facts, name, disk))
}

fn knows(facts: &Facts, probe: &Probe) -> bool {
    let seen = &facts.observed;
    match probe {
        Probe::DomainState => seen.domain_state.is_some(),
        Probe::DiskFormats => seen.disk_formats.is_some(),
        Probe::Checkpoints => seen.checkpoints.is_some(),
        Probe::Job => seen.job.is_some(),
        Probe::CompletedJob => seen.completed_job.is_some(),
        Probe::Backup => seen.backup.is_some(),
        Probe::BlockJobs => seen.block_jobs.is_some(),
        Probe::Files => seen.files.is_some(),
        Probe::Server => seen.server.is_some(),
        Probe::MetadataStore => seen.metadata_store.is_some(),
        Probe::ImageVersions => seen.image_versions.is_some(),
        Probe::StoredBitmaps => seen.stored_bitmaps.is_some(),
        Probe::Bitmaps => seen.bitmaps.is_some(),
        Probe::BitmapHealth { checkpoint, disks } => {
            let known = seen.bitmap_health.get(checkpoint);
            known.is_some_and(|known| disks.iter().all(|disk| known.contains_key(disk)))
        }
    }
}

fn answer(facts: &mut Facts, all: &Facts, probe: Probe) {
    let (seen, all) = (&mut facts.observed, &all.observed);
    match probe {
        Probe::DomainState => seen.domain_state = all.domain_state,
        Probe::DiskFormats => seen.disk_formats.clone_from(&all.disk_formats),
        Probe::Checkpoints => seen.checkpoints.clone_from(&all.checkpoints),
        Probe::Job => seen.job = all.job,
        Probe::CompletedJob => seen.completed_job = all.completed_job,
        Probe::Backup => seen.backup = all.backup,
        Probe::BlockJobs => seen.block_jobs.clone_from(&all.block_jobs),
        Probe::Files => seen.files.clone_from(&all.files),
        Probe::Server => seen.server.clone_from(&all.server),
        Probe::MetadataStore => seen.metadata_store.clone_from(&all.metadata_store),
        Probe::ImageVersions => seen.image_versions.clone_from(&all.image_versions),
        Probe::StoredBitmaps => seen.stored_bitmaps.clone_from(&all.stored_bitmaps),
        Probe::Bitmaps => seen.bitmaps.clone_from(&all.bitmaps),
        Probe::BitmapHealth { checkpoint, disks } => {
            let known = all
                .bitmap_health
                .get(&checkpoint)
                .cloned()
                .unwrap_or_default();
            let health = |disk: String| {
                let health = known.get(&disk).copied().unwrap_or(BitmapHealth::Bad);
                (disk, health)
            };
            let health: BTreeMap<_, _> = disks.into_iter().map(health).collect();
            seen.bitmap_health.insert(checkpoint, health);
        }
    }
}

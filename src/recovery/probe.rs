//! Each probe of the judge, asked through the driver: the answer as a fact, and in words.

use std::collections::BTreeMap;

use crate::driver::DriverError;
use crate::judge::{BitmapHealth, CompletedJob, Facts, Place, Probe, RunningJob};
use crate::model::{BitmapRow, BitmapTable, Param, Request, on_layer};
use crate::plan::SavedCheckpoint;
use crate::session::Session;

/// `VIR_DOMAIN_JOB_OPERATION_BACKUP`.
const OPERATION_BACKUP: u64 = 9;

/// Fetches one answer, and gives it in words.
pub(super) fn fetch(
    session: &mut Session<'_>,
    facts: &mut Facts,
    probe: &Probe,
) -> Result<String, DriverError> {
    let observed = &mut facts.observed;
    Ok(match probe {
        Probe::DomainState => {
            let state = session.domain_state()?;
            observed.domain_state = Some(state);
            state.to_string()
        }
        Probe::DiskFormats => told(&mut observed.disk_formats, session.disk_formats()?),
        Probe::Checkpoints => {
            let checkpoints = checkpoints(session)?;
            let text = listed(checkpoints.keys().cloned(), " ");
            observed.checkpoints = Some(checkpoints);
            text
        }
        Probe::Job => {
            let (job, text) = running(&session.job_stats(false)?);
            observed.job = Some(job);
            text.to_owned()
        }
        Probe::CompletedJob => {
            let (job, text) = completed(&session.job_stats(true)?);
            observed.completed_job = Some(job);
            text.to_owned()
        }
        Probe::Backup => {
            let registered = session.has_backup()?;
            observed.backup = Some(registered);
            if registered { "yes" } else { "no" }.to_owned()
        }
        Probe::BlockJobs => {
            let disks = session.disks().iter();
            let disks: Vec<String> = disks.map(|disk| disk.target.clone()).collect();
            let jobs = session.block_jobs(&disks)?;
            let words = jobs.iter();
            let words = words.map(|(disk, job)| format!("{disk} has one of type {job}"));
            let text = listed(words, ", ");
            observed.block_jobs = Some(jobs);
            text
        }
        Probe::Files => {
            let paths = facts.request.files().map(str::to_owned).collect();
            let there = session.find_files(paths)?;
            let text = listed(there.iter().cloned(), " ");
            observed.files = Some(there.into_iter().collect());
            text
        }
        Probe::Server => {
            let reason = match &facts.request.server {
                Some(server) => session.probe_server(server, facts.request.tls)?,
                None => None,
            };
            usable(&mut observed.server, reason, "can listen")
        }
        Probe::MetadataStore => {
            let reason = session.probe_metadata_store()?;
            usable(&mut observed.metadata_store, reason, "writable")
        }
        Probe::ImageVersions => told(&mut observed.image_versions, session.image_versions()?),
        Probe::StoredBitmaps => {
            let text = bitmaps(&mut observed.stored_bitmaps, session.bitmaps()?);
            facts.request.checkpoint.as_ref().map_or(text, |name| {
                let stored = observed.stored_bitmaps.iter().flat_map(|table| &table.0);
                let on = stored
                    .filter(|row| row.name == *name)
                    .map(|row| row.disk.clone());
                format!("bitmap {name} on {}", listed(on, " "))
            })
        }
        Probe::Bitmaps => {
            let table = session.bitmaps()?;
            let text = seen(&table.0, &facts.request);
            observed.bitmaps = Some(table);
            text
        }
        Probe::BitmapHealth { checkpoint, disks } => {
            let health = session.bitmap_health(checkpoint, disks)?;
            let word = |good: bool| if good { "good" } else { "109" };
            let words = health
                .iter()
                .map(|(disk, good)| format!("{disk} {}", word(*good)));
            let text = listed(words, ", ");
            let health = health.into_iter().map(|(disk, good)| {
                let health = if good {
                    BitmapHealth::Good
                } else {
                    BitmapHealth::Bad
                };
                (disk, health)
            });
            observed
                .bitmap_health
                .insert(checkpoint.clone(), health.collect());
            text
        }
    })
}

/// The defined checkpoints, and the disks of each by its document.
fn checkpoints(session: &mut Session<'_>) -> Result<BTreeMap<String, Vec<String>>, DriverError> {
    let mut checkpoints = BTreeMap::new();
    for name in session.checkpoints()? {
        let document = session.checkpoint_document(&name)?;
        let document = document.and_then(|xml| SavedCheckpoint::of(&xml));
        let disks = document.map(|document| document.disks).unwrap_or_default();
        checkpoints.insert(name, disks.into_iter().map(|(disk, _)| disk).collect());
    }
    Ok(checkpoints)
}

pub(super) fn running(stats: &BTreeMap<String, Param>) -> (RunningJob, &'static str) {
    match (number(stats, "type"), number(stats, "operation")) {
        (0, _) => (RunningJob::None, "none"),
        (_, OPERATION_BACKUP) => (RunningJob::Backup, "a backup"),
        (_, _) => (RunningJob::Other, "another one"),
    }
}

fn completed(stats: &BTreeMap<String, Param>) -> (CompletedJob, &'static str) {
    match number(stats, "type") {
        3 => (CompletedJob::Completed, "completed"),
        4 => (CompletedJob::Failed, "failed"),
        5 => (CompletedJob::Cancelled, "cancelled"),
        _ => (CompletedJob::None, "none"),
    }
}

/// 0 where libvirt tells no such number.
fn number(stats: &BTreeMap<String, Param>, name: &str) -> u64 {
    match stats.get(name) {
        Some(Param::Unsigned(number)) => *number,
        Some(Param::Bool(_) | Param::Signed(_) | Param::Double(_) | Param::Text(_)) | None => 0,
    }
}

/// Keeps what was seen of each disk, and gives it in words.
fn told<T: ToString>(fact: &mut Option<BTreeMap<String, T>>, seen: BTreeMap<String, T>) -> String {
    let words = seen
        .iter()
        .map(|(disk, word)| format!("{disk} {}", word.to_string()));
    let text = listed(words, ", ");
    *fact = Some(seen);
    text
}

fn usable(fact: &mut Option<Place>, reason: Option<String>, otherwise: &str) -> String {
    let text = reason.clone().unwrap_or_else(|| otherwise.to_owned());
    *fact = Some(reason.map_or(Place::Usable, Place::Unusable));
    text
}

fn bitmaps(fact: &mut Option<BitmapTable>, table: BitmapTable) -> String {
    let text = format!("{} bitmaps", table.0.len());
    *fact = Some(table);
    text
}

fn listed(words: impl Iterator<Item = String>, between: &str) -> String {
    let words: Vec<String> = words.collect();
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(between)
    }
}

/// What the block nodes say about the bitmaps that the request needs, or is about.
fn seen(rows: &[BitmapRow], request: &Request) -> String {
    let on_disk = |(disk, name): (&str, &str)| {
        let found = rows
            .iter()
            .filter(|row| row.disk == disk && row.name == name);
        let found: Vec<&BitmapRow> = found.collect();
        let unusable = found.iter().find(|row| !row.is_usable());
        let has_gap = || {
            found
                .windows(2)
                .any(|pair| pair[0].layer + 1 < pair[1].layer)
        };
        let (word, layer) = match (found.first(), unusable) {
            (None, _) => ("missing", 0),
            (_, Some(row)) if row.inconsistent => ("inconsistent", row.layer),
            (_, Some(row)) if !row.recording => ("disabled", row.layer),
            (Some(top), _) if top.layer > 0 => ("below the top layer", 0),
            (Some(_), _) if has_gap() => ("missing in between", 0),
            (Some(_), _) => ("present", 0),
        };
        format!("bitmap {name} {word} on {}", on_layer(disk, layer))
    };
    let words: Vec<String> = request.needed().map(on_disk).collect();
    if !words.is_empty() {
        return words.join(", ");
    }
    let Some(name) = &request.checkpoint else {
        return format!("{} bitmaps", rows.len());
    };
    let on = rows
        .iter()
        .filter(|row| row.name == *name)
        .map(|row| row.disk.clone());
    format!("bitmap {name} on {}", listed(on, " "))
}

//! Asking the judge, and fetching what it needs to know.

use std::collections::BTreeSet;

use crate::driver::DriverError;
use crate::judge::{Detail, Facts, Judgement, Observed, Probe, Records, ServerPlace, decide};
use crate::model::{BitmapRow, Call, LibvirtError, Request};
use crate::session::Session;
use crate::transcript::{Conclusion, ProbeRecord};

/// Decides what to do after `error`, asking the host what the judge needs to know.
pub fn conclude(
    session: &mut Session<'_>,
    call: &Call,
    error: &LibvirtError,
) -> Result<Conclusion, DriverError> {
    let verified = session
        .ledger()
        .verified_checkpoints()
        .map(str::to_owned)
        .collect();
    let mut facts = Facts {
        api: call.api,
        error: error.clone(),
        request: session.request_of(call),
        observed: Observed::default(),
        records: Records {
            verified_checkpoints: verified,
            saved_checkpoints: session
                .ledger()
                .saved_checkpoints()
                .map(str::to_owned)
                .collect(),
            restored_and_not_resumed: session.ledger().is_restored_and_not_resumed(),
        },
    };
    let mut probes = Vec::new();
    loop {
        match decide(&facts) {
            Judgement::Need(probe) => {
                let answer = fetch(session, &mut facts, probe)?;
                let record = ProbeRecord {
                    probe: probe.to_string(),
                    answer,
                };
                if probes.contains(&record) {
                    let text = format!("the judge asks for {probe} again and again");
                    return Err(DriverError::Failed(text));
                }
                probes.push(record);
            }
            Judgement::Decided(decided) => {
                let Detail {
                    base,
                    disks,
                    clean_up,
                } = decided.detail;
                return Ok(Conclusion {
                    decision: decided.decision,
                    base,
                    disks,
                    clean_up,
                    rule: decided.rule,
                    because: decided.because,
                    sources: decided.sources,
                    probes,
                });
            }
        }
    }
}

/// Fetches one answer, and gives it in words.
fn fetch(
    session: &mut Session<'_>,
    facts: &mut Facts,
    probe: Probe,
) -> Result<String, DriverError> {
    let observed = &mut facts.observed;
    Ok(match probe {
        Probe::DomainState => {
            let state = session.domain_state()?;
            observed.domain_state = Some(state);
            state.to_string()
        }
        Probe::DiskFormats => {
            let formats = session
                .disks()
                .iter()
                .map(|disk| (disk.target.clone(), disk.image.format));
            let formats: std::collections::BTreeMap<_, _> = formats.collect();
            let text: Vec<String> = formats
                .iter()
                .map(|(disk, format)| format!("{disk} {format}"))
                .collect();
            observed.disk_formats = Some(formats);
            text.join(", ")
        }
        Probe::Checkpoints => {
            let names = session.checkpoints()?;
            let text = listed(names.iter().cloned()).replace(", ", " ");
            observed.checkpoints = Some(BTreeSet::from_iter(names));
            text
        }
        Probe::BlockJobs => {
            let disks: Vec<String> = facts.request.disk_names().map(str::to_owned).collect();
            let jobs = session.block_jobs(&disks)?;
            let told = |(disk, job): (&String, &u64)| format!("{disk} has one of type {job}");
            let text = listed(jobs.iter().map(told));
            observed.block_jobs = Some(jobs);
            text
        }
        Probe::Server => {
            let reason = match &facts.request.server {
                Some(server) => session.probe_server(server)?,
                None => None,
            };
            let text = reason.clone().unwrap_or_else(|| "can listen".to_owned());
            observed.server = Some(reason.map_or(ServerPlace::Usable, ServerPlace::Unusable));
            text
        }
        Probe::Bitmaps => {
            let bitmaps = session.bitmaps()?;
            let text = seen(&bitmaps.0, &facts.request);
            observed.bitmaps = Some(bitmaps);
            text
        }
    })
}

fn listed(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(", ")
    }
}

/// What the block nodes say about the bitmaps that the request needs.
fn seen(rows: &[BitmapRow], request: &Request) -> String {
    let on_disk = |(disk, name): (&str, &str)| {
        let mut found = rows
            .iter()
            .filter(|row| row.disk == disk && row.name == name);
        let word = match found.next() {
            None => "missing",
            Some(row) if row.inconsistent => "inconsistent",
            Some(row) if !row.recording => "disabled",
            Some(row) if row.layer > 0 => "below the top layer",
            Some(_) => "present",
        };
        format!("bitmap {name} {word} on {disk}")
    };
    let words: Vec<String> = request.needed().map(on_disk).collect();
    if words.is_empty() {
        format!("{} bitmaps", rows.len())
    } else {
        words.join(", ")
    }
}

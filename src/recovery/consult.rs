//! Asking the judge, and fetching what it needs to know.

use std::collections::BTreeSet;

use super::probe::fetch;
use crate::driver::DriverError;
use crate::judge::{Decided, Detail, Facts, Judgement, Observed, Records, decide};
use crate::model::{Call, Client, LibvirtError};
use crate::session::{Ledger, Session};
use crate::transcript::{Conclusion, ProbeRecord};

/// A decision, and what was known when it was made.
#[derive(Clone, Debug)]
pub struct Consultation {
    /// The decision, for the record.
    pub conclusion: Conclusion,
    /// What it rests on.
    pub facts: Facts,
}

/// Decides what to do after `error`, or, where the call succeeded, after the end of its job, asking
/// the host what the judge needs to know.
///
/// # Errors
/// The driver could not find something out.
pub fn conclude(
    session: &mut Session<'_>,
    call: &Call,
    error: Option<&LibvirtError>,
    client: Client,
) -> Result<Consultation, DriverError> {
    let mut facts = Facts {
        api: call.api.into(),
        error: error.map(Into::into),
        request: session.request_of(call),
        observed: Observed::default(),
        records: records(session.ledger(), client),
    };
    let mut asked = Vec::new();
    let mut probes = Vec::new();
    loop {
        match decide(&facts) {
            Judgement::Need(probe) => {
                if asked.contains(&probe) {
                    let text = format!("the judge asks for {probe} again and again");
                    return Err(DriverError::Failed(text));
                }
                let answer = fetch(session, &mut facts, &probe)?;
                probes.push(ProbeRecord {
                    probe: probe.to_string(),
                    answer,
                });
                asked.push(probe);
            }
            Judgement::Decided(decided) => {
                let conclusion = recorded(decided, probes);
                return Ok(Consultation { conclusion, facts });
            }
        }
    }
}

/// What a careful client has in its books.
fn records(ledger: &Ledger, client: Client) -> Records {
    let owned = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect();
    Records {
        verified_checkpoints: ledger.verified_checkpoints().map(str::to_owned).collect(),
        verified_disks: ledger.verified_disks(),
        own_checkpoints: owned(&mut ledger.own_checkpoints()),
        saved_checkpoints: owned(&mut ledger.saved_checkpoints()),
        uncommitted_checkpoints: owned(&mut ledger.uncommitted_checkpoints()),
        replaced_disks: ledger.replaced_disks(),
        can_mix: !client.no_mixing,
        may_start: !client.no_start,
        can_use_monitor: !client.no_monitor,
        restored_and_not_resumed: Some(ledger.is_restored_and_not_resumed()),
        unanswerable: BTreeSet::new(),
    }
}

fn recorded(decided: Decided, probes: Vec<ProbeRecord>) -> Conclusion {
    let Detail {
        base,
        disks,
        clean_up,
    } = decided.detail;
    Conclusion {
        decision: decided.decision,
        base,
        disks,
        clean_up,
        rule: decided.rule,
        because: decided.because,
        sources: decided.sources,
        probes,
    }
}

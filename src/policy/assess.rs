//! What a client's run has come to: shown by its next run, and by what it can restore.

use std::collections::BTreeSet;

use super::client::{Client, End, Flow};
use super::debris::{JOB, debris};
use super::outcome::{Outcome, Played};
use super::rule::CallWord;
use crate::driver::DriverError;
use crate::model::{Api, Call, Decision, DomainState, flags};
use crate::recovery::prove_older_backups;

impl Client<'_, '_> {
    /// The outcome. `before` is what lay about before the call under test.
    pub(super) fn assess(
        mut self,
        end: End,
        decision: Decision,
        before: &BTreeSet<String>,
    ) -> Result<Played, DriverError> {
        if end == End::NotCalled {
            return Ok(Played {
                outcome: Outcome::NotCalled,
                debris: Vec::new(),
                steps: self.steps,
            });
        }
        if end == End::Done && self.asked == CallWord::BackupBegin && !self.backed_up {
            self.believe()?;
        }
        self.let_time_pass()?;
        // A refused start makes libvirt forget a job that still runs: it is looked for before.
        let has_job = self.session.has_backup()?;
        let is_good = end != End::Circle && self.next_run()?;
        let older = prove_older_backups(self.session)?.proof;
        if let Some(line) = older.into_iter().find(|line| !line.holds) {
            self.lost
                .get_or_insert(format!("{}: {}", line.claim, line.found));
        }
        if end == End::Done && self.asked == CallWord::CheckpointDelete {
            self.look_for_what_was_to_go()?;
        }
        let mut left = debris(self.session)?;
        left.extend(has_job.then(|| JOB.to_owned()));
        let is_needless = self.full && decision != Decision::FullBackupNewChain;
        let outcome = if let Some(lost) = &self.lost {
            self.steps.push(format!("restored otherwise: {lost}"));
            Outcome::LosesData
        } else {
            match end {
                End::Circle => Outcome::Loops,
                End::Done | End::GaveUp if is_good && is_needless => Outcome::NeedlessFull,
                End::Done if is_good => Outcome::Recovers,
                End::Done | End::GaveUp | End::NotCalled => Outcome::GivesUp,
            }
        };
        let has_stopped = matches!(outcome, Outcome::GivesUp | Outcome::Loops);
        if outcome == Outcome::LosesData {
            return Ok(Played {
                outcome,
                debris: Vec::new(),
                steps: self.steps,
            });
        }
        // Who has stopped has left alone what was there.
        let own = left
            .into_iter()
            .filter(|what| !has_stopped || !before.contains(what));
        Ok(Played {
            outcome,
            debris: own.chain(self.harm).collect(),
            steps: self.steps,
        })
    }

    /// The client takes a checkpoint for deleted.
    fn look_for_what_was_to_go(&mut self) -> Result<(), DriverError> {
        let Some(name) = self.request.checkpoint.clone() else {
            return Ok(());
        };
        let is_gone = self.session.domain_state()? == DomainState::Gone;
        if !is_gone && self.session.checkpoints()?.contains(&name) {
            self.harm
                .push(format!("checkpoint {name}, which was to go"));
        }
        Ok(())
    }

    /// The client takes its backup for done: what it has must be what the disk is now.
    fn believe(&mut self) -> Result<(), DriverError> {
        let ledger = self.session.ledger();
        let Some(backup) = ledger
            .backups()
            .iter()
            .rev()
            .find(|backup| backup.verified)
            .cloned()
        else {
            self.lost = Some("there is no backup at all".to_owned());
            return Ok(());
        };
        for taken in &backup.disks {
            let ledger = self.session.ledger();
            let chain = ledger.restore_chain(&backup, &taken.disk);
            let (Some(chain), Some(now)) = (chain, ledger.content(&taken.disk).cloned()) else {
                continue;
            };
            let found = self.session.read_chain(chain)?;
            if let Some(difference) = now.difference(&found) {
                self.lost = Some(format!("{}: {difference}", taken.disk));
            }
        }
        Ok(())
    }

    /// The client's next run, a day later: whether it can take its incremental backup.
    fn next_run(&mut self) -> Result<bool, DriverError> {
        match self.session.domain_state()? {
            DomainState::Gone => return Ok(true),
            DomainState::Shutoff => {
                let start = Call::new(Api::DomainCreate, &self.session.place().domain);
                let start = start.flags(flags::START_PAUSED);
                let record = self.session.call("start-paused", &start)?;
                if let Some(error) = record.refusal() {
                    self.steps
                        .push(format!("next run: start-paused: {}", error.code));
                    return Ok(false);
                }
            }
            DomainState::Paused if self.session.ledger().is_restored_and_not_resumed() => {
                let resume = Call::new(Api::DomainResume, &self.session.place().domain);
                self.session.call("resume", &resume)?;
            }
            DomainState::Running | DomainState::Paused | DomainState::Other => {}
        }
        self.steps.push("next run".to_owned());
        Ok(match self.back_up_from_base()? {
            Flow::Next => true,
            Flow::Refused(_) | Flow::Ended(_) => false,
        })
    }
}

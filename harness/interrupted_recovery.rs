//! A recovery that cannot be brought to its end deletes nothing that could still be used, and says
//! what happened.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot do is a failure of the test"
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use backup_tck::driver::mock::Mock;
use backup_tck::driver::{Crash, Driver, DriverError, Host, Libvirt};
use backup_tck::model::{
    Action, Answer, Api, Call, Decision, ErrorCode, Identity, JobEvent, Observation, Place, Raised,
    Value, flags,
};
use backup_tck::run::{Extent, Ran, Stopped, run_scenario};
use backup_tck::scenario::{Expectation, Scenario, Spanned, Step, parse};
use backup_tck::suite::Suite;
use rstest::rstest;

/// What befalls the host after the call under test was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    None,
    /// The driver's process dies instead of doing this many things.
    DiesAfter(usize),
    /// Nothing can be restored: there is no space for it.
    NoSpaceToRestore,
    /// The backups that the recovery takes fail, as on a full target.
    TargetFillsUp,
    /// A definition is said to be put back, and is not.
    KeepsProbedDefinition,
    /// The bitmaps are whole again when they are looked at for the second time.
    BitmapsHeal,
}

/// A mock that something befalls, and what was asked of it since.
struct Spied {
    mock: Mock,
    fault: Fault,
    /// The refusal that the scenario is about.
    awaited: Option<ErrorCode>,
    is_refused: bool,
    /// How many refusals of its history bear the same code.
    earlier: usize,
    looks: usize,
    done: Vec<Done>,
}

/// What was done after the refusal, as far as it matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Done {
    /// A bitmap was deleted.
    Deletion,
    /// A backup began.
    Backup,
    /// Data was restored.
    Restore,
    Other,
}

impl Spied {
    fn new(fault: Fault, scenario: &Scenario) -> Self {
        let awaited = match &scenario.then {
            Expectation::Refusal(refusal) => Some(refusal.error),
            Expectation::Success => None,
        };
        let is_alike = |step: &&Spanned<Step>| {
            let Step::Call(call) = &step.value else {
                return false;
            };
            let refused = call.refused.as_ref().map(|code| code.value.0);
            refused.is_some() && refused == awaited
        };
        Self {
            mock: Mock::newest(),
            fault,
            awaited,
            is_refused: false,
            earlier: scenario.history.iter().filter(is_alike).count(),
            looks: 0,
            done: Vec::new(),
        }
    }

    /// Takes note of what is to be done; an error where the driver dies instead.
    fn take_note(&mut self, done: Done) -> Result<(), DriverError> {
        if !self.is_refused {
            return Ok(());
        }
        if self.fault == Fault::DiesAfter(self.done.len()) {
            return Err(DriverError::Crashed(Box::new(Crash {
                end: "signal 9 (SIGKILL)".to_owned(),
                call: "something".to_owned(),
                log: Vec::new(),
            })));
        }
        self.done.push(done);
        Ok(())
    }
}

impl Libvirt for Spied {
    fn call(&mut self, call: &Call) -> Result<Answer, DriverError> {
        self.take_note(if call.api == Api::CheckpointDelete && call.flags == 0 {
            Done::Deletion
        } else if call.api == Api::DomainBackupBegin {
            Done::Backup
        } else {
            Done::Other
        })?;
        let is_put_back = call.api == Api::CheckpointCreate
            && call.flags == flags::CHECKPOINT_CREATE_REDEFINE
            && call
                .xml
                .as_ref()
                .is_some_and(|xml| xml.contains("<domain "));
        if is_put_back && self.fault == Fault::KeepsProbedDefinition {
            return Ok(Answer::Returned(Value::Name("c1".to_owned())));
        }
        let answer = self.mock.call(call)?;
        if let Answer::Refused(error) = &answer {
            // The runner looks at the host by these all the time.
            let is_a_look = matches!(
                call.api,
                Api::DomainGetState | Api::DomainBackupGetXmlDesc | Api::DomainListAllCheckpoints
            );
            if !is_a_look && self.awaited == Some(error.code) {
                self.is_refused |= self.earlier == 0;
                self.earlier = self.earlier.saturating_sub(1);
            }
        }
        Ok(answer)
    }
}

impl Host for Spied {
    fn act(&mut self, action: &Action) -> Result<Observation, DriverError> {
        let is_restore = matches!(action, Action::ReadChain { .. });
        self.take_note(if is_restore {
            Done::Restore
        } else {
            Done::Other
        })?;
        if self.is_refused && self.fault == Fault::NoSpaceToRestore && is_restore {
            let text = "qemu-img convert: No space left on device";
            return Err(DriverError::Failed(text.to_owned()));
        }
        let mut observation = self.mock.act(action)?;
        match (&mut observation, self.fault) {
            (Observation::Events(events), Fault::TargetFillsUp) if self.is_refused => {
                for event in events {
                    if let JobEvent::JobCompleted { success, message } = event {
                        (*success, *message) = (false, Some("No space left on device".to_owned()));
                    }
                }
            }
            (Observation::Bitmaps(table), Fault::BitmapsHeal) if self.is_refused => {
                self.looks += 1;
                // First the state after the refusal is seen, then the judge asks.
                for row in table.0.iter_mut().filter(|_| self.looks > 2) {
                    (row.recording, row.inconsistent) = (true, false);
                }
            }
            (_, _) => {}
        }
        Ok(observation)
    }
}

impl Driver for Spied {
    fn identity(&mut self) -> Result<Identity, DriverError> {
        self.mock.identity()
    }

    fn open_scenario(&mut self) -> Result<Place, DriverError> {
        self.mock.open_scenario()
    }

    fn raised(&mut self) -> Result<Option<Vec<Raised>>, DriverError> {
        self.mock.raised()
    }

    fn close_scenario(&mut self, place: &Place) -> Result<(), DriverError> {
        self.mock.close_scenario(place)
    }

    fn set_deadline(&mut self, _deadline: Option<Instant>) {}
}

fn played(name: &str, scenario: &Scenario, fault: Fault) -> (Result<Ran, Stopped>, Vec<Done>) {
    let mut driver = Spied::new(fault, scenario);
    let identity = driver.identity().unwrap();
    let ran = run_scenario(&mut driver, &identity, name, scenario, Extent::Whole);
    (ran, driver.done)
}

fn refusing() -> Vec<(String, Arc<Scenario>, Decision)> {
    let cases = Suite::Embedded.cases().unwrap().into_iter();
    let refusing = cases.filter_map(|case| {
        let scenario = case.scenario.unwrap();
        let Expectation::Refusal(refusal) = &scenario.then else {
            return None;
        };
        let decision = refusal.decision;
        Some((case.name, scenario, decision))
    });
    refusing.collect()
}

fn of_name(wanted: &str) -> (String, Arc<Scenario>, Decision) {
    let mut all = refusing().into_iter();
    all.find(|(name, _, _)| name.ends_with(wanted)).unwrap()
}

/// Wherever the driver dies, that is what is told; and a new chain has given nothing up before a
/// backup was restored.
#[test]
fn a_driver_may_die_at_any_moment() {
    let mut deaths = 0;
    // These hold every decision and every clean-up.
    let areas = ["recovery/", "reports/", "seed/"];
    let is_worth_it =
        |(name, _, _): &(String, _, _)| areas.iter().any(|area| name.starts_with(area));
    for (name, scenario, decision) in refusing().into_iter().filter(is_worth_it) {
        let (ran, done) = played(&name, &scenario, Fault::None);
        assert!(ran.is_ok(), "{name}");
        for moment in 0..done.len() {
            deaths += 1;
            let (ran, done) = played(&name, &scenario, Fault::DiesAfter(moment));
            let stopped = ran.unwrap_err();
            assert!(
                matches!(stopped.error, DriverError::Crashed(_)),
                "{name}: {stopped:?}"
            );
            let transcript = stopped.transcript.unwrap();
            assert!(
                transcript.when.is_some(),
                "{name}: what happened until then is told"
            );
            if decision == Decision::FullBackupNewChain {
                assert!(is_cautious(&done), "{name} at {moment}: {done:?}");
            }
        }
    }
    assert!(deaths > 1000, "{deaths} moments were tried");
}

/// A bitmap goes only once a backup was begun and restored.
fn is_cautious(done: &[Done]) -> bool {
    let first = |wanted: Done| done.iter().position(|done| *done == wanted);
    let Some(deletion) = first(Done::Deletion) else {
        return true;
    };
    let backup = first(Done::Backup);
    backup.is_some_and(|backup| done[backup..deletion].contains(&Done::Restore))
}

#[test]
fn caution_can_be_missed() {
    assert!(!is_cautious(&[Done::Deletion]));
    assert!(!is_cautious(&[Done::Restore, Done::Backup, Done::Deletion]));
    assert!(is_cautious(&[Done::Backup, Done::Restore, Done::Deletion]));
}

#[rstest]
#[case::new_chain("incremental-over-inconsistent-bitmap")]
#[case::some_disks("incremental-over-bitmap-lost-on-one-disk")]
#[case::other_base("middle-bitmap-lost@itself")]
fn without_space_to_restore_nothing_is_given_up(#[case] name: &str) {
    let (name, scenario, _) = of_name(name);
    let (ran, done) = played(&name, &scenario, Fault::NoSpaceToRestore);
    let error = ran.unwrap_err().error.to_string();
    assert!(error.contains("No space left on device"), "{error}");
    assert!(!done.contains(&Done::Deletion), "{done:?}");
}

#[rstest]
#[case::new_chain("incremental-over-inconsistent-bitmap")]
#[case::some_disks("incremental-over-bitmap-lost-on-one-disk")]
#[case::other_base("middle-bitmap-lost@itself")]
fn a_backup_that_failed_replaces_none(#[case] name: &str) {
    let (name, scenario, _) = of_name(name);
    let (ran, done) = played(&name, &scenario, Fault::TargetFillsUp);
    let broken = broken_claims(ran);
    assert_eq!(broken, ["backup job: did not complete"]);
    assert!(!done.contains(&Done::Deletion), "{done:?}");
}

#[rstest]
#[case::inconsistent("incremental-over-inconsistent-bitmap", "purge-stale-bitmap-live c1")]
#[case::disabled("incremental-over-disabled-bitmap", "purge-stale-bitmap-live c1")]
fn what_is_whole_again_stays(#[case] name: &str, #[case] step: &str) {
    let (name, scenario, _) = of_name(name);
    let (ran, done) = played(&name, &scenario, Fault::BitmapsHeal);
    let broken = broken_claims(ran);
    let expected = format!("{step}: the bitmap is no longer what was decided on; it stays");
    assert_eq!(broken, [expected]);
    assert!(!done.contains(&Done::Deletion), "{done:?}");
}

#[test]
fn a_probe_that_cannot_be_undone_is_told() {
    let (name, scenario, _) = of_name("bitmap-judged-without-monitor@missing-on-one");
    assert!(played(&name, &scenario, Fault::None).0.is_ok());
    let (ran, done) = played(&name, &scenario, Fault::KeepsProbedDefinition);
    let error = ran.unwrap_err().error.to_string();
    let expected = "the definition of checkpoint c1 is not what it was";
    assert_eq!(error, expected);
    assert!(!done.contains(&Done::Deletion), "{done:?}");
}

/// The refused request wants to write where a verified backup is. What goes with the orphan are the
/// files that its own attempt has made.
#[test]
fn a_verified_backup_is_no_file_of_the_orphan() {
    let steps = of_request_over_a_backup("VIR_ERR_OPERATION_INVALID", |text| text);
    assert!(steps.contains(&"nbd-server-stop".to_owned()), "{steps:?}");
    let scratch = "remove-file scratch.qcow2".to_owned();
    assert!(steps.contains(&scratch), "{steps:?}");
    assert!(!steps.contains(&"remove-file full.qcow2".to_owned()));
}

/// Nor where nothing tells which attempt the orphan is, and the refused one is taken for it.
#[test]
fn a_file_that_was_there_is_no_file_of_the_attempt() {
    let steps = of_request_over_a_backup("VIR_ERR_INTERNAL_ERROR", |text| {
        let before_it = "  - call:
      api: virDomainBackupBegin
      xml: |
        <domainbackup>
          <disks>
            <disk name='vda' type='file'>
              <target file='[DIR]/other.qcow2'/>
            </disk>
          </disks>
        </domainbackup>
      refused: VIR_ERR_OPERATION_INVALID

when:";
        let text = text.replacen("disks:", "client:\n  no-monitor: true\n\ndisks:", 1);
        text.replace("\nwhen:", before_it)
    });
    assert!(
        steps.contains(&"block-job-abort vda".to_owned()),
        "{steps:?}"
    );
    assert!(
        !steps.contains(&"remove-file full.qcow2".to_owned()),
        "{steps:?}"
    );
}

/// What the recovery does where an orphan is in the way of a backup into a verified one's file.
fn of_request_over_a_backup(code: &str, change: fn(String) -> String) -> Vec<String> {
    let text = fs::read_to_string("scenarios/recovery/orphan-in-the-way.yaml").unwrap();
    let (history, _) = text.split_once("when:").unwrap();
    let text = format!(
        "{history}when:
  backup-begin:
    mode: push
    disks:
      vda: {{ target: full.qcow2 }}
    checkpoint: {{ name: c3, disks: [vda] }}

then:
  error: {code}
  decision: retry-after-job-ends
  remedy: []
"
    );
    let scenarios = parse(Path::new("orphan-in-the-way.yaml"), &change(text)).unwrap();
    let (ran, _) = played("orphan-in-the-way", &scenarios[0], Fault::None);
    let steps = ran.unwrap().transcript.recovery.into_iter();
    steps.map(|record| record.label).collect()
}

fn broken_claims(ran: Result<Ran, Stopped>) -> Vec<String> {
    let proof = ran.unwrap().transcript.proof.into_iter();
    let broken = proof.filter(|line| !line.holds);
    broken
        .map(|line| format!("{}: {}", line.claim, line.found))
        .collect()
}

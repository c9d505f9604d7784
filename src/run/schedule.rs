//! Many scenarios, several at once.
//!
//! Each slot is a thread with a driver of its own, which it opens, uses and closes itself: a
//! worker process ends with the thread that started it. A driver that crashed or timed out is
//! replaced, and the slot carries on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::applicable::{not_about, not_begun, not_supported};
use super::directory::RunDirectory;
use super::event::{Event, Finished, Origin, Summary};
use super::one::{Extent, Ran, Stopped, run_scenario};
use super::outcome::{Failure, Outcome, SourceProblem};
use super::queue::Queue;
use super::{Backing, DriverChoice};
use crate::divergence::Divergences;
use crate::driver::{Driver, DriverError};
use crate::model::Identity;
use crate::scenario::{Diagnostics, Problem, Scenario};
use crate::snapshot::{Difference, compare};
use crate::suite::{Case, Suite, source_of};
use crate::transcript::{Transcript, without_recovery};

/// How a run goes about it.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which driver answers.
    pub driver: DriverChoice,
    /// How many scenarios run at once; at least one.
    pub jobs: usize,
    /// The time that one scenario may take.
    pub time_limit: Duration,
    /// Begin no other scenario once one has ended badly.
    pub fail_fast: bool,
    /// How far each scenario is played.
    pub extent: Extent,
    /// What real drivers need.
    pub backing: Backing,
}

/// Runs the cases and hands every event to `consume`, on the calling thread.
///
/// # Errors
/// The run's own directory could not be made.
pub fn run(
    cases: &[Case],
    suite: &Suite,
    options: &Options,
    mut consume: impl FnMut(&Event),
) -> Result<Summary, DriverError> {
    let directory = RunDirectory::of(&options.driver, &options.backing)?;
    let started = Instant::now();
    let jobs = options.jobs.clamp(1, cases.len().max(1));
    consume(&Event::Started {
        driver: options.driver.to_string(),
        scenarios: cases.len(),
        jobs,
        suite: match suite {
            Suite::Folder(_) => Origin::Folder,
            Suite::Embedded => Origin::Embedded,
        },
    });
    let mut summary = Summary::default();
    let divergences = divergences_of(suite);
    let queue = Queue::of(cases, jobs);
    let (identified, given_up) = (AtomicBool::new(false), AtomicBool::new(false));
    let mut failed = None;
    thread::scope(|scope| {
        let (sender, events) = channel();
        for kind in queue.slots() {
            let events = sender.clone();
            let (directory, identified, queue) = (&directory, &identified, &queue);
            let divergences = &divergences;
            let given_up = &given_up;
            let slot = move || {
                let directory = directory.as_ref().map(RunDirectory::path);
                let mut slot = Slot {
                    suite,
                    divergences,
                    options,
                    directory,
                    driver: None,
                    has_crashed: false,
                    identified,
                    events,
                };
                while !given_up.load(Ordering::Relaxed)
                    && let Some(case) = queue.next(kind)
                {
                    let ended_badly = slot.take(case);
                    given_up.fetch_or(options.fail_fast && ended_badly, Ordering::Relaxed);
                }
            };
            let spawned = thread::Builder::new().spawn_scoped(scope, slot);
            if let Err(error) = spawned {
                failed = Some(DriverError::Failed(format!(
                    "cannot start a thread: {error}"
                )));
                break;
            }
        }
        drop(sender);
        summary.not_run = cases.len();
        for event in events {
            if let Event::ScenarioFinished(finished) = &event {
                summary.count(&finished.outcome);
                summary.not_run -= 1;
            }
            consume(&event);
        }
    });
    if let Some(error) = failed {
        return Err(error);
    }
    summary.duration = started.elapsed();
    summary.stopped = options.backing.stop.load(Ordering::Relaxed);
    consume(&Event::Finished(summary));
    Ok(summary)
}

/// What other versions of libvirt are known to answer otherwise; without a list, nothing.
fn divergences_of(suite: &Suite) -> Result<Divergences, String> {
    let text = suite.divergences().map_err(|error| error.to_string())?;
    let list = text.map(|text| Divergences::parse(&text)).transpose();
    let list = list.map_err(|reason| format!("snapshots/{}: {reason}", Suite::DIVERGENCES))?;
    Ok(list.unwrap_or_default())
}

/// How long a daemon that has crashed is waited for: whoever looks after it starts it again.
const RESTART: Duration = Duration::from_secs(10);

fn open(
    options: &Options,
    directory: Option<&Path>,
    deadline: Option<Instant>,
) -> Result<(Box<dyn Driver>, Identity), DriverError> {
    let mut driver = options.driver.open(&options.backing, directory)?;
    driver.set_deadline(deadline);
    let identity = driver.identity()?;
    Ok((driver, identity))
}

/// What came of trying.
enum Attempt {
    Ran(Box<Ran>),
    /// As this libvirt is known to do.
    Crashed(Option<Box<Transcript>>),
    /// It is not about this libvirt, or cannot be executed yet.
    NotBegun(Outcome),
}

struct Slot<'a> {
    suite: &'a Suite,
    divergences: &'a Result<Divergences, String>,
    options: &'a Options,
    directory: Option<&'a Path>,
    /// The open driver, and who it is.
    driver: Option<(Box<dyn Driver>, Identity)>,
    /// Whether the last scenario has ended with the driver's end.
    has_crashed: bool,
    identified: &'a AtomicBool,
    events: Sender<Event>,
}

impl Slot<'_> {
    /// Runs one scenario; true if it ended badly.
    fn take(&mut self, case: &Case) -> bool {
        self.tell(Event::ScenarioStarted {
            name: case.name.clone(),
        });
        let started = Instant::now();
        let mut finished = self.finish(case);
        finished.duration = started.elapsed();
        let ended_badly = finished.outcome.is_bad();
        self.tell(Event::ScenarioFinished(Box::new(finished)));
        ended_badly
    }

    /// The receiver lives as long as the slots do; if it is gone, nobody listens.
    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    fn finish(&mut self, case: &Case) -> Finished {
        let mut finished = Finished {
            name: case.name.clone(),
            source: source_of(&case.name),
            summary: None,
            refs: Vec::new(),
            outcome: Outcome::Interrupted,
            checks: Vec::new(),
            duration: Duration::ZERO,
            transcript: None,
            text: None,
            raised: None,
        };
        if self.options.backing.stop.load(Ordering::Relaxed) {
            return finished;
        }
        let scenario = match &case.scenario {
            Ok(scenario) => scenario,
            Err(diagnostics) => {
                finished.outcome = unsound(case, diagnostics, |text| self.portable(text));
                return finished;
            }
        };
        finished.summary = Some(scenario.summary.clone());
        finished.refs.clone_from(&scenario.refs);
        if let Some(outcome) = not_begun(&self.options.driver, scenario) {
            finished.outcome = outcome;
            return finished;
        }
        // A bug of ours must cost one scenario, not the run.
        let attempt = || self.attempt(case, scenario);
        let ran = catch_unwind(AssertUnwindSafe(attempt)).unwrap_or_else(|panic| {
            let text = panic_text(panic.as_ref());
            Err(DriverError::Failed(format!("a defect of backup-tck itself: {text}")).into())
        });
        match ran {
            Ok(Attempt::NotBegun(outcome)) => finished.outcome = outcome,
            Ok(Attempt::Crashed(transcript)) => {
                self.driver = None;
                self.has_crashed = true;
                finished.outcome = Outcome::Passed;
                finished.transcript = transcript.map(|transcript| *transcript);
            }
            Ok(Attempt::Ran(ran)) => {
                finished.outcome = self.outcome(case, &ran);
                finished.checks = ran.checks;
                finished.transcript = Some(ran.transcript);
                finished.text = Some(ran.text);
                finished.raised = ran.raised;
            }
            Err(Stopped { error, transcript }) => {
                // What state the driver is in cannot be known: the next scenario gets another.
                self.driver = None;
                self.has_crashed = matches!(error, DriverError::Crashed(_));
                finished.outcome = stopped(error.with_texts(|text| self.portable(text)));
                finished.transcript = transcript.map(|transcript| *transcript);
            }
        }
        finished
    }

    fn attempt(&mut self, case: &Case, scenario: &Scenario) -> Result<Attempt, Stopped> {
        let deadline = Instant::now().checked_add(self.options.time_limit);
        let (driver, identity) = match &mut self.driver {
            Some(open) => open,
            empty => {
                let begun = Instant::now();
                let open = || open(self.options, self.directory, deadline);
                let mut opened = open();
                while opened.is_err() && self.has_crashed && begun.elapsed() < RESTART {
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "whoever starts a daemon again does not tell when it is there"
                    )]
                    thread::sleep(Duration::from_millis(100));
                    opened = open();
                }
                let (driver, identity) = opened?;
                if !self.identified.swap(true, Ordering::Relaxed) {
                    let _ = self.events.send(Event::Identified(identity.clone()));
                }
                empty.insert((driver, identity))
            }
        };
        if let Some(outcome) = not_about(identity, scenario).or_else(|| not_supported(scenario)) {
            return Ok(Attempt::NotBegun(outcome));
        }
        driver.set_deadline(deadline);
        let extent = self.options.extent;
        let divergences = match self.divergences {
            Ok(divergences) => divergences,
            Err(reason) => return Ok(Attempt::NotBegun(Outcome::broken(reason))),
        };
        let crash = divergences.crash(&case.name, identity.libvirt);
        if let (Some(reason), false) = (&crash, identity.real) {
            return Ok(Attempt::NotBegun(Outcome::Skipped {
                reason: format!("real libvirt crashes here, and the mock does not: {reason}"),
            }));
        }
        let scenario = divergences.expectation(&case.name, identity.libvirt, scenario);
        let ran = run_scenario(driver.as_mut(), identity, &case.name, &scenario, extent);
        match (ran, crash) {
            (Ok(_), Some(divergence)) => {
                Ok(Attempt::NotBegun(Outcome::UnexpectedPass { divergence }))
            }
            (Err(stopped), Some(_)) if matches!(stopped.error, DriverError::Crashed(_)) => {
                Ok(Attempt::Crashed(stopped.transcript))
            }
            (Ok(ran), None) => Ok(Attempt::Ran(Box::new(ran))),
            (Err(stopped), _) => Err(stopped),
        }
    }

    fn outcome(&self, case: &Case, ran: &Ran) -> Outcome {
        let recorded = match self.suite.snapshot(&case.name) {
            Ok(recorded) => recorded,
            Err(error) => return Outcome::broken(&self.portable(&error.to_string())),
        };
        let version = ran.transcript.identity.libvirt;
        let known = match (self.divergences, &recorded) {
            (Ok(divergences), Some(file)) => divergences.expected(&case.name, version, file),
            (Ok(_), None) => Ok(None),
            (Err(reason), _) => Err(reason.clone()),
        };
        let recorded = match known {
            Ok(Some((expected, divergence))) => {
                if compare(recorded.as_deref(), &ran.text).is_none() {
                    return Outcome::UnexpectedPass { divergence };
                }
                Some(expected)
            }
            Ok(None) => recorded,
            Err(reason) => return Outcome::broken(&reason),
        };
        let refused = ran.transcript.conclusion.is_some();
        let recorded = match (self.options.extent, recorded) {
            (Extent::UntilDecision, Some(file)) if refused => {
                Some(without_recovery(&file).to_owned())
            }
            (Extent::UntilDecision | Extent::Whole, recorded) => recorded,
        };
        let difference = compare(recorded.as_deref(), &ran.text);
        if difference == Some(Difference::Unreadable) {
            let name = &case.name;
            return Outcome::broken(&format!(
                "snapshots/{name}.snap has no head, so it is no snapshot: restore it, or remove it \
                 and record it on real libvirt: backup-tck bless {name}"
            ));
        }
        let checks: Vec<_> = ran
            .checks
            .iter()
            .filter(|check| !check.holds)
            .cloned()
            .collect();
        if checks.is_empty() && difference.is_none() {
            return Outcome::Passed;
        }
        Outcome::Failed(Failure { checks, difference })
    }

    /// The text without what differs between two runs or two machines: the run's own directory
    /// with the worker's in it, and the suite's where its path is absolute.
    fn portable(&self, text: &str) -> String {
        let mut text = match self.directory {
            Some(directory) => without_run(text, &directory.to_string_lossy()),
            None => text.to_owned(),
        };
        if let Suite::Folder(folder) = self.suite
            && folder.is_absolute()
        {
            text = text.replace(&format!("{}/", folder.display()), "");
        }
        text
    }
}

/// The text with the run's directory, and a worker's in it, as a word.
fn without_run(text: &str, directory: &str) -> String {
    let mut parts = text.split(directory);
    let mut redacted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let worker = part.strip_prefix("/w").and_then(|rest| {
            let (name, rest) = rest.split_at_checked(6)?;
            name.chars().all(|c| c.is_ascii_hexdigit()).then_some(rest)
        });
        redacted.push_str("[RUN]");
        redacted.push_str(worker.unwrap_or(part));
    }
    redacted
}

/// A scenario whose file has problems.
fn unsound(case: &Case, diagnostics: &Diagnostics, portable: impl Fn(&str) -> String) -> Outcome {
    let placed = |problem: &Problem| {
        let (start, _) = diagnostics.places_of(problem);
        SourceProblem {
            path: source_of(&case.name),
            line: start.line,
            column: start.column,
            code: problem.code.to_owned(),
            message: problem.message.clone(),
            help: problem.help.clone(),
        }
    };
    Outcome::Broken {
        reason: portable(&format!("{diagnostics}\n{}", diagnostics.render(false))),
        problems: diagnostics.problems().iter().map(placed).collect(),
    }
}

fn stopped(error: DriverError) -> Outcome {
    match error {
        DriverError::Crashed(crash) => Outcome::Crashed(*crash),
        DriverError::TimedOut { call } => Outcome::TimedOut { call },
        DriverError::Interrupted => Outcome::Interrupted,
        error @ (DriverError::NotModelled(_)
        | DriverError::Unavailable(_)
        | DriverError::Failed(_)) => Outcome::broken(&error),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_of_a_run_becomes_a_word() {
        let text = "cannot open /tmp/backup-tck-a1/w0af31c/s2/vda: no such file; \
                    see /tmp/backup-tck-a1/wide and /tmp/backup-tck-a1";
        let expected = "cannot open [RUN]/s2/vda: no such file; see [RUN]/wide and [RUN]";
        assert_eq!(without_run(text, "/tmp/backup-tck-a1"), expected);
    }
}

//! Random histories on the mock: whatever happens to a domain, every answer leads to a decision, and
//! every decision to a backup that restores, or to nothing that was deleted.
//!
//! A counterexample is written to `scenarios/regressions/`, as short as it can be made.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot do is a failure of the test"
)]

use std::fs;
use std::path::Path;
use std::time::Instant;

use backup_tck::driver::mock::Mock;
use backup_tck::driver::{Driver, DriverError, Host, Libvirt};
use backup_tck::model::{
    Action, Answer, Api, Call, Decision, ErrorCode, Identity, Observation, Place, Raised,
};
use backup_tck::run::{Extent, Ran, run_scenario};
use backup_tck::scenario::{Expectation, Refusal, STACK, Scenario, parse};
use backup_tck::strategies::{Attempt, History, Turn, histories};
use backup_tck::transcript::Transcript;
use backup_tck::verdict::Check;
use backup_tck::world::World;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

/// Histories of one test; `PROPTEST_CASES` asks for more.
const CASES: u32 = 512;

#[test]
fn every_history_ends_in_a_proven_backup_or_deletes_nothing() {
    on_large_stack(|| {
        let config = Config {
            failure_persistence: None,
            ..Config::with_cases(Config::default().cases.max(CASES))
        };
        // The same histories each time: a search for others is not what a pipeline is for.
        let chance = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut runner = TestRunner::new_with_rng(config, chance);
        let checked = |history: History| check(&history).map_err(TestCaseError::fail);
        let Err(error) = runner.run(&histories(), checked) else {
            return;
        };
        let TestError::Fail(reason, history) = error else {
            panic!("{error}");
        };
        let path = keep(&history);
        panic!("{reason}\nkept as {path}: backup-tck run {path}");
    });
}

/// A parser's recursion needs more than a test's thread has.
fn on_large_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK);
    if let Err(panic) = thread.spawn(work).unwrap().join() {
        std::panic::resume_unwind(panic);
    }
}

/// libvirt deletes descendants in the order of a hash table with a random seed, and stops at the first
/// that it cannot delete.
const LEFT_TO_CHANCE: &str = "several descendants that cannot be deleted";

/// What is written down as long as it is not known: a file with it may hold any call.
fn any(history: &History) -> (ErrorCode, Decision) {
    let decision = if history.attempt == Attempt::Abort {
        Decision::TreatAsDone
    } else {
        Decision::FixRequest
    };
    (ErrorCode::NO_DOMAIN_CHECKPOINT, decision)
}

fn check(history: &History) -> Result<(), String> {
    let text = history.scenario("random", Some(any(history)));
    let mut scenario = read(&text)?;
    let told = |error: DriverError| format!("{error}\n{text}");
    let first = match play(&scenario) {
        Err(DriverError::NotModelled(what)) if what == LEFT_TO_CHANCE => return Ok(()),
        first => first.map_err(told)?,
    };
    let expected = ended(&first);
    if expected.is_none() && is_without_a_chain(history) {
        return Ok(());
    }
    scenario.then = match (expected, scenario.then) {
        (None, _) => Expectation::Success,
        (Some((error, decision)), Expectation::Refusal(any)) => Expectation::Refusal(Refusal {
            error,
            decision,
            remedy: any
                .remedy
                .filter(|_| decision == RENAME && wants_a_taken_name(history)),
            ..any
        }),
        (Some(_), Expectation::Success) => unreachable!("the file says otherwise"),
    };
    let ran = play(&scenario).map_err(told)?;
    // What a wrong request should have been only its author knows; that it has changed nothing is
    // looked at after each call.
    let is_wrong_request = matches!(expected, Some((_, Decision::FixRequest)));
    // Who cannot ask QEMU's monitor does not see a bitmap without a checkpoint.
    let is_unseen =
        |check: &Check| history.client.no_monitor && check.found.ends_with("has left a bitmap");
    let has_no_chain = |check: &Check| {
        is_without_a_chain(history) && check.found.contains("the books do not know")
    };
    let is_bad = |check: &&Check| {
        let is_excused =
            is_about_old_debris(check, &ran.transcript) || is_unseen(check) || has_no_chain(check);
        !check.holds && !is_excused
    };
    let failed = ran.checks.iter().find(is_bad);
    let failed = failed.filter(|_| !is_wrong_request);
    if let Some((_, Decision::ChangeDomainStateThenRetry)) = expected
        && failed.is_some()
        && history.situation().allows(&Turn::Start)
    {
        // The call may be wrong in another way too, which the client learns from the second answer.
        let mut started = history.clone();
        started.turns.push(Turn::Start);
        return check(&started);
    }
    if let Some(check) = failed {
        return Err(format!(
            "{}: expected {}, found {}\n{}",
            check.what, check.expected, check.found, ran.text
        ));
    }
    if let Some((_, Decision::InvestigateEscalate)) = expected
        && !ran.transcript.recovery.is_empty()
    {
        return Err(format!("an escalation did something\n{}", ran.text));
    }
    Ok(())
}

/// After this decision the same call is made again, unless its own name is taken.
const RENAME: Decision = Decision::RedefineMissingCheckpointsThenRetry;

fn wants_a_taken_name(history: &History) -> bool {
    let checkpoint = match &history.attempt {
        Attempt::Backup { checkpoint, .. } => *checkpoint,
        Attempt::Checkpoint { checkpoint, .. } => Some(*checkpoint),
        Attempt::Delete { .. }
        | Attempt::Redefine { .. }
        | Attempt::Size { .. }
        | Attempt::Abort => None,
    };
    let situation = history.situation();
    checkpoint.is_some_and(|name| {
        let mut bitmaps = situation.bitmaps.keys();
        bitmaps.any(|(_, of)| *of == name) || situation.checkpoints.contains_key(&name)
    })
}

/// Whether a checkpoint or bitmap is told of that was broken before the call, and that the decision is
/// not about: the history has left it.
fn is_about_old_debris(check: &Check, transcript: &Transcript) -> bool {
    let (Some(before), Some(conclusion)) = (&transcript.before, &transcript.conclusion) else {
        return false;
    };
    // Such as `c1 on vda is stale` and `c1 has no usable bitmap on vda`.
    let words: Vec<&str> = check.found.split(' ').collect();
    let disk = words.iter().skip_while(|word| **word != "on").nth(1);
    let (Some(&name), Some(&disk)) = (words.first(), disk) else {
        return false;
    };
    let is_defined = before.checkpoints.iter().any(|defined| defined == name);
    let is_known = is_defined || before.bitmaps.on(disk, name).next().is_some();
    let was_broken = !is_defined || !before.bitmaps.has_usable(disk, name);
    let is_handled = conclusion
        .clean_up
        .iter()
        .any(|step| step.checkpoint == name && step.disks.iter().any(|cleaned| cleaned == disk));
    is_known && was_broken && !is_handled
}

/// Whether the call is for an incremental backup that nothing can be restored with: no libvirt can
/// know that.
fn is_without_a_chain(history: &History) -> bool {
    let Attempt::Backup {
        base: Some(base),
        disks,
        ..
    } = &history.attempt
    else {
        return false;
    };
    !history.situation().is_backed_up(*base, disks)
}

/// The error and the decision, unless the call succeeded.
fn ended(ran: &Ran) -> Option<(ErrorCode, Decision)> {
    let code = ran.transcript.when.as_ref()?.refusal()?.code;
    Some((code, ran.transcript.conclusion.as_ref()?.decision))
}

fn play(scenario: &Scenario) -> Result<Ran, DriverError> {
    let mut driver = Watched(Mock::newest());
    let identity = driver.identity().unwrap();
    run_scenario(
        &mut driver,
        &identity,
        "regressions/random",
        scenario,
        Extent::Whole,
    )
    .map_err(|stopped| stopped.error)
}

fn read(text: &str) -> Result<Scenario, String> {
    let path = Path::new("random.yaml");
    let scenarios = parse(path, text).map_err(|problems| format!("{problems:?}\n{text}"))?;
    Ok(scenarios.into_iter().next().unwrap())
}

/// Writes the scenario where the suite finds it; the name tells nothing, so that whoever keeps it
/// gives it one.
fn keep(history: &History) -> String {
    let scenario = read(&history.scenario("random", Some(any(history))));
    let first = scenario.ok().and_then(|scenario| play(&scenario).ok());
    let expected = first.as_ref().and_then(ended);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/regressions");
    fs::create_dir_all(&folder).unwrap();
    fs::write(
        folder.join("random.yaml"),
        history.scenario("random", expected),
    )
    .unwrap();
    "scenarios/regressions/random.yaml".to_owned()
}

/// The mock, whose world is looked at after everything that happens to it.
struct Watched(Mock);

impl Watched {
    fn look(&self, what: &str) {
        let violations = self.0.world().violations();
        assert!(violations.is_empty(), "after {what}: {violations:?}");
    }
}

impl Libvirt for Watched {
    fn call(&mut self, call: &Call) -> Result<Answer, DriverError> {
        let before = without_counters(self.0.world());
        let answer = self.0.call(call)?;
        self.look(&call.api.to_string());
        if let Answer::Refused(error) = &answer
            && !may_change(call)
        {
            let after = without_counters(self.0.world());
            assert_eq!(
                before.domains, after.domains,
                "{} refused {error}",
                call.api
            );
            assert_eq!(before.files, after.files, "{} refused {error}", call.api);
        }
        Ok(answer)
    }
}

/// A number that was given to a node is not given again, whatever came of the call.
fn without_counters(world: &World) -> World {
    let mut world = world.clone();
    for active in world
        .domains
        .values_mut()
        .filter_map(|domain| domain.active.as_mut())
    {
        active.last_node = 0;
    }
    world
}

/// Whether a refusal of this call may leave something changed: a deletion with descendants ends at
/// the first that cannot be deleted, and moves children up before.
fn may_change(call: &Call) -> bool {
    call.api == Api::CheckpointDelete
}

impl Host for Watched {
    fn act(&mut self, action: &Action) -> Result<Observation, DriverError> {
        let observation = self.0.act(action)?;
        self.look(&format!("{action:?}"));
        Ok(observation)
    }
}

impl Driver for Watched {
    fn identity(&mut self) -> Result<Identity, DriverError> {
        self.0.identity()
    }

    fn open_scenario(&mut self) -> Result<Place, DriverError> {
        self.0.open_scenario()
    }

    fn raised(&mut self) -> Result<Option<Vec<Raised>>, DriverError> {
        self.0.raised()
    }

    fn close_scenario(&mut self, place: &Place) -> Result<(), DriverError> {
        self.0.close_scenario(place)
    }

    fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.0.set_deadline(deadline);
    }
}

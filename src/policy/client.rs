//! A client that follows a profile: round after round, until it is done, gives up or goes in circles.

use std::collections::VecDeque;
use std::rc::Rc;

use super::profile::Profile;
use super::rule::{Act, CallWord, Rule, Subject};
use crate::driver::DriverError;
use crate::model::{Call, Decision, LibvirtError, Request};
use crate::plan::Step;
use crate::session::Session;
use crate::transcript::HostState;

/// Refusals that a client may meet in one scenario; more are an endless loop.
const ROUNDS: usize = 16;

/// How a client's run has ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    /// It has done what it was about, as it believes.
    Done,
    /// It has stopped, and told why.
    GaveUp,
    /// It does the same again and again.
    Circle,
    /// It would not have made the call.
    NotCalled,
}

/// What was refused.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) word: CallWord,
    /// The call; none where the client itself has found something missing.
    pub(super) call: Option<Call>,
    pub(super) error: Option<LibvirtError>,
    /// The checkpoint that it was about, or based on.
    pub(super) checkpoint: Option<String>,
}

/// Why an act is done: the rule's number, and what was refused.
pub(super) type Cause = (usize, Rc<Refusal>);

/// What is still to be done.
#[derive(Clone, Debug)]
enum Task<'c> {
    /// An act of a rule.
    Act(&'c Act, Cause),
    /// An act before an incremental backup; without a meaning once there is a backup.
    Before(&'c Act),
    /// The call under test.
    Ask(&'c Step),
    /// The incremental backup that a redefinition was for.
    Backup,
}

/// What an act came to.
pub(super) enum Flow {
    Next,
    Refused(Box<Refusal>),
    Ended(End),
}

/// The client, its books and what it has done.
pub(super) struct Client<'c, 'd> {
    pub(super) profile: &'c Profile,
    pub(super) session: &'c mut Session<'d>,
    /// What ends by itself, or by the operator's hand, while the client waits.
    pub(super) remedy: Option<&'c [Step]>,
    /// The base of its next backup; none where that is a full one.
    pub(super) base: Option<String>,
    /// What the call under test asks for.
    pub(super) request: Request,
    pub(super) asked: CallWord,
    /// Whether the domain was started after the last backup.
    pub(super) restarted: bool,
    /// Whether a backup was taken.
    pub(super) backed_up: bool,
    /// The base that it had to begin with.
    pub(super) first_base: Option<String>,
    /// Whether it took a full one though.
    pub(super) full: bool,
    /// How what it has stored differs from what the disk was.
    pub(super) lost: Option<String>,
    /// What it has done to others.
    pub(super) harm: Vec<String>,
    /// What it did, in words.
    pub(super) steps: Vec<String>,
    pub(super) retries: Vec<u32>,
    /// How often the guest has written, and how many backups were begun.
    pub(super) writes: u8,
    pub(super) backups: u32,
    tasks: VecDeque<Task<'c>>,
    seen: Vec<(usize, Option<LibvirtError>, HostState)>,
}

impl<'c, 'd> Client<'c, 'd> {
    /// A client that is about to make the call under test.
    pub(super) fn new(
        profile: &'c Profile,
        session: &'c mut Session<'d>,
        (when, call): (&'c Step, &Call),
        (remedy, decision): (&'c [Step], Decision),
        restarted: bool,
    ) -> Self {
        let request = session.request_of(call);
        let asked = CallWord::of(call);
        let is_backup = asked == CallWord::BackupBegin;
        let needed = request.needed().next().filter(|_| is_backup);
        let needed = needed.map(|(_, base)| base.to_owned());
        let is_incremental = needed.is_some();
        let unwanted = call.checkpoint.as_deref();
        let verified = session.ledger().whole_checkpoints();
        let newest = verified.filter(|name| unwanted != Some(*name)).last();
        let newest = newest.map(str::to_owned);
        let mut tasks = VecDeque::new();
        if is_incremental {
            tasks.extend(profile.before_incremental.iter().map(Task::Before));
        }
        tasks.push_back(Task::Ask(when));
        if asked == CallWord::CheckpointRedefine {
            tasks.push_back(Task::Backup);
        }
        let ends_by_itself = matches!(
            decision,
            Decision::RetryAfterJobEnds | Decision::RestoreEnvironmentThenRetry
        );
        let base = if asked == CallWord::CheckpointRedefine {
            request.checkpoint.clone()
        } else {
            needed.or(newest)
        };
        Self {
            remedy: ends_by_itself.then_some(remedy),
            first_base: base.clone().filter(|_| is_incremental || !is_backup),
            base,
            retries: vec![0; profile.rules.len()],
            profile,
            session,
            request,
            asked,
            restarted,
            backed_up: false,
            full: false,
            lost: None,
            harm: Vec::new(),
            steps: Vec::new(),
            writes: 0,
            backups: 0,
            tasks,
            seen: Vec::new(),
        }
    }

    /// Instead of the call under test: all checkpoints go, and a full backup is taken.
    pub(super) fn give_the_chain_up(&mut self) {
        const ACTS: [Act; 2] = [Act::DeleteAllCheckpoints, Act::FullBackup];

        self.tasks = ACTS.iter().map(Task::Before).collect();
    }

    /// Does all that is to be done.
    pub(super) fn run(&mut self) -> Result<End, DriverError> {
        let mut rounds = 0;
        while let Some(task) = self.tasks.pop_front() {
            let flow = match task {
                Task::Act(act, cause) => self.act(act, Some(&cause))?,
                Task::Before(_) | Task::Ask(_) | Task::Backup if self.backed_up => Flow::Next,
                Task::Before(act) => self.act(act, None)?,
                Task::Ask(when) => self.ask(when)?,
                Task::Backup => self.back_up_from_base()?,
            };
            match flow {
                Flow::Next => {}
                Flow::Ended(end) => return Ok(end),
                Flow::Refused(_) if rounds == ROUNDS => return Ok(End::Circle),
                Flow::Refused(refusal) => {
                    rounds += 1;
                    if !self.consult(*refusal)? {
                        self.steps
                            .push("the same refusal in the same state".to_owned());
                        return Ok(End::Circle);
                    }
                }
            }
        }
        Ok(End::Done)
    }

    /// Asks the rules, and puts what they say before all else; `false` where that was done before in
    /// the same state, and nothing can have changed since.
    fn consult(&mut self, refusal: Refusal) -> Result<bool, DriverError> {
        let state = self.session.host_state()?;
        let profile = self.profile;
        let fits = |rule: &Rule| fits(rule, &refusal, &state, &self.request);
        let found = profile.rules.iter().position(fits);
        let number = found.expect("a profile is only read with a last rule that fits always");
        let acts = &profile.rules[number].acts;
        let is_counted = acts.iter().any(|act| matches!(act, Act::Retry(_)));
        let seen = (number, refusal.error.clone(), state);
        if !is_counted && self.remedy.is_none() && self.seen.contains(&seen) {
            return Ok(false);
        }
        self.seen.push(seen);
        let refusal = Rc::new(refusal);
        for act in acts.iter().rev() {
            let cause = (number, Rc::clone(&refusal));
            self.tasks.push_front(Task::Act(act, cause));
        }
        Ok(true)
    }
}

fn fits(rule: &Rule, refusal: &Refusal, state: &HostState, request: &Request) -> bool {
    let when = &rule.when;
    let error = refusal.error.as_ref();
    let has_code = |error: &LibvirtError| when.code.contains(&error.code);
    let has_text = |text: &String| error.is_some_and(|error| error.message.contains(text));
    let subject = refusal.checkpoint.as_ref();
    let is_defined = subject.is_some_and(|name| state.checkpoints.contains(name));
    let is_incremental = request.needed().next().is_some();
    when.call.is_none_or(|call| call == refusal.word)
        && (when.code.is_empty() || error.is_some_and(has_code))
        && when.message.as_ref().is_none_or(has_text)
        && when.domain.is_none_or(|domain| domain == state.domain)
        && when
            .checkpoint
            .is_none_or(|wanted| (wanted == Subject::Defined) == is_defined)
        && when
            .incremental
            .is_none_or(|wanted| wanted == is_incremental)
}

//! Calls whose answers are waited for later, each on a thread of its own.

use std::collections::BTreeMap;
use std::thread::{self, JoinHandle};

use super::calls::Session;
use crate::driver::DriverError;
use crate::model::{Answer, Call};

/// The calls that were begun and not joined, by label.
#[derive(Default)]
pub(super) struct Background(BTreeMap<String, JoinHandle<Begun>>);

/// The connection of a call in the background, and what it came back with.
type Begun = (Session, Result<Answer, DriverError>);

impl Background {
    /// Begins a call over the connection of `session`, which libvirt's functions may share.
    pub(super) fn begin(&mut self, session: &Session, label: &str, call: &Call) {
        let mut beside = session.beside();
        let call = call.clone();
        let thread = thread::spawn(move || {
            let answer = beside.call(&call);
            (beside, answer)
        });
        self.0.insert(label.to_owned(), thread);
    }

    /// Waits for the answer of a call.
    pub(super) fn join(
        &mut self,
        session: &mut Session,
        label: &str,
    ) -> Result<Answer, DriverError> {
        let Some(thread) = self.0.remove(label) else {
            let text = format!("no call `{label}` is under way");
            return Err(DriverError::Failed(text));
        };
        let Ok((beside, answer)) = thread.join() else {
            let text = format!("the call `{label}` has panicked");
            return Err(DriverError::Failed(text));
        };
        session.take_over(beside);
        answer
    }

    /// Whether none is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets the calls; those that wait end with their domain.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

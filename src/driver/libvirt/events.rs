//! Events of backup jobs, kept per domain until somebody asks for them.
//!
//! libvirt delivers events on the event loop's thread at any time, also before the call that
//! caused them has returned. The queue keeps them in the order they came; it knows no libvirt.

use crate::model::JobEvent;
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The events that have come and were not taken.
#[derive(Debug, Default)]
pub(super) struct Events {
    by_domain: Mutex<BTreeMap<String, Vec<JobEvent>>>,
    came: Condvar,
}

impl Events {
    /// Adds an event of a domain and wakes who waits.
    pub(super) fn push(&self, domain: &str, event: JobEvent) {
        let mut events = self.lock();
        events.entry(domain.to_owned()).or_default().push(event);
        self.came.notify_all();
    }

    /// How many events of a domain have come.
    pub(super) fn count(&self, domain: &str) -> usize {
        self.lock().get(domain).map_or(0, Vec::len)
    }

    /// Drops the first `count` events of a domain: those of an earlier job.
    pub(super) fn drop_first(&self, domain: &str, count: usize) {
        if let Some(events) = self.lock().get_mut(domain) {
            events.drain(..count.min(events.len()));
        }
    }

    /// Forgets a domain.
    pub(super) fn forget(&self, domain: &str) {
        self.lock().remove(domain);
    }

    /// Takes the domain's events out as soon as `enough` says so; `None` when `limit` has passed
    /// first, and then they stay.
    pub(super) fn take_when(
        &self,
        domain: &str,
        limit: Duration,
        enough: impl Fn(&[JobEvent]) -> bool,
    ) -> Option<Vec<JobEvent>> {
        let missing = |events: &mut BTreeMap<String, Vec<JobEvent>>| {
            !enough(events.get(domain).map_or(&[], Vec::as_slice))
        };
        let waited = self.came.wait_timeout_while(self.lock(), limit, missing);
        let (mut events, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            return None;
        }
        Some(events.remove(domain).unwrap_or_default())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<JobEvent>>> {
        self.by_domain
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(success: bool) -> JobEvent {
        JobEvent::JobCompleted {
            success,
            message: None,
        }
    }

    #[test]
    fn only_the_events_of_the_last_job_are_taken() {
        let events = Events::default();
        events.push("a", completed(false));
        events.push("b", completed(false));
        let before = events.count("a");
        events.push("a", completed(true));
        events.drop_first("a", before);
        let taken = events.take_when("a", Duration::ZERO, |events| !events.is_empty());
        assert_eq!(taken, Some(vec![completed(true)]));
        assert_eq!(events.count("a"), 0);
        assert_eq!(events.count("b"), 1);
    }

    #[test]
    fn too_few_events_stay() {
        let events = Events::default();
        events.push("a", completed(true));
        let taken = events.take_when("a", Duration::from_millis(1), |events| events.len() > 1);
        assert_eq!(taken, None);
        assert_eq!(events.count("a"), 1);
    }
}

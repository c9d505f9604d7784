//! In which order scenarios are begun, and by which slot.
//!
//! libvirt itself holds some calls for 30 s. A scenario with such a call costs no processor time
//! while it waits, so it is begun early and in a slot beside the others.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::suite::Case;

/// How many waiting scenarios run beside the others: each keeps a QEMU.
const MOST_WAITING: usize = 4;

/// The scenarios of a run that were not begun yet.
pub(super) struct Queue<'a> {
    waiting: Line<'a>,
    others: Line<'a>,
    jobs: usize,
}

/// What a slot takes first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Slot {
    /// Whatever does not wait.
    Working,
    /// Whatever waits.
    Waiting,
}

impl<'a> Queue<'a> {
    /// A queue for `jobs` slots at a time; one is one, whatever waits.
    pub(super) fn of(cases: &'a [Case], jobs: usize) -> Self {
        let (waiting, others) = cases.iter().partition(|case| waits(case));
        Self {
            waiting: Line::of(waiting),
            others: Line::of(others),
            jobs,
        }
    }

    /// The slots that serve the queue.
    pub(super) fn slots(&self) -> Vec<Slot> {
        let (waiting, others) = (self.waiting.cases.len(), self.others.cases.len());
        if self.jobs == 1 || others == 0 {
            let count = self.jobs.min(waiting + others).max(1);
            return vec![Slot::Waiting; count];
        }
        let mut slots = vec![Slot::Waiting; waiting.min(MOST_WAITING)];
        slots.resize(slots.len() + self.jobs.min(others), Slot::Working);
        slots
    }

    /// The next scenario for a slot.
    pub(super) fn next(&self, slot: Slot) -> Option<&'a Case> {
        match slot {
            // A slot beside the others ends when nothing waits, or there would be too many at work.
            Slot::Waiting if self.jobs > 1 && !self.others.cases.is_empty() => self.waiting.next(),
            Slot::Waiting => self.waiting.next().or_else(|| self.others.next()),
            Slot::Working => self.others.next().or_else(|| self.waiting.next()),
        }
    }
}

fn waits(case: &Case) -> bool {
    let scenario = case.scenario.as_ref();
    scenario.is_ok_and(|scenario| scenario.waits.is_some())
}

struct Line<'a> {
    cases: Vec<&'a Case>,
    next: AtomicUsize,
}

impl<'a> Line<'a> {
    fn of(cases: Vec<&'a Case>) -> Self {
        Self {
            cases,
            next: AtomicUsize::new(0),
        }
    }

    fn next(&self) -> Option<&'a Case> {
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        self.cases.get(at).copied()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::suite::Suite;

    /// A suite's cases, of which these wait.
    fn cases(waiting: &[usize], count: usize) -> Vec<Case> {
        let one = Suite::Embedded.cases().unwrap().swap_remove(0);
        let case = |at: usize| {
            let mut case = one.clone();
            case.name = at.to_string();
            let scenario = std::sync::Arc::make_mut(case.scenario.as_mut().unwrap());
            scenario.waits = waiting.contains(&at).then_some(30);
            case
        };
        (0..count).map(case).collect()
    }

    #[rstest]
    #[case::nothing_waits(&[], 4, 2, "WW")]
    #[case::beside_the_others(&[1, 3], 6, 2, "wwWW")]
    #[case::one_at_a_time(&[1], 4, 1, "w")]
    #[case::all_wait(&[0, 1, 2], 3, 2, "ww")]
    #[case::not_too_many(&[0, 1, 2, 3, 4, 5], 8, 2, "wwwwWW")]
    #[case::none_at_all(&[], 0, 2, "w")]
    fn slots_fit_what_waits(
        #[case] waiting: &[usize],
        #[case] count: usize,
        #[case] jobs: usize,
        #[case] expected: &str,
    ) {
        let cases = cases(waiting, count);
        let letter = |slot| if slot == Slot::Waiting { 'w' } else { 'W' };
        let slots = Queue::of(&cases, jobs).slots();
        let found: String = slots.into_iter().map(letter).collect();
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case(1)]
    #[case(3)]
    fn each_scenario_is_taken_once(#[case] jobs: usize) {
        let cases = cases(&[1, 4], 5);
        let queue = Queue::of(&cases, jobs);
        let mut taken = Vec::new();
        for slot in queue.slots() {
            while let Some(case) = queue.next(slot) {
                taken.push(case.name.as_str());
            }
        }
        assert_eq!(taken[..2], ["1", "4"], "what waits is begun first");
        taken.sort_unstable();
        assert_eq!(taken, ["0", "1", "2", "3", "4"]);
    }
}

//! Random histories.

use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use proptest_state_machine::ReferenceStateMachine;

use super::{Attempt, Situation, Turn};
use crate::model::{Client, DiskFormat};

/// The longest history.
const STEPS: usize = 14;

/// What happens to a domain, and the call under test.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct History {
    /// The formats of its disks.
    pub disks: Vec<DiskFormat>,
    /// What happens, every step with success.
    pub turns: Vec<Turn>,
    /// The call.
    pub attempt: Attempt,
    /// What the client cannot do, or may not.
    pub client: Client,
}

impl History {
    /// What is known of the domain before the call under test.
    #[must_use]
    pub fn situation(&self) -> Situation {
        let mut situation = Situation::new(self.disks.clone());
        for turn in &self.turns {
            situation.apply(turn);
        }
        situation
    }
}

/// Any history of a domain with one to three disks.
pub fn histories() -> impl Strategy<Value = History> {
    let turns = Situation::sequential_strategy(1..STEPS);
    let client = (any::<bool>(), any::<bool>(), any::<bool>());
    (turns, attempts(), client).prop_map(
        |((situation, turns, _), attempt, (no_mixing, no_start, no_monitor))| {
            let mut history = History {
                disks: situation.disks,
                turns,
                attempt,
                client: Client {
                    no_mixing,
                    no_start,
                    no_monitor,
                },
            };
            history.attempt = history.attempt.clone().at(&history.situation());
            history
        },
    )
}

impl ReferenceStateMachine for Situation {
    type State = Self;
    type Transition = Turn;

    fn init_state() -> BoxedStrategy<Self> {
        let format = prop_oneof![4 => Just(DiskFormat::Qcow2), 1 => Just(DiskFormat::Raw)];
        // The first one can have bitmaps, or there is little to tell.
        prop::collection::vec(format, 0..3)
            .prop_map(|others| {
                let mut disks = vec![DiskFormat::Qcow2];
                disks.extend(others);
                Self::new(disks)
            })
            .boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Turn> {
        if !state.is_active {
            return offline(state);
        }
        let next = state.made + 1;
        let disks = state.disks.len();
        let with_bitmaps: Vec<usize> = state.bitmap_disks().collect();
        let checkpoint = some_of(&with_bitmaps)
            .prop_map(move |disks| Turn::Checkpoint {
                checkpoint: next,
                disks,
            })
            .boxed();
        let write = (0..disks, any::<u8>(), any::<u8>())
            .prop_map(|(disk, block, fill)| Turn::Write { disk, block, fill })
            .boxed();
        let all: Vec<usize> = (0..disks).collect();
        let bases: Vec<u32> = state.checkpoints.keys().copied().collect();
        let chosen = (
            any::<bool>(),
            some_of(&all),
            any::<bool>(),
            any::<Option<Index>>(),
        );
        let backup = chosen
            .prop_map(
                move |(is_pull, disks, with_checkpoint, base)| Turn::Backup {
                    is_pull,
                    base: base
                        .filter(|_| !bases.is_empty())
                        .map(|base| *base.get(&bases)),
                    disks,
                    checkpoint: with_checkpoint.then_some(next),
                },
            )
            .boxed();
        let mut choices = vec![
            (4, write),
            (2, checkpoint),
            (4, backup),
            (2, Just(Turn::Destroy).boxed()),
            (1, Just(Turn::Kill).boxed()),
        ];
        choices.extend(about_checkpoints(state));
        prop::strategy::Union::new_weighted(choices).boxed()
    }

    fn preconditions(state: &Self, turn: &Turn) -> bool {
        state.allows(turn)
    }

    fn apply(mut state: Self, turn: &Turn) -> Self {
        Self::apply(&mut state, turn);
        state
    }
}

/// What can happen to a domain that is shut off.
fn offline(state: &Situation) -> BoxedStrategy<Turn> {
    let disks = 0..state.disks.len();
    let mut choices = vec![
        (6, Just(Turn::Start).boxed()),
        (1, Just(Turn::LoseMetadata).boxed()),
        (1, disks.prop_map(|disk| Turn::Recreate { disk }).boxed()),
    ];
    let bitmaps: Vec<(usize, u32)> = state.bitmaps.keys().copied().collect();
    if !bitmaps.is_empty() {
        let bitmap = prop::sample::select(bitmaps);
        let change = (bitmap, any::<bool>()).prop_map(|((disk, checkpoint), removed)| {
            if removed {
                Turn::RemoveBitmap { disk, checkpoint }
            } else {
                Turn::DisableBitmap { disk, checkpoint }
            }
        });
        choices.push((3, change.boxed()));
    }
    choices.extend(about_checkpoints(state));
    prop::strategy::Union::new_weighted(choices).boxed()
}

/// What can happen to checkpoints in any state of the domain.
fn about_checkpoints(state: &Situation) -> Option<(u32, BoxedStrategy<Turn>)> {
    if state.checkpoints.is_empty() {
        return None;
    }
    let checkpoints: Vec<u32> = state.checkpoints.keys().copied().collect();
    let turn =
        (prop::sample::select(checkpoints), 0..3).prop_map(|(checkpoint, kind)| match kind {
            0 => Turn::Dump { checkpoint },
            kind => Turn::Delete {
                checkpoint,
                metadata_only: kind == 1,
            },
        });
    Some((2, turn.boxed()))
}

/// Some of these, at least one, in their order.
fn some_of(all: &[usize]) -> impl Strategy<Value = Vec<usize>> + use<> {
    subsequence(all.to_vec(), 1..=all.len())
}

/// Any call; its numbers are brought into the range of the history by [`Attempt::at`].
fn attempts() -> impl Strategy<Value = Attempt> {
    let disks = || subsequence(vec![0, 1, 2], 1..=3);
    let number = || 0..8_u32;
    let some = || prop::option::weighted(0.7, 0..8_u32);
    prop_oneof![
        6 => (any::<bool>(), some(), disks(), some()).prop_map(|(is_pull, base, disks, checkpoint)| {
            Attempt::Backup { is_pull, base, disks, checkpoint }
        }),
        2 => (number(), disks()).prop_map(|(checkpoint, disks)| Attempt::Checkpoint { checkpoint, disks }),
        2 => (number(), any::<bool>(), any::<bool>()).prop_map(|(checkpoint, children, metadata_only)| {
            Attempt::Delete { checkpoint, children, metadata_only }
        }),
        1 => (number(), any::<bool>()).prop_map(|(checkpoint, validate)| {
            Attempt::Redefine { checkpoint, validate }
        }),
        1 => number().prop_map(|checkpoint| Attempt::Size { checkpoint }),
        1 => Just(Attempt::Abort),
    ]
}

//! Which part of the selected scenarios `run` takes.

use clap::Args;

use super::select::Selected;
use crate::suite::Partition;

/// Which part of them.
#[derive(Args, Debug)]
pub(super) struct Part {
    /// Only one part of several, such as `hash:1/4`: for machines that share the work
    ///
    /// The part of a scenario is 1 plus the remainder of the XXH64 hash of its name (seed 0)
    /// divided by N. That is the same in every build and version.
    #[arg(long, value_name = "hash:M/N", help_heading = super::select::HEADING)]
    partition: Option<Partition>,
}

/// Leaves only that part selected.
pub(super) fn take(part: &Part, selected: &mut Selected) {
    if let Some(partition) = part.partition {
        selected.narrow(
            |case| partition.holds(&case.name),
            |cases| {
                let count = cases.len();
                format!("`--partition {partition}` holds none of {count} selected scenarios")
            },
        );
    }
}

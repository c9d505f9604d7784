//! The scenarios of the suite, ready to run.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, available_parallelism};

use super::File;
use crate::scenario::{Diagnostics, STACK, Scenario};

/// A scenario with its name, or a file that holds none because of its problems.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name with its area, such as `seed/redefine-validate-after-image-recreated`.
    pub name: String,
    /// The path of its file, to name in messages; relative for an embedded one.
    pub path: PathBuf,
    /// The scenario, or every problem of its file.
    pub scenario: Result<Arc<Scenario>, Arc<Diagnostics>>,
}

impl Case {
    /// The folder of `scenarios/` that it lies in.
    #[must_use]
    pub fn area(&self) -> &str {
        self.name.split_once('/').map_or("", |(area, _)| area)
    }

    /// The scenarios of a file. A file with problems is one case, so that it cannot be overlooked.
    #[must_use]
    pub fn of(file: &File) -> Vec<Self> {
        let case = |name: String, scenario| Self {
            name,
            path: file.path.clone(),
            scenario,
        };
        match file.parse() {
            Ok(scenarios) => {
                let area = file.area();
                let named = |scenario: Scenario| {
                    case(format!("{area}/{}", scenario.name), Ok(Arc::new(scenario)))
                };
                scenarios.into_iter().map(named).collect()
            }
            Err(diagnostics) => vec![case(file.name.clone(), Err(Arc::new(diagnostics)))],
        }
    }
}

/// Reads files on all cores, in their order.
pub(super) fn load(files: &[File]) -> Vec<Case> {
    let cores = available_parallelism().map_or(1, usize::from);
    let share = files.len().div_ceil(cores).max(1);
    let read = |files: &[File]| files.iter().flat_map(Case::of).collect::<Vec<_>>();
    thread::scope(|scope| {
        let threads = files.chunks(share).map(|files| {
            let thread = thread::Builder::new().stack_size(STACK);
            thread.spawn_scoped(scope, move || read(files))
        });
        let threads: Vec<_> = threads.collect();
        let cases = threads.into_iter().flat_map(|thread| {
            let thread = thread.expect("a thread can be started");
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        cases.collect()
    })
}

/// The path of a scenario's file inside its suite, for the head of a snapshot.
#[must_use]
pub fn source_of(name: &str) -> String {
    let file = name.split_once('@').map_or(name, |(file, _)| file);
    format!("scenarios/{file}.yaml")
}

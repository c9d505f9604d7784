//! Runs that are killed at any instant: what they leave, their reapers remove, or the next run.

use std::env;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use backup_tck::driver::libvirt::Connection;

use crate::bench::processes;
use crate::product::Run;
use crate::suite::Copy;

/// How many runs are killed.
const COUNT: &str = "BACKUP_TCK_TEST_KILLS";

/// The number that the instants follow from.
const SEED: &str = "BACKUP_TCK_TEST_SEED";

/// For how long the reapers of a dead run may take; five seconds are their workers'.
const LIMIT: Duration = Duration::from_secs(12);

pub(crate) fn a_run_killed_at_any_instant_leaves_nothing(connection: &Connection) {
    let number = |name| {
        env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let count = number(COUNT).unwrap_or(4);
    let seed = number(SEED).unwrap_or_else(|| u64::from(std::process::id()));
    let driver = connection.to_string();
    let copy = Copy::new();
    let arguments = ["run", "seed/", "--driver", &driver];
    let begin = Instant::now();
    let (code, text) = Run::start(copy.0.path(), &arguments).end();
    assert_eq!(code, Some(0), "{text}");
    let whole = begin.elapsed();
    println!("{SEED}={seed}, a whole run takes {whole:.2?}");
    let mut chance = seed;
    for round in 0..count {
        chance = next(chance);
        let micros = u64::try_from(whole.as_micros()).unwrap();
        let instant = Duration::from_micros(chance % micros);
        // Every second time nobody is left to clean up but the next run.
        let everybody = round % 2 == 1;
        let mut run = Run::start(copy.0.path(), &arguments);
        wait(instant);
        let reapers = processes(run.temporary.path(), Some("reaper"));
        run.child.kill().unwrap();
        run.child.wait().unwrap();
        if everybody {
            for reaper in reapers
                .iter()
                .chain(&processes(run.temporary.path(), Some("reaper")))
            {
                // One may have ended meanwhile.
                let _ = std::process::Command::new("kill")
                    .args(["-KILL", &reaper.to_string()])
                    .stderr(std::process::Stdio::null())
                    .status();
            }
        }
        let left = |limit: Duration| {
            let end = Instant::now() + limit;
            loop {
                let left = run.left();
                if left.is_empty() || Instant::now() >= end {
                    return left;
                }
                wait(Duration::from_millis(20));
            }
        };
        let by_reapers = left(if everybody { Duration::ZERO } else { LIMIT });
        println!(
            "killed at {:.3} s{}: {} reapers, left {by_reapers:?}",
            instant.as_secs_f64(),
            if everybody { " with its reapers" } else { "" },
            reapers.len(),
        );
        // The run's own directory is all that no reaper removes, and only before there was one.
        assert!(
            everybody || by_reapers.iter().all(|left| left.starts_with("directory")),
            "{by_reapers:?}"
        );
        run.sweep_with_another(&driver);
    }
}

/// The next number of a sequence that looks like chance (`SplitMix64`).
const fn next(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Here it is the instant that counts.
fn wait(time: Duration) {
    let (_keep, never) = mpsc::channel::<()>();
    let _ = never.recv_timeout(time);
}

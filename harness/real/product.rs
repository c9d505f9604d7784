//! The whole product on real libvirt: endings that a user or a machine forces, and recording.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use backup_tck::driver::libvirt::Connection;
use tempfile::TempDir;

use crate::bench::{assert_clean, processes, signal, until};
use crate::suite::Copy;

const SCENARIO: &str = "scenarios/seed/checkpoint-on-raw-disk-refused.yaml";
const SNAPSHOT: &str = "snapshots/seed/checkpoint-on-raw-disk-refused.snap";

/// A run of the binary with a temporary directory of its own, where whatever it leaves is seen.
pub(crate) struct Run {
    pub(crate) child: Child,
    pub(crate) temporary: TempDir,
    /// Where it remembers what did not pass.
    state: TempDir,
}

impl Run {
    pub(crate) fn start(suite: &Path, arguments: &[&str]) -> Self {
        Self::with_path(suite, arguments, &std::env::var("PATH").unwrap())
    }

    pub(crate) fn with_path(suite: &Path, arguments: &[&str], path: &str) -> Self {
        let (temporary, state) = (crate::bench::directory(), crate::bench::directory());
        let child = Command::new(env!("CARGO_BIN_EXE_backup-tck"))
            .args(arguments)
            .current_dir(suite)
            .env("PATH", path)
            .env("TMPDIR", temporary.path())
            .env("XDG_STATE_HOME", state.path())
            .env_remove("CI")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            child,
            temporary,
            state,
        }
    }

    /// Waits until a QEMU of this run is there.
    pub(crate) fn until_qemu_runs(&self) {
        let qemu = || processes(self.temporary.path(), Some("-machine")).len() == 1;
        until(Duration::from_secs(30), qemu);
    }

    /// What is left of it, each thing by its kind and name.
    pub(crate) fn left(&self) -> Vec<String> {
        let processes = processes(self.temporary.path(), None).into_iter();
        let processes = processes.map(|pid| format!("process {pid}"));
        let entries = fs::read_dir(self.temporary.path()).unwrap().flatten();
        let directories = entries.flat_map(|run| {
            let workers = fs::read_dir(run.path()).into_iter().flatten().flatten();
            let workers = workers
                .filter(|entry| entry.path().is_dir())
                .map(|worker| format!("worker's directory {}", worker.path().display()));
            std::iter::once(format!("directory {}", run.path().display())).chain(workers)
        });
        processes.chain(directories).collect()
    }

    /// Starts another run with the same temporary directory, which leaves nothing of either.
    pub(crate) fn sweep_with_another(self, driver: &str) {
        for entry in fs::read_dir(self.temporary.path()).unwrap().flatten() {
            // A young one may be a run that has not begun yet.
            let touched = Command::new("touch")
                .args(["-d", "1 minute ago"])
                .arg(entry.path())
                .status();
            assert!(touched.unwrap().success());
        }
        let copy = Copy::new();
        let child = Command::new(env!("CARGO_BIN_EXE_backup-tck"))
            .args(["run", "raw", "--driver", driver])
            .current_dir(copy.0.path())
            .env("TMPDIR", self.temporary.path())
            .env("XDG_STATE_HOME", self.state.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (code, text) = Self { child, ..self }.end();
        assert_eq!(code, Some(0), "{text}");
    }

    /// Ends, whatever it leaves.
    pub(crate) fn told(self) -> (Option<i32>, String) {
        let output = self.child.wait_with_output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat());
        (output.status.code(), text.unwrap())
    }

    /// Ends, and leaves nothing. The text is what it told and what it remembers.
    pub(crate) fn end(self) -> (Option<i32>, String) {
        let Output {
            status,
            stdout,
            stderr,
        } = self.child.wait_with_output().unwrap();
        until(Duration::from_secs(10), || {
            processes(self.temporary.path(), None).is_empty()
        });
        let empty = || {
            fs::read_dir(self.temporary.path())
                .unwrap()
                .next()
                .is_none()
        };
        until(Duration::from_secs(10), empty);
        assert_clean(self.temporary.path());
        let mut text = String::from_utf8([stdout, stderr].concat()).unwrap();
        for entry in fs::read_dir(self.state.path().join("backup-tck"))
            .into_iter()
            .flatten()
        {
            text.push_str("-- remembered\n");
            text.push_str(&fs::read_to_string(entry.unwrap().path()).unwrap());
        }
        (status.code(), text)
    }
}

/// A scenario that starts a domain and then has libvirt wait for 30 s is not needed: any running
/// one will do, if it runs long enough to be met.
pub(crate) fn slow_suite() -> Copy {
    let copy = Copy::new();
    let write = "  - guest-write: { disk: vda, offset: 0, length: 1M, pattern: 0xA1 }\n";
    copy.edit(SCENARIO, write, &write.repeat(2000));
    copy
}

pub(crate) fn ctrl_c_leaves_nothing(connection: &Connection) {
    let driver = connection.to_string();
    let copy = slow_suite();
    let run = Run::start(copy.0.path(), &["run", "raw", "--driver", &driver]);
    run.until_qemu_runs();
    signal(run.child.id().cast_signed(), "-INT");
    let (code, text) = run.end();
    assert_eq!(code, Some(130), "{text}");
    assert!(text.contains("INTERRUPTED"), "{text}");
    assert!(text.contains(r#"refused": "interrupted""#), "{text}");
}

pub(crate) fn ctrl_c_twice_ends_at_once_and_leaves_nothing(connection: &Connection) {
    let driver = connection.to_string();
    let copy = slow_suite();
    let run = Run::start(copy.0.path(), &["run", "raw", "--driver", &driver]);
    run.until_qemu_runs();
    let worker = processes(run.temporary.path(), Some("worker"));
    // Nobody would answer the first one.
    signal(worker[0], "-STOP");
    let interrupt = || signal(run.child.id().cast_signed(), "-INT");
    interrupt();
    interrupt();
    let (code, text) = run.end();
    assert_eq!(code, Some(130), "{text}");
}

pub(crate) fn two_runs_at_once_do_not_disturb_each_other(connection: &Connection) {
    let driver = connection.to_string();
    let copy = Copy::new();
    let start = || Run::start(copy.0.path(), &["run", "--driver", &driver]);
    let runs = [start(), start()];
    for run in runs {
        let (code, text) = run.end();
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("2 passed, 0 failed"), "{text}");
    }
}

pub(crate) fn a_snapshot_folder_that_refuses_is_told(connection: &Connection) {
    let driver = connection.to_string();
    let copy = Copy::new();
    copy.edit(SNAPSHOT, "domain 10 QEMU", "domain 20 DOMAIN");
    // Files can be read through it and, by nobody, root included, written.
    let real = copy.0.path().join("snapshots/seed");
    let kept = copy.0.path().join("kept");
    fs::rename(&real, &kept).unwrap();
    fs::create_dir(&real).unwrap();
    let snapshot = copy.0.path().join(SNAPSHOT);
    fs::copy(kept.join(snapshot.file_name().unwrap()), &snapshot).unwrap();
    let flag = |flag: &str| {
        let changed = Command::new("chattr").arg(flag).arg(&real).status();
        changed.is_ok_and(|status| status.success())
    };
    if !flag("+i") {
        println!("not shown: this file system has no immutable folders");
        return;
    }
    let run = |arguments: &[&str]| Run::start(copy.0.path(), arguments).end();
    let (blessed, told) = run(&["bless", "raw", "--driver", &driver]);
    let (ran, warned) = run(&["run", "raw", "--driver", &driver]);
    assert!(flag("-i"));
    assert_eq!(blessed, Some(3), "{told}");
    assert!(
        told.contains("not recorded") && told.contains("cannot write"),
        "{told}"
    );
    assert_eq!(ran, Some(1), "{warned}");
    assert!(warned.contains("warning: cannot write"), "{warned}");
}

pub(crate) fn a_time_limit_leaves_nothing(connection: &Connection) {
    let driver = connection.to_string();
    let copy = slow_suite();
    let run = Run::start(
        copy.0.path(),
        &["run", "raw", "--driver", &driver, "--timeout", "2"],
    );
    let (code, text) = run.end();
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("TIMED-OUT"), "{text}");
    assert!(text.contains("within the time limit"), "{text}");
}

pub(crate) fn a_killed_run_leaves_nothing(connection: &Connection) {
    let driver = connection.to_string();
    let copy = slow_suite();
    let mut run = Run::start(copy.0.path(), &["run", "raw", "--driver", &driver]);
    run.until_qemu_runs();
    run.child.kill().unwrap();
    run.end();
}

pub(crate) fn a_killed_worker_is_told_and_the_run_goes_on(connection: &Connection) {
    let driver = connection.to_string();
    let copy = slow_suite();
    let run = Run::start(copy.0.path(), &["run", "--driver", &driver, "--jobs", "1"]);
    run.until_qemu_runs();
    let workers = processes(run.temporary.path(), Some("worker"));
    assert_eq!(workers.len(), 1);
    signal(workers[0], "-KILL");
    let (code, text) = run.end();
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("signal 9 (SIGKILL) during `"), "{text}");
    assert!(text.contains("1 passed, 0 failed, 1 crashed"), "{text}");
}

pub(crate) fn bless_records_what_expectations_allow(connection: &Connection) {
    let driver = connection.to_string();
    let copy = Copy::new();
    let product = |arguments: &[&str]| Run::start(copy.0.path(), arguments).end().0;
    let read = || fs::read_to_string(copy.0.path().join(SNAPSHOT)).unwrap();
    let recorded = read();
    copy.edit(SNAPSHOT, "domain 10 QEMU", "domain 20 DOMAIN");

    // A difference leaves a pending file and nothing else.
    assert_eq!(product(&["run", "raw", "--driver", &driver]), Some(1));
    assert!(copy.exists(&format!("{SNAPSHOT}.new")));
    assert_ne!(read(), recorded);

    // A scenario whose expectations do not hold is not recorded.
    copy.edit(SCENARIO, "fix-request", "treat-as-done");
    assert_eq!(product(&["bless", "raw", "--driver", &driver]), Some(1));
    assert_ne!(read(), recorded);

    copy.edit(SCENARIO, "treat-as-done", "fix-request");
    assert_eq!(product(&["bless", "raw", "--driver", &driver]), Some(0));
    let transcript = |text: &str| {
        text.split_once("\nhistory")
            .map(|(_, rest)| rest.to_owned())
    };
    assert_eq!(transcript(&read()), transcript(&recorded));
    assert!(!copy.exists(&format!("{SNAPSHOT}.new")));
}

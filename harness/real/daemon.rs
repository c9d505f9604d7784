//! Daemons that die, hang or do not come up: an answer that says no more than that is none.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use backup_tck::driver::libvirt::Connection;
use backup_tck::driver::{Driver, DriverError, Host, Libvirt};
use backup_tck::model::{Action, Api, DiskFormat, Size};

use crate::bench::{Bench, assert_clean, processes, signal, until};
use crate::product::{Run, slow_suite};
use crate::suite::Copy;

/// How a daemon may end, and how that is told.
const ENDS: [(&str, &str); 3] = [
    ("-KILL", "signal 9 (SIGKILL) in libvirtd"),
    ("-ABRT", "signal 6 (SIGABRT) in libvirtd"),
    ("-TERM", "exit status 0 in libvirtd"),
];

/// What may be asked when it has ended, and the name of that.
type Question = (&'static str, fn(&mut Bench) -> Result<(), DriverError>);

const QUESTIONS: [Question; 4] = [
    ("virDomainGetState", |bench| {
        let call = bench.plain(Api::DomainGetState, None, 0);
        bench.driver.call(&call).map(drop)
    }),
    ("guest-write", |bench| bench.write(0, 4096, 1).map(drop)),
    ("close scenario", |bench| {
        let place = bench.place.clone();
        bench.driver.close_scenario(&place)
    }),
    ("identity", |bench| bench.driver.identity().map(drop)),
];

pub(crate) fn a_daemon_that_has_ended_is_a_crash(connection: &Connection) {
    for (at, (signal_name, end)) in ENDS.into_iter().enumerate() {
        for (name, ask) in QUESTIONS.into_iter().skip(at).step_by(ENDS.len()) {
            let mut bench = Bench::started(connection, DiskFormat::Qcow2);
            let daemon = bench.daemon();
            signal(daemon, signal_name);
            let error = ask(&mut bench).unwrap_err();
            let DriverError::Crashed(crash) = &error else {
                panic!("{signal_name}, {name}: {error}")
            };
            assert_eq!((crash.end.as_str(), crash.call.as_str()), (end, name));
            assert_clean(bench.directory.path());
            let again = ask(&mut bench).unwrap_err();
            assert!(matches!(again, DriverError::Failed(_)), "{again}");
        }
    }
}

pub(crate) fn a_crash_tells_the_log_of_the_daemon(connection: &Connection) {
    let mut bench = Bench::new(connection);
    let call = bench.plain(Api::DomainDefine, Some("<garbage/>".to_owned()), 0);
    crate::bench::refused(bench.call(&call));
    let daemon = bench.daemon();
    signal(daemon, "-SEGV");
    let Err(DriverError::Crashed(crash)) = bench.driver.identity() else {
        panic!("it lives")
    };
    assert_eq!(crash.end, "signal 11 (SIGSEGV) in libvirtd");
    // Once, though the client has been told too.
    let raised = |line: &&String| line.contains("not 'garbage'");
    let raised: Vec<_> = crash.log.iter().filter(raised).collect();
    assert_eq!(raised.len(), 1, "{crash:?}");
    assert!(raised[0].contains("error : vir"), "{crash:?}");
}

pub(crate) fn a_daemon_that_dies_during_a_call_is_a_crash(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Qcow2);
    let daemon = bench.daemon();
    signal(daemon, "-STOP");
    let call = bench.plain(Api::DomainGetState, None, 0);
    let error = thread::scope(|scope| {
        let driver = &mut bench.driver;
        let (begun, begins) = mpsc::channel();
        let waiting = scope.spawn(move || {
            begun.send(()).unwrap();
            driver.call(&call)
        });
        begins.recv().unwrap();
        signal(daemon, "-KILL");
        waiting.join().unwrap()
    });
    assert!(
        matches!(&error, Err(DriverError::Crashed(crash)) if crash.end.starts_with("signal 9")),
        "{error:?}"
    );
    assert_clean(bench.directory.path());
}

pub(crate) fn a_daemon_that_hangs_is_timed_out(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Qcow2);
    signal(bench.daemon(), "-STOP");
    let limit = Some(Instant::now() + Duration::from_millis(300));
    bench.driver.set_deadline(limit);
    let error = bench.driver.act(&Action::GuestWrite {
        domain: bench.place.domain.clone(),
        disk: "vda".to_owned(),
        offset: Size(0),
        length: Size(4096),
        pattern: 1,
    });
    let call = "guest-write".to_owned();
    assert_eq!(error, Err(DriverError::TimedOut { call }));
    assert_clean(bench.directory.path());
}

pub(crate) fn a_killed_daemon_is_told_and_the_run_goes_on(connection: &Connection) {
    let copy = slow_suite();
    let driver = connection.to_string();
    let arguments = ["run", "--driver", &driver, "--jobs", "1"];
    let run = Run::start(copy.0.path(), &arguments);
    run.until_qemu_runs();
    let daemons = processes(run.temporary.path(), Some("--pid-file"));
    assert_eq!(daemons.len(), 1);
    signal(daemons[0], "-KILL");
    let (code, text) = run.end();
    assert_eq!(code, Some(4), "{text}");
    assert!(
        text.contains("signal 9 (SIGKILL) in libvirtd during `"),
        "{text}"
    );
    assert!(text.contains("1 passed, 0 failed, 1 crashed"), "{text}");
}

pub(crate) fn a_daemon_that_does_not_come_up_is_no_driver(connection: &Connection) {
    let copy = Copy::new();
    for (script, told) in [
        (
            "exit 3",
            "libvirtd does not come up: it ended with exit status 3",
        ),
        (
            "echo no more file handles >&2; kill -KILL $$",
            "no more file handles",
        ),
        ("exec sleep 60", "it opened no socket within 15 s"),
    ] {
        let bin = copy.0.path().join("bin");
        let program = bin.join("libvirtd");
        fs::create_dir_all(&bin).unwrap();
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let driver = connection.to_string();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let run = Run::with_path(copy.0.path(), &["run", "--driver", &driver], &path);
        let (code, text) = run.end();
        assert_eq!(code, Some(6), "{text}");
        assert!(text.contains(told), "{text}");
    }
}

pub(crate) fn a_killed_reaper_leaves_no_daemon(connection: &Connection) {
    let bench = Bench::started(connection, DiskFormat::Qcow2);
    let daemon = bench.daemon();
    // The worker dies with it; the daemon does not.
    signal(bench.process("reaper"), "-KILL");
    let Bench {
        driver, directory, ..
    } = bench;
    drop(driver);
    until(Duration::from_secs(5), || {
        !fs::exists(format!("/proc/{daemon}/exe")).unwrap()
    });
    assert_clean(directory.path());
}

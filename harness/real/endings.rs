//! Crashes, hangs, interrupts and dying supervisors: nothing may be left.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use backup_tck::driver::libvirt::{Connection, Real, RealOptions};
use backup_tck::driver::{Driver, DriverError, Host, Libvirt};
use backup_tck::model::{Action, Api, Call, DiskFormat, ImageRef, flags};

use crate::bench::{
    Bench, DISK, assert_clean, domain_xml, processes, refused, returned, signal, start, until,
};

/// Set for a run of this binary that starts a worker and waits to be killed.
const VICTIM: &str = "BACKUP_TCK_TEST_VICTIM";

/// How that worker reaches libvirt.
const VICTIM_OF: &str = "BACKUP_TCK_TEST_VICTIM_OF";

pub(crate) fn a_killed_worker_has_crashed_and_leaves_nothing(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Qcow2);
    signal(bench.worker(), "-KILL");
    let call = bench.plain(Api::DomainGetState, None, 0);
    let Err(DriverError::Crashed(crash)) = bench.driver.call(&call) else {
        panic!("it lives")
    };
    assert_eq!(crash.end, "signal 9 (SIGKILL)");
    assert_eq!(crash.call, "virDomainGetState");
    assert_clean(bench.directory.path());
    assert!(matches!(
        bench.driver.call(&call),
        Err(DriverError::Failed(_))
    ));
}

pub(crate) fn a_killed_reaper_leaves_nothing_either(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Qcow2);
    signal(bench.process("reaper"), "-KILL");
    let call = bench.plain(Api::DomainGetState, None, 0);
    // The worker may answer once more before it dies.
    let error = (0..10_000).find_map(|_| bench.driver.call(&call).err());
    assert!(matches!(error, Some(DriverError::Crashed(_))), "{error:?}");
    until(Duration::from_secs(5), || {
        processes(bench.directory.path(), None).is_empty()
    });
    assert_clean(bench.directory.path());
}

/// As a build replaces it: the file of that name is another one, then.
pub(crate) fn a_program_that_was_replaced_cleans_up(connection: &Connection) {
    let bench = Bench::new(connection);
    let directory = crate::bench::directory();
    let program = directory.path().join("backup-tck");
    fs::copy(env!("CARGO_BIN_EXE_backup-tck"), &program).unwrap();
    let mut driver = Real::start(&RealOptions {
        program: program.clone(),
        directory: directory.path().to_owned(),
        connection: Connection::Uri(crate::uri::uri(&bench)),
        stop: Arc::default(),
    })
    .unwrap();
    let place = driver.open_scenario().unwrap();
    let xml = domain_xml(&place, &bench.image("vda", DiskFormat::Raw));
    returned(
        driver
            .call(&Call::new(Api::DomainDefine, &place.domain).xml(xml))
            .unwrap(),
    );
    fs::remove_file(&program).unwrap();
    fs::write(&program, "").unwrap();
    signal(processes(directory.path(), Some("worker"))[0], "-KILL");
    let error = driver.identity().unwrap_err();
    assert!(matches!(error, DriverError::Crashed(_)), "{error}");
    assert_eq!(crate::uri::domains(&bench), [""; 0]);
    fs::remove_file(&program).unwrap();
    assert_clean(directory.path());
    bench.assert_nothing_is_left();
}

pub(crate) fn the_log_of_a_crash_is_kept(connection: &Connection) {
    let mut bench = Bench::new(connection);
    let call = bench.plain(Api::DomainDefine, Some("<garbage/>".to_owned()), 0);
    refused(bench.call(&call));
    // Not SIGSEGV: the Rust runtime takes the first one that is sent, not raised, for an error of
    // its own and goes on.
    signal(bench.worker(), "-ABRT");
    let Err(DriverError::Crashed(crash)) = bench.driver.identity() else {
        panic!("it lives")
    };
    assert_eq!(crash.end, "signal 6 (SIGABRT)");
    assert!(
        crash.log.iter().any(|line| line.contains("error : ")),
        "{crash:?}"
    );
    assert!(crash.log.len() <= 8);
}

pub(crate) fn a_hang_ends_at_the_deadline(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Qcow2);
    signal(bench.worker(), "-STOP");
    let call = bench.plain(Api::DomainGetState, None, 0);
    let begin = Instant::now();
    bench
        .driver
        .set_deadline(Some(begin + Duration::from_millis(300)));
    let error = bench.driver.call(&call).unwrap_err();
    let call = "virDomainGetState".to_owned();
    assert_eq!(error, DriverError::TimedOut { call });
    assert!(
        begin.elapsed() < Duration::from_secs(2),
        "{:?}",
        begin.elapsed()
    );
    assert_clean(bench.directory.path());
}

pub(crate) fn a_large_request_to_a_hung_worker_times_out_as_well(connection: &Connection) {
    let mut bench = Bench::new(connection);
    signal(bench.worker(), "-STOP");
    let call = bench.plain(Api::DomainDefine, Some(" ".repeat(1 << 20)), 0);
    bench
        .driver
        .set_deadline(Some(Instant::now() + Duration::from_millis(200)));
    assert!(matches!(
        bench.driver.call(&call),
        Err(DriverError::TimedOut { .. })
    ));
    assert_clean(bench.directory.path());
}

pub(crate) fn an_interrupt_ends_a_call(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Qcow2);
    signal(bench.worker(), "-STOP");
    let stop = Arc::clone(&bench.stop);
    let begin = Instant::now();
    let error = thread::scope(|scope| {
        let call = bench.plain(Api::DomainGetState, None, 0);
        let driver = &mut bench.driver;
        let waiting = scope.spawn(move || driver.call(&call));
        stop.store(true, Ordering::Relaxed);
        waiting.join().unwrap()
    });
    assert_eq!(error, Err(DriverError::Interrupted));
    assert!(begin.elapsed() < Duration::from_secs(2));
    assert_clean(bench.directory.path());
}

pub(crate) fn a_supervisor_that_dies_leaves_nothing(connection: &Connection) {
    let directory = crate::bench::directory();
    let mut victim = victim(connection, directory.path());
    let ready = directory.path().join("ready");
    until(Duration::from_mins(1), || ready.exists());
    assert!(
        processes(directory.path(), None).len() >= 3,
        "reaper, worker and QEMU"
    );
    victim.kill().unwrap();
    victim.wait().unwrap();
    // The run's directory, too, which nobody else can remove now.
    fs::remove_file(ready).unwrap();
    until(Duration::from_secs(10), || {
        processes(directory.path(), None).is_empty() && !directory.path().exists()
    });
}

/// This binary again, as [`be_a_victim`].
fn victim(connection: &Connection, directory: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .env(VICTIM, directory)
        .env(VICTIM_OF, connection.to_string())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// The process that [`a_supervisor_that_dies_leaves_nothing`] kills; returns where nobody asked
/// for one.
pub(crate) fn be_a_victim() {
    let Some(directory) = std::env::var_os(VICTIM).map(PathBuf::from) else {
        return;
    };
    let connection = std::env::var(VICTIM_OF).unwrap().parse().unwrap();
    let mut driver = start(&connection, &directory, &Arc::default());
    let place = driver.open_scenario().unwrap();
    let path = format!("{}/vda", place.directory);
    let format = DiskFormat::Raw;
    let image = ImageRef { path, format };
    let xml = domain_xml(&place, &image);
    driver
        .act(&Action::CreateImage { image, size: DISK })
        .unwrap();
    for call in [
        Call::new(Api::DomainDefine, &place.domain).xml(xml),
        Call::new(Api::DomainCreate, &place.domain).flags(flags::START_PAUSED),
    ] {
        returned(driver.call(&call).unwrap());
    }
    fs::write(directory.join("ready"), "").unwrap();
    loop {
        thread::park();
    }
}

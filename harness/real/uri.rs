//! A daemon that was there before: here another worker's private one, reached by its socket.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::time::Duration;

use backup_tck::driver::libvirt::{Connection, Real};
use backup_tck::driver::{Driver, DriverError, Libvirt};
use backup_tck::model::{Api, Call, DiskFormat, ErrorCode};
use virt::connect::Connect;

use crate::bench::{Bench, domain_xml, processes, refused, signal, start, until};
use crate::product::{Run, slow_suite};
use crate::suite::Copy;

/// The daemon of a bench, as anybody else would reach it.
pub(crate) fn uri(bench: &Bench) -> String {
    let own = bench.own();
    let mode = if own.join("lib/libvirt/qemu").is_dir() {
        "system"
    } else {
        "session"
    };
    format!(
        "qemu+unix:///{mode}?socket={}/run/libvirt/libvirt-sock",
        own.display()
    )
}

/// The names of our domains there.
pub(crate) fn domains(bench: &Bench) -> Vec<String> {
    let directory = crate::bench::directory();
    let mut driver = reach(bench, &directory);
    driver.found_before().unwrap()
}

fn reach(bench: &Bench, directory: &tempfile::TempDir) -> Real {
    let connection = Connection::Uri(uri(bench));
    start(&connection, directory.path(), &std::sync::Arc::default())
}

pub(crate) fn a_run_touches_no_other_domain(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Qcow2);
    let other = bench.place.domain.clone();
    let copy = Copy::new();
    let run = Run::start(copy.0.path(), &["run", "--driver", &uri(&bench)]);
    let (code, text) = run.end();
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("2 passed, 0 failed"), "{text}");
    // What was there before is told, and nobody is blamed for it.
    assert!(text.contains(&format!("warning: {other} is on ")), "{text}");
    assert_eq!(domains(&bench), [other]);
    bench.ok(Api::DomainGetState, None, 0);
    bench.assert_nothing_is_left();
}

pub(crate) fn a_domain_that_is_left_is_named(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Qcow2);
    let mut place = bench.place.clone();
    place.domain += "9";
    place.uuid = uuid::Uuid::new_v4().to_string();
    let xml = domain_xml(&place, &bench.image("vda", DiskFormat::Qcow2));
    let client = Connect::open(Some(&uri(&bench))).unwrap();
    let other = client.define_domain_xml(&xml).unwrap();
    let scenario = bench.place.clone();
    let error = bench.driver.close_scenario(&scenario).unwrap_err();
    let told = format!("the scenario has left behind: domain {}", place.domain);
    assert!(error.to_string().starts_with(&told), "{error}");
    let error = bench.driver.open_scenario().unwrap_err();
    assert!(
        error.to_string().starts_with("before the scenario began"),
        "{error}"
    );
    other.undefine().unwrap();
    drop((other, client));
    bench.assert_nothing_is_left();
}

pub(crate) fn another_ones_domain_is_not_taken_over(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Qcow2);
    let image = bench.image("vda", DiskFormat::Qcow2);
    let directory = crate::bench::directory();
    let mut other = reach(&bench, &directory);
    let own = other.open_scenario().unwrap();
    let theirs = bench.place.domain.clone();
    let xml = domain_xml(&bench.place, &image);
    for call in [
        Call::new(Api::DomainDefine, &theirs).xml(xml),
        Call::new(Api::DomainDestroy, &theirs),
        Call::new(Api::DomainUndefine, &theirs),
    ] {
        let Err(DriverError::Failed(told)) = other.call(&call) else {
            panic!("{call:?} was made")
        };
        let expected = format!("domain `{theirs}` is not of this run");
        assert!(told.starts_with(&expected), "{told}");
    }
    // By its UUID libvirt itself keeps it.
    let mut place = own.clone();
    place.uuid.clone_from(&bench.place.uuid);
    let define = Call::new(Api::DomainDefine, &own.domain).xml(domain_xml(&place, &image));
    let error = refused(other.call(&define).unwrap());
    assert_eq!(error.code, ErrorCode::OPERATION_FAILED, "{error}");
    other.close_scenario(&own).unwrap();
    drop(other);
    assert_eq!(domains(&bench), [theirs]);
    bench.ok(Api::DomainGetState, None, 0);
    bench.assert_nothing_is_left();
}

pub(crate) fn a_scenario_is_nobody_elses(connection: &Connection) {
    let bench = Bench::new(connection);
    let directory = crate::bench::directory();
    let mut other = reach(&bench, &directory);
    let place = other.open_scenario().unwrap();
    let found = fs::metadata(&place.directory).unwrap();
    // The daemon's QEMU runs as the user of this test.
    assert_eq!(found.mode() & 0o7777, 0o700);
    other.close_scenario(&place).unwrap();
    drop(other);
    bench.assert_nothing_is_left();
}

pub(crate) fn a_domain_that_stays_keeps_no_other(connection: &Connection) {
    let bench = Bench::new(connection);
    let uri = uri(&bench);
    let client = Connect::open(Some(&uri)).unwrap();
    let nvram = bench.own().join("nvram");
    fs::write(&nvram, "").unwrap();
    // Without a flag of its own libvirt does not undefine a domain that has such a file.
    let stays = format!(
        "<loader readonly='yes' type='pflash'>{0}</loader><nvram>{0}</nvram></os><features><acpi/></features>",
        nvram.display()
    );
    let image = bench.image("vda", DiskFormat::Raw);
    let mut defined = Vec::new();
    for number in 1..=6 {
        let mut place = bench.place.clone();
        place.domain = format!("backup-tck-0af31c-{number}");
        place.uuid = uuid::Uuid::new_v4().to_string();
        let mut xml = domain_xml(&place, &image);
        if number <= 2 {
            xml = xml.replace("</os>", &stays);
        }
        defined.push(client.define_domain_xml(&xml).unwrap());
    }
    let output = Command::new(env!("CARGO_BIN_EXE_backup-tck"))
        .args(["clear", &uri, "/nowhere/w0af31c"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.contains("cannot remove domain backup-tck-0af31c-"),
        "{told}"
    );
    assert!(!output.status.success());
    let left = ["backup-tck-0af31c-1", "backup-tck-0af31c-2"];
    let mut found = domains(&bench);
    found.retain(|name| *name != bench.place.domain);
    assert_eq!(found, left);
    fs::remove_file(&nvram).unwrap();
    for domain in &defined[..2] {
        domain.undefine().unwrap();
    }
    drop((defined, client));
    bench.assert_nothing_is_left();
}

pub(crate) fn whoever_is_killed_leaves_no_domain(connection: &Connection) {
    let bench = Bench::new(connection);
    let uri = uri(&bench);
    for victim in ["worker", "reaper", "run"] {
        let copy = slow_suite();
        let mut run = Run::start(copy.0.path(), &["run", "raw", "--driver", &uri]);
        let is_defined = || !domains(&bench).is_empty();
        until(Duration::from_secs(30), is_defined);
        if victim == "run" {
            run.child.kill().unwrap();
        } else {
            signal(processes(run.temporary.path(), Some(victim))[0], "-KILL");
        }
        let (code, text) = run.end();
        let expected = if victim == "run" { None } else { Some(4) };
        assert_eq!(code, expected, "{victim}: {text}");
        until(Duration::from_secs(10), || domains(&bench).is_empty());
    }
    bench.assert_nothing_is_left();
}

pub(crate) fn the_next_run_removes_what_nobody_could(connection: &Connection) {
    let bench = Bench::new(connection);
    let uri = uri(&bench);
    let copy = slow_suite();
    let mut run = Run::start(copy.0.path(), &["run", "raw", "--driver", &uri]);
    until(Duration::from_secs(30), || !domains(&bench).is_empty());
    let reapers = processes(run.temporary.path(), Some("reaper"));
    run.child.kill().unwrap();
    run.child.wait().unwrap();
    for reaper in reapers {
        signal(reaper, "-KILL");
    }
    assert_eq!(domains(&bench).len(), 1);
    run.sweep_with_another(&uri);
    assert_eq!(domains(&bench), [""; 0]);
    bench.assert_nothing_is_left();
}

pub(crate) fn a_daemon_that_dies_is_a_crash(connection: &Connection) {
    let bench = Bench::new(connection);
    let daemon = bench.daemon();
    let uri = uri(&bench);
    let copy = slow_suite();
    let run = Run::start(copy.0.path(), &["run", "raw", "--driver", &uri]);
    until(Duration::from_secs(30), || !domains(&bench).is_empty());
    signal(daemon, "-KILL");
    let (code, text) = run.told();
    assert_eq!(code, Some(4), "{text}");
    let told = format!("ended with a lost connection to {uri} (");
    assert!(text.contains(&told), "{text}");
    drop(bench);
}

pub(crate) fn a_socket_that_refuses_is_no_driver(_: &Connection) {
    let directory = crate::bench::directory();
    let socket = directory.path().join("sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let copy = Copy::new();
    for (name, told) in [("sock", "Connection refused"), ("none", "No such file")] {
        let uri = format!(
            "qemu+unix:///system?socket={}/{name}",
            directory.path().display()
        );
        let (code, text) = Run::start(copy.0.path(), &["run", "--driver", &uri]).end();
        assert_eq!(code, Some(6), "{text}");
        assert!(
            text.contains(&format!("driver `{uri}` cannot be used here")),
            "{text}"
        );
        assert!(text.contains(told), "{text}");
    }
}

pub(crate) fn a_daemon_that_hangs_is_no_hang_of_the_run(connection: &Connection) {
    let bench = Bench::new(connection);
    let copy = slow_suite();
    let uri = uri(&bench);
    let arguments = ["run", "raw", "--driver", &uri, "--timeout", "3"];
    let run = Run::start(copy.0.path(), &arguments);
    until(Duration::from_secs(30), || !domains(&bench).is_empty());
    let daemon = bench.daemon();
    signal(daemon, "-STOP");
    let (code, text) = run.told();
    signal(daemon, "-CONT");
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("TIMED-OUT"), "{text}");
    // Nobody could remove the domain; the next run tells of it.
    let left = domains(&bench);
    assert_eq!(left.len(), 1);
    let (_, text) = Run::start(copy.0.path(), &["run", "none", "--driver", &uri]).end();
    assert!(
        text.contains(&format!("warning: {} is on", left[0])),
        "{text}"
    );
    bench.assert_nothing_is_left();
}

pub(crate) fn another_ones_daemon_is_not_damaged(connection: &Connection) {
    let bench = Bench::new(connection);
    let copy = Copy::new();
    let scenario = "scenarios/seed/checkpoint-on-raw-disk-refused.yaml";
    copy.edit(scenario, "\nthen:", "\nneeds: [private-daemon]\nthen:");
    let (code, text) = Run::start(copy.0.path(), &["run", "raw", "--driver", &uri(&bench)]).end();
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("it needs private-daemon: this daemon was there"),
        "{text}"
    );
    bench.assert_nothing_is_left();
}

//! What a machine lacks, or loses in the middle of a run, and what a scenario leaves behind.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use backup_tck::driver::libvirt::Connection;
use backup_tck::driver::{Driver, DriverError};
use backup_tck::model::DiskFormat;
use tempfile::TempDir;

use crate::bench::Bench;
use crate::product::Run;
use crate::suite::Copy;

const EMULATOR: &str = "qemu-system-x86_64";
const IMAGE_TOOL: &str = "qemu-img";
const IO_TOOL: &str = "qemu-io";

/// A `PATH` with little in it.
struct Tools(TempDir);

impl Tools {
    /// With these programs of the machine.
    fn of(names: &[&str]) -> Self {
        let tools = Self(crate::bench::directory());
        for name in names {
            symlink(found(name), tools.0.path().join(name)).unwrap();
        }
        tools
    }

    /// With a script in place of `qemu-img`; `$REAL` is the real one.
    fn with_script(script: &str) -> Self {
        let tools = Self::of(&[EMULATOR, IO_TOOL]);
        let program = tools.0.path().join(IMAGE_TOOL);
        let head = format!(
            "#!/bin/bash\nREAL={}\nPATH=/usr/bin:/bin\n",
            found(IMAGE_TOOL).display()
        );
        fs::write(&program, head + script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        tools
    }

    fn run(&self, connection: &Connection) -> (Option<i32>, String) {
        let copy = Copy::new();
        let driver = connection.to_string();
        let arguments = ["run", "--driver", &driver, "--jobs", "1"];
        let path = self.0.path().to_str().unwrap();
        Run::with_path(copy.0.path(), &arguments, path).end()
    }
}

pub(crate) fn what_is_not_installed_is_named(connection: &Connection) {
    let all = [EMULATOR, IMAGE_TOOL, IO_TOOL];
    for missing in all {
        let there = all.into_iter().filter(|name| *name != missing);
        let (code, text) = Tools::of(&there.collect::<Vec<_>>()).run(connection);
        assert_eq!(code, Some(6), "{text}");
        assert!(text.contains(&format!("{missing}: not in PATH")), "{text}");
        assert!(text.contains("backup-tck doctor"), "{text}");
    }
}

pub(crate) fn a_tool_that_vanishes_breaks_what_needs_it(connection: &Connection) {
    let tools = Tools::with_script("[[ $1 != create ]] || rm \"$0\"\nexec \"$REAL\" \"$@\"\n");
    let (code, text) = tools.run(connection);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("cannot run `qemu-img"), "{text}");
    assert!(text.contains("0 passed, 0 failed, 2 broken"), "{text}");
}

pub(crate) fn an_emulator_that_vanishes_breaks_what_needs_it(connection: &Connection) {
    let tools = Tools::with_script(
        "[[ $1 != create ]] || rm -f \"${0%/*}/qemu-system-x86_64\"\nexec \"$REAL\" \"$@\"\n",
    );
    let (code, text) = tools.run(connection);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("Cannot check QEMU binary"), "{text}");
    assert!(text.contains("0 passed, 0 failed, 2 broken"), "{text}");
}

pub(crate) fn what_one_scenario_leaves_breaks_no_other(connection: &Connection) {
    let tools = Tools::with_script(
        "if [[ $1 == create && ! -e $0.done ]]; then\n\
         for image; do [[ $image != /* ]] || touch \"${image%/*/*}/forgotten\"; done\n\
         touch \"$0.done\"\n\
         fi\n\
         exec \"$REAL\" \"$@\"\n",
    );
    let (code, text) = tools.run(connection);
    assert_eq!(code, Some(3), "{text}");
    let told = "the scenario has left behind: file [RUN]/forgotten";
    assert!(text.contains(told), "{text}");
    assert!(text.contains("1 passed, 0 failed, 1 broken"), "{text}");
}

/// What a scenario may leave, and how it is told.
type Debris = (fn(&Bench) -> PathBuf, &'static str);

pub(crate) fn what_is_left_is_named(connection: &Connection) {
    let debris: [Debris; 3] = [
        (|bench| bench.own().join("forgotten"), "file"),
        (|bench| kept(bench, "qemu/checkpoint"), "file"),
        (|bench| kept(bench, "qemu/save"), "file"),
    ];
    for (path, kind) in debris {
        let mut bench = Bench::started(connection, DiskFormat::Qcow2);
        let path = path(&bench);
        fs::write(&path, "").unwrap();
        let place = bench.place.clone();
        let expected = format!("the scenario has left behind: {kind} {}", path.display());
        let closed = bench.driver.close_scenario(&place);
        assert_eq!(closed, Err(DriverError::Failed(expected)));
        // The next one is not blamed for it, and does not begin either.
        let expected = format!(
            "before the scenario began there was: {kind} {}",
            path.display()
        );
        let opened = bench.driver.open_scenario();
        assert_eq!(opened, Err(DriverError::Failed(expected)));
        bench.assert_nothing_is_left();
    }
}

/// Only root may mount.
pub(crate) fn a_mount_that_is_left_is_named(connection: &Connection) {
    let mut bench = Bench::new(connection);
    let status = Command::new("nsenter")
        .args(["-t", &bench.worker().to_string(), "-m"])
        .args(["mount", "-t", "tmpfs", "forgotten", "/mnt"])
        .status();
    assert!(status.unwrap().success());
    let place = bench.place.clone();
    let told = "the scenario has left behind: a mount on /mnt".to_owned();
    let closed = bench.driver.close_scenario(&place);
    assert_eq!(closed, Err(DriverError::Failed(told)));
    bench.assert_nothing_is_left();
}

pub(crate) fn nobody_else_is_told_of_a_domain(connection: &Connection) {
    let copy = Copy::new();
    let temporary = crate::bench::directory();
    let bus = temporary.path().join("bus");
    let listener = UnixListener::bind(&bus).unwrap();
    listener.set_nonblocking(true).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_backup-tck"))
        .args(["run", "raw", "--driver", &connection.to_string()])
        .current_dir(copy.0.path())
        .env(
            "DBUS_SYSTEM_BUS_ADDRESS",
            format!("unix:path={}", bus.display()),
        )
        .env("TMPDIR", temporary.path())
        .env("XDG_STATE_HOME", copy.0.path())
        .output()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let asked = listener.accept().map(|_| ());
    assert!(asked.is_err(), "somebody has connected to the bus: {text}");
    assert_eq!(output.status.code(), Some(0), "{text}");
}

/// Only root's libvirt moves it to another cgroup, which stays, or has systemd do so, which tells
/// the machine of it.
pub(crate) fn an_emulator_stays_in_its_cgroup(connection: &Connection) {
    let bench = Bench::started(connection, DiskFormat::Raw);
    let cgroup = |pid: i32| fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let emulator = bench.process("-machine");
    assert_eq!(cgroup(emulator), cgroup(bench.process("reaper")));
    bench.assert_nothing_is_left();
}

/// Only root may mount, and makes nothing where the host has no directory of libvirt's.
pub(crate) fn what_the_host_lacks_is_not_made_there(connection: &Connection) {
    let script =
        "mount -t tmpfs none /run && mount -t tmpfs none /var/log && mkdir /run/kept || exit
                  find /run /var/log | sort >before
                  \"$@\" || exit
                  find /run /var/log | sort >after
                  diff before after";
    let copy = Copy::new();
    let temporary = crate::bench::directory();
    let output = Command::new("unshare")
        .args(["-m", "--propagation", "private", "sh", "-c", script, "sh"])
        .arg(env!("CARGO_BIN_EXE_backup-tck"))
        .args(["run", "raw", "--driver", &connection.to_string()])
        .current_dir(copy.0.path())
        .env("TMPDIR", temporary.path())
        .env("XDG_STATE_HOME", copy.0.path())
        .output()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("1 passed, 0 failed"), "{text}");
}

/// A file that belongs to the scenario's domain, in libvirt's own directory of this name.
fn kept(bench: &Bench, name: &str) -> PathBuf {
    let own = bench.own();
    let libraries = ["r/lib", "lib/libvirt", "c/libvirt/qemu/lib/.."];
    let mut directories = libraries.iter().map(|library| own.join(library).join(name));
    let directory = directories.find(|directory| directory.is_dir());
    let directory = directory.unwrap_or_else(|| panic!("no {name}"));
    directory.join(format!("{}.x", bench.place.domain))
}

fn found(name: &str) -> PathBuf {
    let path = std::env::var("PATH").unwrap();
    let mut directories = path.split(':').map(Path::new);
    let found = directories.find_map(|directory| {
        let path = directory.join(name);
        path.is_file().then_some(path)
    });
    found.unwrap()
}

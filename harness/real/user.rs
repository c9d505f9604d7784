//! The product as an ordinary user runs it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use backup_tck::driver::libvirt::Connection;
use tempfile::TempDir;

use crate::bench::{processes, signal, until};
use crate::suite::Copy;

/// Why these tests cannot run here; `None` where they can.
pub(crate) fn unavailable() -> Option<String> {
    let output = Command::new("id").arg("-u").output();
    let is_root = output.is_ok_and(|output| output.stdout.starts_with(b"0\n"));
    if !is_root {
        return Some("only root can become another user".to_owned());
    }
    let setpriv = Command::new("setpriv").arg("--version").output();
    match setpriv {
        Ok(_) => None,
        Err(error) => Some(format!("setpriv: {error}")),
    }
}

pub(crate) fn an_ordinary_user_runs_every_seed(connection: &Connection) {
    let home = home();
    let (code, text) = run(home.path(), &connection.to_string());
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("2 passed, 0 failed"), "{text}");
    assert_eq!(processes(home.path(), None), [0; 0]);
    let mut left: Vec<_> = fs::read_dir(home.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    // Nothing of the session, whose directories it had no need of.
    assert_eq!(left, ["backup-tck", "cache", "state", "suite"]);
}

/// libvirt starts that daemon, and it serves on when the run is over: it is the user's.
pub(crate) fn an_ordinary_user_has_a_session(_: &Connection) {
    let home = home();
    let (code, text) = run(home.path(), "qemu:///session");
    let file = home.path().join("run/libvirt/libvirtd.pid");
    let daemon = fs::read_to_string(file).unwrap_or_default();
    let lives = || Path::new(&format!("/proc/{}/exe", daemon.trim())).exists();
    let survived = !daemon.is_empty() && lives();
    // With its log daemon, which tells its number nowhere.
    for pid in processes_of(home.path()) {
        signal(pid, "-KILL");
    }
    until(Duration::from_secs(5), || !lives());
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("2 passed, 0 failed"), "{text}");
    assert!(survived, "{daemon:?}");
}

/// The processes that have this home.
fn processes_of(home: &Path) -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let has_home = |pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(&*home.to_string_lossy())
    };
    pids.filter(has_home).collect()
}

/// A directory of an ordinary user's, with the program, which may lie where that user may not
/// get, and a suite.
fn home() -> TempDir {
    let home = crate::bench::directory();
    let copy = Copy::new();
    fs::copy(
        env!("CARGO_BIN_EXE_backup-tck"),
        home.path().join("backup-tck"),
    )
    .unwrap();
    let suite = home.path().join("suite");
    for (command, arguments) in [
        ("cp", [Path::new("-r"), copy.0.path(), &suite]),
        (
            "chown",
            [Path::new("-R"), Path::new("nobody:nogroup"), home.path()],
        ),
    ] {
        let status = Command::new(command).args(arguments).status().unwrap();
        assert!(status.success(), "{command}");
    }
    home
}

fn run(home: &Path, driver: &str) -> (Option<i32>, String) {
    let own = |name: &str| home.join(name);
    let output = Command::new("setpriv")
        .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"])
        .arg(own("backup-tck"))
        .args(["run", "seed/", "--driver", driver])
        .current_dir(own("suite"))
        .env("HOME", own("home"))
        .env("TMPDIR", home)
        .env("XDG_RUNTIME_DIR", own("run"))
        .env("XDG_CONFIG_HOME", own("config"))
        .env("XDG_CACHE_HOME", own("cache"))
        .env("XDG_STATE_HOME", own("state"))
        .env("CI", "true")
        .output()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code(), text)
}

/// A directory as a run leaves it, made by another user, who has a URI in it that names a command;
/// one that only begins with our name; and another's QEMU on an image of it.
pub(crate) fn what_no_run_has_made_is_not_swept(connection: &Connection) {
    let temporary = crate::bench::directory();
    let path = |name: &str| temporary.path().join(name);
    let (planted, notes) = (path("backup-tck-aB3dEf"), path("backup-tck-notes"));
    let script = path("planted");
    fs::write(
        &script,
        format!("#!/bin/sh\n: >{}\n", path("done").display()),
    )
    .unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir_all(planted.join("w0af31c")).unwrap();
    let uri = format!("qemu+ext:///system?command={}", script.display());
    for name in ["uri", "backup-tck.pid", "w0af31c/uri"] {
        fs::write(planted.join(name), &uri).unwrap();
    }
    fs::create_dir(&notes).unwrap();
    fs::write(notes.join("thesis.txt"), "").unwrap();
    for (command, arguments) in [
        ("chown", ["-R", "nobody:nogroup"]),
        ("touch", ["-d", "1 minute ago"]),
    ] {
        let status = Command::new(command)
            .args(arguments)
            .args([&planted, &notes])
            .status();
        assert!(status.unwrap().success(), "{command}");
    }
    fs::copy("/bin/sleep", path("qemu-system-fake")).unwrap();
    let mut emulator = Command::new(path("qemu-system-fake"))
        .arg("60")
        .arg0(notes.join("disk.qcow2"))
        .spawn()
        .unwrap();
    let copy = Copy::new();
    let output = Command::new(env!("CARGO_BIN_EXE_backup-tck"))
        .args(["run", "raw", "--driver", &connection.to_string()])
        .current_dir(copy.0.path())
        .env("TMPDIR", temporary.path())
        .env("XDG_STATE_HOME", copy.0.path())
        .output()
        .unwrap();
    let ended = emulator.try_wait().unwrap();
    emulator.kill().unwrap();
    emulator.wait().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(!path("done").exists(), "a planted command was run");
    assert!(planted.join("w0af31c/uri").exists(), "another's directory");
    assert!(notes.join("thesis.txt").exists(), "no run's directory");
    assert_eq!(ended, None, "another's emulator");
}

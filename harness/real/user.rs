//! The product as an ordinary user runs it.

use std::fs;
use std::path::Path;
use std::process::Command;

use backup_tck::driver::libvirt::Connection;

use crate::bench::processes;
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
    let home = crate::bench::directory();
    let own = |name: &str| home.path().join(name);
    let copy = Copy::new();
    // Where the build is, an ordinary user may not get.
    let program = own("backup-tck");
    fs::copy(env!("CARGO_BIN_EXE_backup-tck"), &program).unwrap();
    let suite = own("suite");
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
    let output = Command::new("setpriv")
        .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"])
        .arg(&program)
        .args(["run", "seed/", "--driver", &connection.to_string()])
        .current_dir(&suite)
        .env("HOME", own("home"))
        .env("TMPDIR", home.path())
        .env("XDG_RUNTIME_DIR", own("run"))
        .env("XDG_CONFIG_HOME", own("config"))
        .env("XDG_CACHE_HOME", own("cache"))
        .env("XDG_STATE_HOME", own("state"))
        .env("CI", "true")
        .output()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
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

//! What `backup-tck script` prints, run by `sh` on a daemon.

use std::fs;
use std::process::Command;

use backup_tck::driver::libvirt::Connection;

use crate::bench::{Bench, directory};
use crate::uri::{domains, uri};

/// One scenario for each kind of line.
const SCENARIOS: [&str; 8] = [
    "seed/redefine-validate-after-image-recreated",
    "seed/redefine-validate-under-wrong-name",
    "seed/incremental-over-inconsistent-bitmap",
    "seed/nbd-port-busy",
    "seed/nbd-server-already-running",
    "seed/disk-has-block-job",
    "recovery/delete-of-half-present-checkpoint@with-monitor",
    "recovery/metadata-store-unwritable",
];

pub(crate) fn a_script_is_answered_as_its_scenario(connection: &Connection) {
    let bench = Bench::new(connection);
    for name in SCENARIOS {
        let (code, told) = run(&bench, &script(name));
        assert_eq!(code, Some(0), "{name}:\n{told}");
        let message = message(name);
        assert!(told.contains(&message), "{name}: no `{message}` in\n{told}");
    }
    bench.assert_nothing_is_left();
}

pub(crate) fn a_script_tells_another_answer_and_a_failed_step(connection: &Connection) {
    let bench = Bench::new(connection);
    let text = script("seed/redefine-validate-under-wrong-name");
    let verdict = text.replace("missing or broken bitmap", "sound bitmap");
    assert_ne!(text, verdict);
    let (code, told) = run(&bench, &verdict);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("otherwise than on libvirt"), "{told}");
    let failing = text.replacen("virsh start", "virsh resume", 1);
    let (code, told) = run(&bench, &failing);
    assert_eq!(code, Some(2), "{told}");
    assert!(
        told.contains("stopped: this step has failed: start"),
        "{told}"
    );
    assert_eq!(domains(&bench), [""; 0]);
    bench.assert_nothing_is_left();
}

fn script(name: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_backup-tck"))
        .args(["script", name])
        .output()
        .unwrap();
    assert!(output.status.success(), "{name}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a script on the daemon of a bench; it must leave nothing.
fn run(bench: &Bench, text: &str) -> (Option<i32>, String) {
    let place = directory();
    let file = place.path().join("script");
    fs::write(&file, text).unwrap();
    let own = place.path().join("own");
    fs::create_dir(&own).unwrap();
    let output = Command::new("sh")
        .arg(&file)
        .arg(uri(bench))
        .env("TMPDIR", &own)
        .env("STORE", bench.own().join("lib/libvirt/qemu/checkpoint"))
        .output()
        .unwrap();
    let left = fs::read_dir(&own).unwrap().count();
    assert_eq!(left, 0, "the script has left its directory behind");
    let told = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&told).into_owned(),
    )
}

/// The message that the snapshot of a scenario holds.
fn message(name: &str) -> String {
    let root = env!("CARGO_MANIFEST_DIR");
    let snapshot = fs::read_to_string(format!("{root}/snapshots/{name}.snap")).unwrap();
    let when = snapshot.split_once("\nwhen\n").unwrap().1;
    let mut lines = when
        .lines()
        .skip_while(|line| !line.trim().starts_with("refused "));
    let line = lines.nth(1).unwrap().trim();
    // Where a message names what the scenario's place gives, the script has another name for it.
    line.split('[').next().unwrap().to_owned()
}

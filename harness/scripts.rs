//! The scripts of all scenarios, as `backup-tck script` prints them.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot do is a failure of the test"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use backup_tck::driver::mock::Mock;
use backup_tck::run::rehearse;
use backup_tck::script::script;
use backup_tck::suite::Suite;

/// Name and script of each scenario, or why there is none.
fn scripts() -> Vec<(String, Result<String, String>)> {
    let suite = Suite::near(Path::new(env!("CARGO_MANIFEST_DIR")));
    let mut mock = Mock::newest();
    let of = |case: backup_tck::suite::Case| {
        let scenario = case.scenario.unwrap();
        let rehearsal = rehearse(&mut mock, &scenario).unwrap();
        let text = script(&case.name, &scenario, &rehearsal);
        (case.name, text.map_err(|error| error.to_string()))
    };
    suite.cases().unwrap().into_iter().map(of).collect()
}

/// What `sh -n` complains about.
fn complaints(file: &Path) -> String {
    let checked = Command::new("sh").arg("-n").arg(file).output().unwrap();
    String::from_utf8(checked.stderr).unwrap()
}

#[test]
fn the_shell_reads_every_script() {
    let place = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("SCRIPTS").map_or_else(|| place.path().to_owned(), Into::into);
    let mut texts = 0;
    for (name, text) in scripts() {
        let Ok(text) = text else { continue };
        let file = folder.join(format!("{}.sh", name.replace('/', "+")));
        fs::write(&file, text).unwrap();
        assert_eq!(complaints(&file), "", "{name}");
        texts += 1;
    }
    assert!(texts >= 385, "only {texts} scenarios have a script");
    let broken = place.path().join("broken");
    fs::write(&broken, "if").unwrap();
    assert_ne!(complaints(&broken), "", "the check can fail");
}

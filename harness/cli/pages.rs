//! Completions and manual pages.

use std::fs;
use std::process::Command;

use super::{backup_tck, code, told};

/// Every command that is not hidden.
pub(crate) const COMMANDS: [&str; 18] = [
    "run",
    "replay",
    "compare",
    "coverage",
    "list",
    "check",
    "format",
    "schema",
    "bless",
    "decide",
    "explain",
    "policies",
    "export",
    "new",
    "script",
    "doctor",
    "completions",
    "man",
];

fn stdout(arguments: &[&str]) -> String {
    let output = backup_tck().args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Whether a program is here; what it would check is not claimed where it is not.
fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

#[test]
fn every_shell_gets_every_command_and_no_hidden_one() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = stdout(&["completions", shell]);
        for command in COMMANDS {
            assert!(script.contains(command), "{shell} misses {command}");
        }
        assert!(!script.contains("reaper"), "{shell} shows what is hidden");
        for word in ["full-backup-new-chain", "VIR_ERR_CHECKPOINT_INCONSISTENT"] {
            // elvish and PowerShell complete no values.
            let completes_values = !["elvish", "powershell"].contains(&shell);
            assert!(
                !completes_values || script.contains(word),
                "{shell}: {word}"
            );
        }
    }
    assert_eq!(code(backup_tck().args(["completions", "tcsh"])), 2);
}

#[cfg(unix)]
#[test]
fn bash_reads_its_script() {
    let place = tempfile::tempdir().unwrap();
    let script = place.path().join("script");
    let parses = |text: &str| {
        fs::write(&script, text).unwrap();
        let parsed = Command::new("bash").arg("-n").arg(&script).output();
        parsed.unwrap().status.success()
    };
    assert!(parses(&stdout(&["completions", "bash"])));
    assert!(!parses("if"), "the check can fail");
}

#[cfg(unix)]
#[test]
fn bash_completes_what_stands_behind_a_command() {
    let place = tempfile::tempdir().unwrap();
    let script = place.path().join("script");
    fs::write(&script, stdout(&["completions", "bash"])).unwrap();
    let completed = |words: &str| {
        let text = format!(
            "source {}; COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); \
             _backup__tck backup-tck \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            script.display()
        );
        let output = Command::new("bash").args(["-c", &text]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(completed("backup-tck run --dr"), "--driver\n");
    assert_eq!(completed("backup-tck list --uns"), "--unsupported\n");
    assert_eq!(completed("backup-tck comp"), "compare\ncompletions\n");
}

#[test]
fn every_command_has_its_page() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("new/man1");
    let output = backup_tck().arg("man").arg(&folder).output().unwrap();
    assert!(output.status.success());
    let main = fs::read_to_string(folder.join("backup-tck.1")).unwrap();
    assert!(main.contains(".SH \"EXIT CODES\"\n.nf\n"), "{main}");
    let mut pages = fs::read_dir(&folder).unwrap().count();
    for command in COMMANDS {
        let page = folder.join(format!("backup-tck-{command}.1"));
        let text = fs::read_to_string(page).unwrap();
        assert!(
            text.contains(".SH \"EXAMPLES\"\n.nf\n"),
            "{command}: {text}"
        );
        assert!(main.contains(command), "{command} is not on the main page");
        pages -= 1;
    }
    assert_eq!(pages, 1, "no page of a hidden command");
    assert_eq!(stdout(&["man"]), main);
}

#[test]
fn groff_has_nothing_to_say_about_the_pages() {
    if !is_there("groff") {
        eprintln!("skipped: no groff here");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let complaints = |page: &std::path::Path| {
        let mut groff = Command::new("groff");
        groff.args(["-man", "-Tutf8", "-ww", "-z"]).arg(page);
        String::from_utf8(groff.output().unwrap().stderr).unwrap()
    };
    stdout(&["man", &place.path().display().to_string()]);
    for entry in fs::read_dir(&place).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(complaints(&path), "", "{}", path.display());
    }
    let broken = place.path().join("broken.1");
    fs::write(&broken, ".TH X 1\n.nonsense\n").unwrap();
    assert_ne!(complaints(&broken), "", "the check can fail");
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("file"), "").unwrap();
    let text = told(backup_tck().args(["man", "file"]).current_dir(&place));
    assert!(
        text.starts_with("exit 3") && text.contains("cannot write manual pages into file"),
        "{text}"
    );
}

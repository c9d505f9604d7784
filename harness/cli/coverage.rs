//! Where errors were raised, of recorded runs.

use std::fs;
use std::process::Command;

use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{backup_tck, told};

/// Of two scenarios on real libvirt.
fn run() -> Vec<Value> {
    let finished = |name: &str, raised: Value| {
        json!({
            "event": "scenario-finished", "name": name, "source": format!("scenarios/{name}.yaml"),
            "summary": "A backup is refused.", "refs": [], "outcome": { "result": "passed" },
            "checks": [], "duration_us": 1, "transcript": null, "text": null, "raised": raised,
        })
    };
    let place = |function: &str, line: u32, message: &str| json!({ "function": function, "line": line, "message": message });
    vec![
        json!({ "format": 1, "tool": "backup-tck", "version": "0.1.0", "driver": "embed" }),
        json!({ "event": "started", "driver": "embed", "scenarios": 2, "jobs": 1, "suite": "folder" }),
        json!({
            "event": "identified", "driver": "embed", "real": true, "libvirt": "11.3.0", "qemu": "10.0.2",
        }),
        finished(
            "one/first",
            json!([place(
                "qemuBackupBegin",
                804,
                "Operation not supported: an inactive domain"
            )]),
        ),
        finished(
            "one/second",
            json!([
                place(
                    "qemuBackupBegin",
                    804,
                    "Operation not supported: an inactive domain"
                ),
                place(
                    "qemuDomainGetBackup",
                    50,
                    "Domain backup job id not found: no domain backup job present"
                ),
            ]),
        ),
        json!({
            "event": "finished", "passed": 2, "failed": 0, "crashed": 0, "timed_out": 0,
            "unexpected_pass": 0, "broken": 0, "skipped": 0, "interrupted": 0, "not_run": 0,
            "stopped": false, "duration_us": 2,
        }),
    ]
}

/// A suite with two scenarios and a catalogue, and the record of a run of it on real libvirt.
struct Suite(TempDir);

impl Suite {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("scenarios/one")).unwrap();
        let scenario = fs::read_to_string("src/suite/starter.yaml").unwrap();
        for name in ["first", "second"] {
            let path = format!("scenarios/one/{name}.yaml");
            fs::write(folder.path().join(path), &scenario).unwrap();
        }
        let suite = Self(folder);
        suite.alter(|_| {});
        suite.write(
            "scenarios/CATALOGUE.tsv",
            "api\tcode\tdomain\tsite\ttext\tshown-by\twhy-not\n\
             virDomainBackupBegin\t84\t10\tsrc/qemu/qemu_backup.c:qemuBackupBegin\tinactive\tone/first\t\n\
             virDomainBackupBegin\t109\t10\tsrc/qemu/qemu_backup.c:qemuBackupBegin\tno such text\tone/second\t\n\
             virDomainBackupBegin\t6\t6\tsrc/libvirt-domain.c:virDomainBackupBegin\tinvalid\t-\ta pointer\n",
        );
        suite
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    /// Writes the record, every line changed.
    fn alter(&self, change: impl Fn(&mut Value)) {
        let mut text = String::new();
        for mut line in run() {
            change(&mut line);
            text += &line.to_string();
            text.push('\n');
        }
        self.write("run.jsonl", &text);
    }

    fn coverage(&self, arguments: &[&str]) -> Command {
        let mut command = backup_tck();
        command
            .args(["coverage", "--from", "run.jsonl"])
            .args(arguments)
            .current_dir(self.0.path());
        command
    }

    fn told(&self, arguments: &[&str]) -> String {
        told(&mut self.coverage(arguments))
    }

    /// Makes the table of the run, as it is now.
    fn table(&self) -> String {
        let output = self.coverage(&["--format", "table"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn places_and_what_was_never_raised() {
    insta::assert_snapshot!(Suite::new().told(&[]));
}

#[test]
fn the_table_has_a_line_for_each_place() {
    insta::assert_snapshot!(Suite::new().table());
}

#[test]
fn a_table_of_the_same_run_is_fresh() {
    let suite = Suite::new();
    let catalogue = "api\tcode\tdomain\tsite\ttext\tshown-by\twhy-not\n";
    suite.write("scenarios/CATALOGUE.tsv", catalogue);
    suite.write("table.tsv", &suite.table());
    insta::assert_snapshot!(suite.told(&["--check", "table.tsv"]));
}

#[test]
fn a_stale_table_is_told_line_by_line() {
    let suite = Suite::new();
    suite.write("table.tsv", &suite.table().replace("\t804\t", "\t800\t"));
    insta::assert_snapshot!(suite.told(&["--check", "table.tsv"]));
}

#[rstest]
#[case("other_libvirt", "libvirt 11.3.0", "libvirt 9.0.0")]
#[case("other_format", "format 1", "format 2")]
#[case("no_table", "# backup-tck", "# other")]
fn what_cannot_be_compared_is_told(#[case] name: &str, #[case] from: &str, #[case] to: &str) {
    let suite = Suite::new();
    suite.write("table.tsv", &suite.table().replace(from, to));
    let told = suite.told(&["--check", "table.tsv"]);
    assert!(told.starts_with("exit 2"), "{told}");
    insta::assert_snapshot!(format!("cannot_be_compared_{name}"), told);
}

#[test]
fn a_table_that_is_not_there_is_2() {
    insta::assert_snapshot!(Suite::new().told(&["--check", "table.tsv"]));
}

#[test]
fn a_run_that_does_not_tell_is_2() {
    let suite = Suite::new();
    suite.alter(|line| {
        line.as_object_mut().unwrap().remove("raised");
    });
    insta::assert_snapshot!(suite.told(&[]));
}

#[test]
fn a_run_that_failed_is_1() {
    let suite = Suite::new();
    suite.alter(|line| {
        if line["event"] == "finished" {
            (line["passed"], line["failed"]) = (json!(1), json!(1));
        }
    });
    let told = suite.told(&[]);
    assert!(told.starts_with("exit 1"), "{told}");
}

#[test]
fn the_mock_is_wrong_usage() {
    let told = told(backup_tck().args(["coverage", "--driver", "mock"]));
    insta::assert_snapshot!(told);
}

#[test]
fn a_catalogue_that_cannot_be_read_is_3() {
    let suite = Suite::new();
    suite.write("scenarios/CATALOGUE.tsv", "api\tcode\n");
    insta::assert_snapshot!(suite.told(&[]));
}

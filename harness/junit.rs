//! The JUnit report against the schema by which Jenkins reads it.
//!
//! `xmllint` validates. Where it is missing the tests are ignored, with the reason in front of
//! the name; this is decided while listing, as in `scenarios.rs`.

use std::io::Write;
use std::process::{Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/harness/junit-10.xsd");
const EVERY_OUTCOME: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/harness/records/every-outcome.jsonl"
);

type Test = (&'static str, fn() -> Result<(), Failed>);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tests: [Test; 3] = [
        ("every_outcome_is_valid", every_outcome_is_valid),
        ("a_run_is_valid", a_run_is_valid),
        (
            "the_schema_refuses_what_is_no_report",
            the_schema_refuses_what_is_no_report,
        ),
    ];
    let is_missing = Command::new("xmllint").arg("--version").output().is_err();
    let trial = |(name, test): Test| {
        let trial = Trial::test(name, test);
        if is_missing {
            let reason = "xmllint is not installed (Debian and Ubuntu: libxml2-utils)";
            trial.with_kind(reason).with_ignored_flag(true)
        } else {
            trial
        }
    };
    libtest_mimic::run(&arguments, tests.map(trial).into()).exit_code()
}

fn every_outcome_is_valid() -> Result<(), Failed> {
    validate(&report(&["replay", EVERY_OUTCOME])?)
}

fn a_run_is_valid() -> Result<(), Failed> {
    validate(&report(&["run"])?)
}

fn the_schema_refuses_what_is_no_report() -> Result<(), Failed> {
    let good = report(&["replay", EVERY_OUTCOME])?;
    for (from, to) in [
        ("<failure ", "<failed "),
        (" classname=", " class="),
        ("</testsuites>", ""),
    ] {
        let broken = good.replace(from, to).replace("</failure>", "</failed>");
        if broken == good || validate(&broken).is_ok() {
            return Err(format!("a report with `{to}` for `{from}` is taken").into());
        }
    }
    Ok(())
}

fn report(arguments: &[&str]) -> Result<String, Failed> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backup-tck"));
    let output = command
        .args(arguments)
        .args(["--report", "junit"])
        .output()?;
    Ok(String::from_utf8(output.stdout)?)
}

fn validate(document: &str) -> Result<(), Failed> {
    let mut child = Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema", SCHEMA, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(document.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
    }
}

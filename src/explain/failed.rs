//! What failed in a run, and what to look at next: pages made of a recorded run.

use super::page::Page;
use crate::judge::{Rule, rules};
use crate::model::{Decision, ErrorCode};
use crate::transcript::{Conclusion, ProofLine, Record, Transcript};
use crate::verdict::Check;

/// A scenario that did not come out as it should.
#[derive(Clone, Copy, Debug)]
pub struct FailedScenario<'a> {
    /// Its name.
    pub name: &'a str,
    /// What came of it, in one word.
    pub outcome: &'a str,
    /// The same and its main reason in one line.
    pub gist: &'a str,
    /// The checks that do not hold; none where something else went wrong.
    pub checks: &'a [Check],
    /// The lines in which the transcript differs from its snapshot.
    pub difference: &'a [String],
    /// There is no snapshot to compare it with.
    pub is_new: bool,
    /// As far as it got.
    pub transcript: Option<&'a Transcript>,
}

/// What a run was: `title`, who answered, and what failed in it.
#[must_use]
pub fn failures_page(title: &str, answered: &str, failed: &[FailedScenario<'_>]) -> String {
    let mut page = Page::of_run(title);
    page.section("who answered");
    page.paragraph(answered);
    page.section("what failed");
    if failed.is_empty() {
        page.paragraph("nothing");
    }
    for scenario in failed {
        page.row(scenario.outcome, scenario.name);
    }
    page.into_text()
}

/// Everything that there is to tell about one scenario of a run on this driver.
#[must_use]
pub fn failed_page(failed: &FailedScenario<'_>, driver: &str) -> String {
    let mut page = Page::of_run(&format!("{}: {}", failed.name, failed.outcome));
    expectations(&mut page, failed);
    if !failed.difference.is_empty() {
        page.section("how it differs from its snapshot (- recorded, + in this run)");
        page.quoted(failed.difference);
    }
    let transcript = failed.transcript;
    if let Some(when) = transcript.and_then(|transcript| transcript.when.as_ref()) {
        answer(&mut page, when);
    }
    let conclusion = transcript.and_then(|transcript| transcript.conclusion.as_ref());
    if let Some(conclusion) = conclusion {
        decided(&mut page, conclusion);
    }
    if let Some(transcript) = transcript {
        unproven(&mut page, transcript);
    }
    page.section("what to look at next");
    page.commands(next(failed, driver));
    page.into_text()
}

/// Where libvirt, the judge or the recovery did something else.
fn expectations(page: &mut Page, failed: &FailedScenario<'_>) {
    page.section("what was expected, and what was found");
    if failed.checks.is_empty() {
        page.quoted(failed.gist.lines());
    }
    // The proof has a section of its own.
    let is_other = |check: &&Check| !check.what.starts_with("proof: ");
    let mut others = failed.checks.iter().filter(is_other).peekable();
    if others.peek().is_none() && !failed.checks.is_empty() {
        page.paragraph("a recovery that works, and one that could not be proven, see below");
    }
    for check in others {
        page.quoted([check.what.as_str()]);
        page.row("", &format!("expected  {}", check.expected));
        page.row("", &format!("found     {}", check.found));
    }
}

/// What libvirt said to the call under test.
fn answer(page: &mut Page, when: &Record) {
    page.section("what libvirt answered to the call under test");
    page.row("call", &when.label);
    match when.refusal() {
        None => page.row("answer", "success"),
        Some(error) => {
            page.row("error", &error.code.to_string());
            page.row("domain", &error.domain.to_string());
            page.row("message", &error.message);
        }
    }
}

/// How the judge came to its decision.
fn decided(page: &mut Page, conclusion: &Conclusion) {
    page.section("what the judge asked");
    if conclusion.probes.is_empty() {
        page.paragraph("nothing: the error and the request were enough");
    }
    for asked in &conclusion.probes {
        page.bullets([format!("{}: {}", asked.probe, asked.answer)]);
    }
    page.section("what it decided");
    let decision = conclusion.decision;
    page.row("decision", &format!("{decision} ({})", decision.category()));
    page.row(
        "rule",
        &format!("{}: {}", conclusion.rule, conclusion.because),
    );
    if rule_called(&conclusion.rule).is_some_and(|rule| rule.reads_message) {
        page.row("", "reads the message, since no query tells the same");
    }
    for source in &conclusion.sources {
        page.row("source", source);
    }
    if let Some(base) = &conclusion.base {
        page.row("base", base);
    }
    for (disk, part) in &conclusion.disks {
        page.row(disk, &part.to_string());
    }
    for step in &conclusion.clean_up {
        page.row("clean-up", &step.to_string());
    }
}

/// What could not be shown.
fn unproven(page: &mut Page, transcript: &Transcript) {
    let broken: Vec<&ProofLine> = transcript.proof.iter().filter(|line| !line.holds).collect();
    if !broken.is_empty() {
        page.section("claims of the proof that do not hold");
        let told = |line: &&ProofLine| format!("{}: {}", line.claim, line.found);
        page.bullets(broken.iter().map(told));
    }
}

/// Commands that tell more, the nearest first.
fn next(failed: &FailedScenario<'_>, driver: &str) -> Vec<String> {
    let name = failed.name;
    // A file with problems holds no scenario.
    let mut topics = Vec::new();
    if failed.outcome != "broken" || failed.transcript.is_some() {
        topics.push(name.to_owned());
    }
    let conclusion = failed.transcript.and_then(|all| all.conclusion.as_ref());
    if let Some(conclusion) = conclusion {
        topics.extend(rule_called(&conclusion.rule).map(|rule| rule.id.to_owned()));
        topics.push(conclusion.decision.to_string());
        let kinds = conclusion.clean_up.iter().map(|step| step.kind.as_str());
        topics.extend(kinds.map(str::to_owned));
    }
    let when = failed.transcript.and_then(|all| all.when.as_ref());
    let found = when.and_then(Record::refusal).map(|error| error.code);
    topics.extend(found.map(|code| code.0.to_string()));
    topics.extend(failed.checks.iter().filter_map(expected));
    let mut seen = Vec::new();
    topics.retain(|topic| {
        let is_new = !seen.contains(topic);
        seen.push(topic.clone());
        is_new
    });
    let explain = |topic: String| format!("backup-tck explain {topic}");
    let mut commands: Vec<String> = topics.into_iter().map(explain).collect();
    if failed.outcome == "broken" {
        commands.push(format!("backup-tck check {name}"));
    }
    commands.push(format!("backup-tck run {name} --driver {driver}"));
    if failed.is_new {
        commands.push(format!("backup-tck bless {name}"));
    }
    commands
}

/// The topic of what a check wanted.
fn expected(check: &Check) -> Option<String> {
    match check.what.as_str() {
        "decision" => {
            let decision: Decision = check.expected.parse().ok()?;
            Some(decision.to_string())
        }
        "error" => {
            let code = ErrorCode::meant_by(check.expected.split(' ').next()?)?;
            Some(code.0.to_string())
        }
        _ => None,
    }
}

/// A rule of this build; another one may have written the record.
fn rule_called(id: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Answer, Api, Call, DiskPart, ErrorDomain, Identity, LibvirtError};
    use crate::transcript::{Exchange, ProbeRecord};

    const CLEAN_UP: &str = r#"[
        { "kind": "purge-stale-bitmap-live", "checkpoint": "c1", "disks": ["vda"], "time": "first" }
    ]"#;

    fn identity() -> Identity {
        let text = r#"{"driver":"mock","real":false,"libvirt":"11.3.0","qemu":"10.0"}"#;
        serde_json::from_str(text).unwrap()
    }

    fn refused(label: &str, message: &str) -> Record {
        let error = LibvirtError::reported(ErrorCode::INTERNAL_ERROR, ErrorDomain::QEMU, message);
        Record {
            label: label.to_owned(),
            exchange: Exchange::Call {
                call: Call::new(Api::DomainBackupBegin, "d"),
                answer: Answer::Refused(error),
            },
        }
    }

    fn line(claim: &str, holds: bool) -> ProofLine {
        ProofLine {
            claim: claim.to_owned(),
            found: "taken".to_owned(),
            holds,
        }
    }

    fn conclusion(rule: &str) -> Conclusion {
        Conclusion {
            decision: Decision::RetryAfterJobEnds,
            base: Some("c0".to_owned()),
            disks: [("vda".to_owned(), DiskPart::Full)].into(),
            clean_up: serde_json::from_str(CLEAN_UP).unwrap(),
            rule: rule.to_owned(),
            because: "so it is".to_owned(),
            sources: vec!["a book".to_owned()],
            probes: vec![ProbeRecord {
                probe: "domain job".to_owned(),
                answer: "none".to_owned(),
            }],
        }
    }

    fn page(conclusion: Option<Conclusion>, checks: &[Check], outcome: &str) -> String {
        let transcript = Transcript {
            when: Some(refused(
                "backup-begin",
                "a \u{1b}[2Jlong message ".repeat(9).trim(),
            )),
            conclusion,
            proof: vec![line("name c1", false), line("name c2", true)],
            ..Transcript::new("a/one", identity())
        };
        let failed = FailedScenario {
            name: "a/one",
            outcome,
            gist: "why it is so",
            checks,
            is_new: false,
            difference: &[format!("- {}", "x".repeat(200))],
            transcript: Some(&transcript),
        };
        failed_page(&failed, "mock")
    }

    fn decision(expected: &str) -> Check {
        Check::equal("decision", &expected, &"retry-after-job-ends")
    }

    #[test]
    fn all_that_is_known_is_told() {
        let text = page(
            Some(conclusion("B14")),
            &[decision("fix-request")],
            "failed",
        );
        for part in [
            "expected  fix-request",
            "found     retry-after-job-ends",
            "1 VIR_ERR_INTERNAL_ERROR",
            "- domain job: none",
            "B14: so it is",
            "reads the message",
            "source    a book",
            "base      c0",
            "vda       full",
            "clean-up  purge-stale-bitmap-live c1, first",
            "- backup-tck explain purge-stale-bitmap-live\n",
            "- name c1: taken",
            "- backup-tck explain a/one\n",
            "- backup-tck explain B14\n",
            "- backup-tck explain retry-after-job-ends\n",
            "- backup-tck explain fix-request\n",
            "- backup-tck explain 1\n",
            "- backup-tck run a/one --driver mock\n",
        ] {
            assert!(text.contains(part), "no `{part}`: {text}");
        }
        assert!(!text.contains("name c2"), "{text}");
    }

    #[test]
    fn no_line_is_too_long_and_none_is_a_command_of_the_terminal() {
        let text = page(Some(conclusion("B14")), &[], "failed");
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        assert!(
            !text.contains('\u{1b}') && text.contains('\u{FFFD}'),
            "{text}"
        );
    }

    #[test]
    fn what_the_proof_lacks_is_told_once() {
        let check = Check {
            what: "proof: name c1".to_owned(),
            ..Check::equal("", &"holds", &"taken")
        };
        let text = page(None, &[check], "failed");
        assert_eq!(text.matches("taken").count(), 1, "{text}");
        assert!(text.contains("could not be proven, see below"), "{text}");
    }

    #[test]
    fn a_rule_that_this_build_does_not_know_is_no_topic() {
        for rule in ["none", "Z9"] {
            let text = page(Some(conclusion(rule)), &[], "failed");
            assert!(text.contains(&format!("{rule}: so it is")), "{text}");
            assert!(!text.contains(&format!("explain {rule}")), "{text}");
        }
    }

    #[test]
    fn nothing_is_told_twice() {
        let error = Check::equal("error", &ErrorCode::INTERNAL_ERROR, &ErrorCode::INVALID_ARG);
        let text = page(None, &[error], "failed");
        assert_eq!(text.matches("backup-tck explain 1\n").count(), 1, "{text}");
        assert!(!text.contains("what it decided"), "{text}");
    }

    #[test]
    fn what_has_no_transcript_leads_to_its_file() {
        let failed = FailedScenario {
            name: "a/one",
            outcome: "broken",
            gist: "there is no disk `vdx`",
            checks: &[],
            difference: &[],
            is_new: false,
            transcript: None,
        };
        let text = failed_page(&failed, "mock");
        assert!(text.contains("  there is no disk `vdx`\n"), "{text}");
        assert!(text.contains("backup-tck check a/one"), "{text}");
        assert!(!text.contains("explain"), "{text}");
    }
}

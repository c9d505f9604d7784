//! `FINDINGS.md`: what it says was seen, and it is made of what was seen.
//!
//! `BLESS=1 cargo test --test findings` makes it anew.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot do is a failure of the test"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use backup_tck::findings::{Finding, Kind, findings};
use backup_tck::suite::Suite;

const fn heading(kind: Kind) -> &'static str {
    match kind {
        Kind::Defect => "Defects",
        Kind::Trap => "Traps",
        Kind::Documentation => "Documentation",
    }
}

/// What some versions printed alike.
struct Output {
    versions: Vec<String>,
    text: String,
}

impl Output {
    /// Whether it has these lines, one after the other; the indentation does not count.
    fn shows(&self, lines: &str) -> bool {
        plain(&self.text).contains(&plain(lines))
    }
}

fn plain(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join("\n")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn outputs(name: &str) -> Vec<Output> {
    let text = fs::read_to_string(root().join(format!("snapshots/findings/{name}.txt")));
    let text = text.expect("each finding has its record: ci/findings --record");
    let parts = text.split("## ").filter(|part| !part.is_empty());
    let output = |part: &str| {
        let (versions, text) = part.split_once('\n').unwrap();
        Output {
            versions: versions.split(", ").map(str::to_owned).collect(),
            text: text.to_owned(),
        }
    };
    parts.map(output).collect()
}

/// The versions that show it, and those that do not, in order.
fn seen(finding: &Finding, outputs: &[Output]) -> (Vec<String>, Vec<String>) {
    let mut versions: Vec<(&String, bool)> = outputs
        .iter()
        .flat_map(|output| {
            let shows = output.shows(&finding.shows);
            output.versions.iter().map(move |version| (version, shows))
        })
        .collect();
    versions.sort_by_key(|(version, _)| {
        let numbers = version.split('.').map(str::parse::<u32>);
        numbers.collect::<Result<Vec<_>, _>>().unwrap()
    });
    let of = |wanted: bool| {
        let kept = versions.iter().filter(|(_, shows)| *shows == wanted);
        kept.map(|(version, _)| (*version).clone()).collect()
    };
    (of(true), of(false))
}

#[test]
fn every_finding_was_seen() {
    let mut versions = BTreeSet::new();
    for finding in findings() {
        let outputs = outputs(&finding.name);
        let (shown, others) = seen(finding, &outputs);
        assert!(!shown.is_empty(), "{}: no version shows it", finding.name);
        versions.insert(shown.len() + others.len());
    }
    assert_eq!(versions.len(), 1, "recorded on different versions");
    let output = Output {
        versions: vec!["11.3.0".to_owned()],
        text: "+ stat\n  socket\n".to_owned(),
    };
    assert!(output.shows("+ stat\nsocket") && !output.shows("+ stat\nfile"));
}

#[test]
fn every_record_is_of_a_finding() {
    let names: BTreeSet<String> = findings().iter().map(|one| one.name.clone()).collect();
    for entry in fs::read_dir(root().join("snapshots/findings")).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(names.contains(&name), "{}: no such finding", path.display());
    }
}

#[test]
fn every_scenario_exists() {
    let cases = Suite::near(root()).cases().unwrap();
    let names: BTreeSet<&str> = cases
        .iter()
        .map(|case| case.name.split('@').next().unwrap())
        .collect();
    for finding in findings() {
        for scenario in &finding.scenarios {
            let is_there = names.contains(scenario.as_str());
            assert!(is_there, "{}: no scenario {scenario}", finding.name);
        }
        let is_told = finding.scenarios.is_empty() == finding.note.is_some();
        assert!(is_told, "{}: a note, or a scenario", finding.name);
    }
}

#[cfg(unix)]
#[test]
fn every_reproducer_is_short_and_printed_whole() {
    let place = tempfile::tempdir().unwrap();
    let prelude = fs::read_to_string(root().join("src/findings/prelude.sh")).unwrap();
    for Finding { name, script, .. } in findings() {
        let lines = script.lines().count();
        assert!(lines <= 25, "{name} has {lines} lines");
        assert!(script.contains("show\n"), "{name} shows nothing");
        let output = Command::new("ci/findings")
            .args(["--script", name])
            .current_dir(root())
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let expected = format!(
            "#!/bin/sh\n# {name}\n{prelude}\n# {name}\n{}",
            script.trim_end()
        );
        assert_eq!(printed.trim_end(), expected);
        let file = place.path().join("script");
        fs::write(&file, printed).unwrap();
        let read = Command::new("sh").arg("-n").arg(&file).status().unwrap();
        assert!(read.success(), "{name}");
    }
}

#[test]
fn the_page_is_fresh() {
    let path = root().join("FINDINGS.md");
    let fresh = page(findings());
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &fresh).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == fresh,
        "FINDINGS.md is stale; run: BLESS=1 cargo test --test findings"
    );
}

const HEAD: &str = "\
# Findings

What libvirt's backup and checkpoint functions do that their callers do not expect: defects, traps of the interface, and
documentation that says something else. Each was reproduced with `virsh`, `qemu-img` and the shell alone, on the versions that
are named, in their Debian builds with QEMU; what they printed stands below each reproducer. *Not on* a version means that the
same reproducer printed something else there, which is shown as well.

The reproducers begin with [a few functions](src/findings/prelude.sh) that make a domain and remove it in the end. To run one as
root, on the libvirt of this machine or on that of a URI, and all of them on four versions:

```sh
ci/findings --script failed-deletion-moves-children > bug.sh
sh bug.sh
ci/findings
```

What comes before `show` prints nothing. `backup XML [CHECKPOINT]` is `virsh backup-begin` with these documents,
`guest_write DISK OFFSET LENGTH` writes through QEMU's block layer. `backup-tck script SCENARIO` prints the longer story of a
scenario in the same way. In the output `DIR` is the directory of the images, and `+` begins a command.

This page is made of [`src/findings/findings.yaml`](src/findings/findings.yaml) and `snapshots/findings/`; do not edit it.
";

fn page(findings: &[Finding]) -> String {
    let mut page = HEAD.to_owned();
    let of = |kind: Kind| findings.iter().filter(move |finding| finding.kind == kind);
    for kind in Kind::ALL {
        let _ = writeln!(page, "\n## {}\n", heading(kind));
        page.push_str("| finding | seen on | scenario |\n|---|---|---|\n");
        for finding in of(kind) {
            let (shown, _) = seen(finding, &outputs(&finding.name));
            let first = finding.scenarios.first();
            let scenario = first.map_or_else(|| "none".to_owned(), |name| link(name));
            let _ = writeln!(
                page,
                "| [{}](#{}) | {} | {scenario} |",
                finding.title,
                finding.name,
                shown.join(", ")
            );
        }
    }
    for kind in Kind::ALL {
        for finding in of(kind) {
            page.push_str(&entry(finding));
        }
    }
    page
}

fn link(scenario: &str) -> String {
    format!("[`{scenario}`](scenarios/{scenario}.yaml)")
}

fn entry(finding: &Finding) -> String {
    let outputs = outputs(&finding.name);
    let (shown, others) = seen(finding, &outputs);
    let not_on = if others.is_empty() {
        String::new()
    } else {
        format!(", not on {}", others.join(", "))
    };
    let scenarios: Vec<String> = finding.scenarios.iter().map(|name| link(name)).collect();
    let scenarios = match &finding.note {
        Some(note) => note.trim().to_owned(),
        None => scenarios.join(", "),
    };
    let source: Vec<String> = finding.source.iter().map(|place| source(place)).collect();
    let mut text = format!(
        "\n### {}\n\n**{}.** {}\n\n\
         * Kind: {}. Seen on libvirt {}{not_on}.\n\
         * Source: {}\n\
         * Scenarios: {scenarios}\n\
         * A client today: {}\n\
         * libvirt could: {}\n\n```sh\n{}\n```\n",
        finding.name,
        finding.title,
        filled(&finding.statement),
        finding.kind.word(),
        shown.join(", "),
        source.join(", "),
        filled(&finding.today),
        filled(&finding.libvirt),
        finding.script.trim_end(),
    );
    for output in &outputs {
        let _ = write!(
            text,
            "\n{}:\n\n```text\n{}```\n",
            output.versions.join(", "),
            output.text
        );
    }
    text
}

/// A paragraph on one line.
fn filled(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn source(place: &str) -> String {
    if place.starts_with("https://") {
        return format!("<{place}>");
    }
    format!("`{place}`")
}

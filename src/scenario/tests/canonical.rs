//! The canonical form.

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;
use serde::Deserialize;
use serde_json::Value;

use super::generated::documents;
use crate::scenario::comments::Comments;
use crate::scenario::emit::emit;
use crate::scenario::format::{format, value_of};
use crate::scenario::shape;
use crate::scenario::syntax::Document;
use crate::scenario::tree::Node;

fn formatted(text: &str) -> Result<String, String> {
    format(Path::new("case.yaml"), text).map_err(|diagnostics| diagnostics.render(false))
}

/// A document out of a generated value, and its text.
fn written(value: &Value) -> (Document, String) {
    let text = emit(value, &mut Comments::default());
    (read(&text), text)
}

fn read(text: &str) -> Document {
    let root = Node::parse(text).unwrap_or_else(|problem| panic!("{}\n{text}", problem.message));
    let found = shape::check(&root);
    assert!(found.problems.is_empty(), "{:#?}\n{text}", found.problems);
    Document::deserialize(&root).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// What is written reads back as what it was, and is its own canonical form.
    #[test]
    fn parsing_undoes_formatting(value in documents()) {
        let (document, _) = written(&value);
        let text = emit(&value_of(&document), &mut Comments::default());
        prop_assert_eq!(&read(&text), &document, "{}", text);
        prop_assert_eq!(formatted(&text).unwrap(), text);
    }

    /// A comment beside a line stays beside it, and the form is stable.
    #[test]
    fn comments_are_kept(value in documents(), chosen in prop::collection::vec(any::<Index>(), 0..6)) {
        let (document, _) = written(&value);
        let text = emit(&value_of(&document), &mut Comments::default());
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for (number, index) in chosen.iter().enumerate() {
            let line = &mut lines[index.index(text.lines().count())];
            if takes_comment(line) {
                *line = format!("{line}  # comment {number}");
            }
        }
        let commented = lines.join("\n") + "\n";
        prop_assert_eq!(formatted(&commented).unwrap(), commented);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// A comment above a line and as far from the edge stays there.
    #[test]
    fn comments_above_lines_are_kept(value in documents(), chosen in prop::collection::vec(any::<Index>(), 0..6)) {
        let (document, _) = written(&value);
        let text = emit(&value_of(&document), &mut Comments::default());
        let chosen = chosen.iter().map(|index| (*index, true));
        let commented = with_lines(&text, chosen);
        prop_assert_eq!(formatted(&commented).unwrap(), commented);
    }

    /// Wherever a comment stands, it is there once, and moves no further when formatted again.
    #[test]
    fn comments_come_to_rest(value in documents(), chosen in prop::collection::vec(any::<(Index, bool)>(), 0..6)) {
        let (document, _) = written(&value);
        let text = emit(&value_of(&document), &mut Comments::default());
        let commented = with_lines(&text, chosen.into_iter());
        let once = formatted(&commented).unwrap();
        prop_assert_eq!(once.matches("# comment").count(), commented.matches("# comment").count());
        prop_assert_eq!(formatted(&once).unwrap(), once);
    }
}

/// A text with comments above some lines, as far from the edge as that line or the one before.
fn with_lines(text: &str, chosen: impl Iterator<Item = (Index, bool)>) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let verbatim = verbatim(&lines);
    let mut above = vec![String::new(); lines.len()];
    for (number, (index, like_next)) in chosen.enumerate() {
        let at = index.index(lines.len());
        let like = if like_next { at } else { at.saturating_sub(1) };
        if !verbatim[at] && !verbatim[like] && !lines[at].is_empty() {
            above[at] = format!("{}# comment {number}\n", " ".repeat(margin(lines[like])));
        }
    }
    let lines = above.iter().zip(lines);
    lines
        .flat_map(|(above, line)| [above.as_str(), line, "\n"])
        .collect()
}

/// Which lines are those of a text.
fn verbatim(lines: &[&str]) -> Vec<bool> {
    let mut key = None;
    let is_inside = |line: &&str| {
        let inside = key.is_some_and(|key| line.is_empty() || margin(line) > key);
        if !inside {
            let has_text =
                line.ends_with(['|', '>']) || line.ends_with("|-") || line.ends_with(">-");
            let is_entry = line.trim_start().starts_with("- ") && line.contains(':');
            let column = margin(line) + if is_entry { 2 } else { 0 };
            key = has_text.then_some(column);
        }
        inside
    };
    lines.iter().map(is_inside).collect()
}

fn margin(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// A line that ends a map in flow style: never inside a text of several lines.
fn takes_comment(line: &str) -> bool {
    line.ends_with(" }") && !line.contains('"') && !line.contains('#')
}

#[test]
fn the_layout_is_one() {
    insta::assert_snapshot!(formatted(
        "\
# What the file is about.

# And where it comes from.
scenario:    case
format: 1 # the only one
refs: [ 'https://example.org/1' ]
summary: A checkpoint on a raw disk is refused, and nothing is left behind; this is said at such a length that it is folded.
disks: { vda: {size: 16384K, format: qcow2}, vdb: { format: raw, size: 512 } }
# The history.
history: [start,
  # above a step
  {guest-write: {pattern: 161, length: 65536, # beside a key
    offset: 0, disk: vda}}]
when: {call: {api: virDomainBackupBegin, xml: \"<domainbackup>\\n</domainbackup>\\n\", flags: 1}}
then: {error: VIR_ERR_CONFIG_UNSUPPORTED, decision: fix-request, remedy: [pause]}
# the end
"
    )
    .unwrap());
}

#[test]
fn a_comment_without_a_place_is_told() {
    insta::assert_snapshot!(
        formatted(
            "\
format: 1
scenario: case
summary: A case.
disks: { vda: { format: raw, size: 1M } }
when:
  checkpoint-delete:
    name: c1
    # Both, of course.
    metadata-only: false
then: { result: ok }
"
        )
        .unwrap_err()
    );
}

#[test]
fn what_is_not_sound_is_not_formatted() {
    insta::assert_snapshot!(formatted("format: 1\nscenario: case\ndisks: []\n").unwrap_err());
}

/// A file whose history and last keys are given.
fn with_history(rest: &str) -> String {
    format!(
        "format: 1\nscenario: case\nsummary: A case.\n\ndisks:\n  vda: {{ format: qcow2, size: 16M }}\n{rest}"
    )
}

const LAST: &str = "\nwhen: start\n\nthen:\n  result: ok\n";

#[test]
fn a_comment_at_the_end_of_a_block_stays_in_it() {
    let text = with_history(&format!(
        "  # vdb: {{ format: raw, size: 16M }}\n\nhistory:\n  - start\n  # - guest-write: {{}}\n\n  # - destroy\n{LAST}  # message: none\n\n# the end\n"
    ));
    assert_eq!(formatted(&text).unwrap(), text);
    let flow = text.replace("history:\n  - start", "history: [start]");
    assert_eq!(formatted(&flow).unwrap(), text);
}

#[test]
fn a_comment_above_the_first_key_is_about_that_key() {
    let text = "# file\n\n# name\nscenario: case\nformat: 1\nsummary:\n  # text\n  A case.\ndisks: { vda: { format: raw, size: 1M } }\nwhen: start\nthen: { result: ok }\n";
    let text = formatted(text).unwrap();
    assert!(
        text.starts_with(
            "# file\nformat: 1\n# name\nscenario: case\n# text\nsummary: A case.\n\ndisks:"
        ),
        "{text}"
    );
    assert_eq!(formatted(&text).unwrap(), text);
}

#[test]
fn line_ends_and_byte_order_marks_are_brought_into_form() {
    let text = with_history(LAST);
    let foreign = format!("\u{FEFF}{}", text.replace('\n', "\r\n"));
    assert_eq!(formatted(&foreign).unwrap(), text);
    let told = formatted(&text.replace("\nwhen", "\rwhen")).unwrap_err();
    assert!(told.contains("carriage return without"), "{told}");
}

#[test]
fn a_comment_above_the_first_key_of_an_item_stays_above_the_item() {
    let edit = |edit: &str| {
        let text = "history:\n  - checkpoint-redefine:\n      from: dump\n      edit:";
        with_history(&format!("\n{text}{edit}\n{LAST}"))
    };
    let flow = edit(" [{ # beside\n        # above\n        replace: x, with: z }]");
    let block = edit("  # beside\n        # above\n        - { replace: x, with: z }");
    assert_eq!(formatted(&flow).unwrap(), block);
    assert_eq!(formatted(&block).unwrap(), block);
}

#[test]
fn comments_around_texts_of_several_lines_are_kept() {
    let call = "\nwhen:\n  call:\n    api: virDomainBackupBegin\n    xml: |  # beside\n      <a>\n      # text\n      </a>\n    # below\n    flags: 0x1\n  # end\n\nthen:\n  result: ok\n";
    let text = with_history(call);
    assert_eq!(formatted(&text).unwrap(), text);
}

#[test]
fn many_comments_take_no_longer_each() {
    let step =
        "  # why\n  - guest-write: { disk: vda, offset: 0, length: 64K, pattern: 0xA1 }  # what\n";
    let text = with_history(&format!("\nhistory:\n{}{LAST}", step.repeat(2000)));
    assert_eq!(formatted(&text).unwrap(), text);
}

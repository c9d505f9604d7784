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

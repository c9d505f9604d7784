//! Problems of the form: the file, its YAML, keys and the kinds of values.

use super::kind::{ProblemKind, kind};

pub(super) const KINDS: &[ProblemKind] = &[
    ProblemKind {
        code: "scenario::unreadable",
        title: "the file cannot be read as text",
        explanation: "A scenario is a text in UTF-8. The file is something else, or this user may \
             not read it. Look at it with `file`, and save it again as UTF-8.",
        example: None,
    },
    kind(
        "scenario::yaml",
        "the file is not valid YAML",
        "The YAML reader could not go on, so nothing else in the file was looked at. Mostly a \
         bracket or a quote is left open, or the indentation is not two spaces a level.",
        "disks:\n  vda: { format: qcow2, size: 16M",
        "disks:\n  vda: { format: qcow2, size: 16M }\n  vdb: { format: raw, size: 16M }",
    ),
    kind(
        "scenario::tab",
        "a tab indents a line",
        "YAML knows blanks only. Let the editor write two blanks for each level.",
        "history:\n\t- start",
        "history:\n  - start",
    ),
    kind(
        "scenario::empty",
        "nothing where something must be",
        "The file, or a map of names, has no entry. `backup-tck new AREA/NAME` writes a scenario \
         to start from.",
        "when:\n  backup-begin: { mode: push, disks: {} }\nthen:\n  result: ok",
        "when:\n  backup-begin: { mode: push, disks: { vda: { target: vda.img } } }\n\
         then:\n  result: ok",
    ),
    ProblemKind {
        code: "scenario::comment",
        title: "a comment that the canonical form has no place for",
        explanation: "`format` keeps every comment at the part that it stands at. This one stands \
             at something that the canonical form leaves out, such as `validate: false`. Move it \
             to another line; the file was left as it is.",
        example: None,
    },
    ProblemKind {
        code: "scenario::canonical",
        title: "the formatter does not trust its own work",
        explanation: "`format` reads back what it would write and compares. The two differed, \
             which is a defect of backup-tck: please report it with the file, which was left as \
             it is.",
        example: None,
    },
    kind(
        "scenario::anchor",
        "an anchor or an alias is used",
        "Anchors (`&name`) and aliases (`*name`) are not part of the language: a reviewer should \
         see every value where it counts. Write the value out. A text that begins with `&` or \
         `*` goes between quotes.",
        "history:\n  - start\n  - guest-write: { disk: vda, offset: &at 1M, length: 1M, pattern: 1 }\n  \
         - guest-write: { disk: vdb, offset: *at, length: 1M, pattern: 2 }",
        "history:\n  - start\n  - guest-write: { disk: vda, offset: 1M, length: 1M, pattern: 1 }\n  \
         - guest-write: { disk: vdb, offset: 1M, length: 1M, pattern: 2 }",
    ),
    ProblemKind {
        code: "scenario::too_large",
        title: "the file is too large or too deep",
        explanation: "Reading stops at a limit, so that a broken file cannot use up memory. No \
             scenario comes near it: mostly a bracket is repeated, or it is the wrong file. One \
             scenario shows one fault; make two of it.",
        example: None,
    },
    kind(
        "scenario::format",
        "the version of the format is not known",
        "`format` tells which version of the language the file is written in. This build reads \
         version 1; a file of a later one needs a newer backup-tck.",
        "format: 99",
        "format: 1",
    ),
    kind(
        "scenario::missing_key",
        "a key that must be there is missing",
        "The map at this place says too little. The message names the key; `backup-tck new` \
         writes a scenario with every key that must be there.",
        "disks:\n  vda: { format: qcow2, size: 16M }\n  vdb: { format: raw, size: 16M }\n  \
         vdc: { format: raw }",
        "disks:\n  vda: { format: qcow2, size: 16M }\n  vdb: { format: raw, size: 16M }\n  \
         vdc: { format: raw, size: 16M }",
    ),
    kind(
        "scenario::unknown_key",
        "a key that has no meaning here",
        "Most often a key is misspelt, or stands one level too deep. It is refused since what \
         is silently left out would never be tested.",
        "disks:\n  vda: { format: qcow2, sice: 16M, size: 16M }\n  vdb: { format: raw, size: 16M }",
        "disks:\n  vda: { format: qcow2, size: 16M }\n  vdb: { format: raw, size: 16M }",
    ),
    kind(
        "scenario::duplicate_key",
        "a key stands twice in one map",
        "Only one of the two could count, and a reader would not know which. Remove one.",
        "summary: A checkpoint on a raw disk is refused.\nsummary: Nothing is left behind.",
        "summary: A checkpoint on a raw disk is refused, and nothing is left behind.",
    ),
    kind(
        "scenario::wrong_kind",
        "a value is of the wrong kind",
        "A map, a list, a text, a number or true and false is wanted here, and another of them \
         was found. A text that looks like a number goes between quotes.",
        "refs: https://bugzilla.redhat.com/show_bug.cgi?id=1874846",
        "refs: [\"https://bugzilla.redhat.com/show_bug.cgi?id=1874846\"]",
    ),
    kind(
        "scenario::bad_value",
        "a word that cannot be read as what is wanted",
        "The value has the right kind, but its word means nothing here, such as a size with an \
         unknown unit. The message says what is wanted.",
        "disks:\n  vda: { format: qcow2, size: 16 megabytes }\n  vdb: { format: raw, size: 16M }",
        "disks:\n  vda: { format: qcow2, size: 16M }\n  vdb: { format: raw, size: 16M }",
    ),
    kind(
        "scenario::out_of_range",
        "a number is too small or too large",
        "The message names the range. A pattern is one byte, 0 to 255; flags are 32 bits.",
        "history:\n  - start\n  - guest-write: { disk: vda, offset: 0, length: 64K, pattern: 256 }",
        "history:\n  - start\n  - guest-write: { disk: vda, offset: 0, length: 64K, pattern: 0xA1 }",
    ),
    kind(
        "scenario::step",
        "something that is no step",
        "A step is one word, or a map with one key. Two keys in one map are two steps: give each \
         a dash of its own, since their order matters.",
        "history:\n  - start:\n    pause:",
        "history:\n  - start\n  - pause",
    ),
    kind(
        "scenario::unknown_step",
        "a step that the language does not know",
        "The word is misspelt, or it is a call of libvirt, which is written `call: { api: … }`.",
        "history:\n  - strat",
        "history:\n  - start",
    ),
    kind(
        "scenario::step_arguments",
        "a step with arguments too many or too few",
        "Some steps are one word and take nothing, such as `start`; all others take a map.",
        "history:\n  - recreate-image\n  - start",
        "history:\n  - recreate-image: { disk: vda }\n  - start",
    ),
];

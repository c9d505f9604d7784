//! One mistake each in a sound scenario: which code it gets, and which words are marked.

use std::path::Path;

use rstest::{Context, rstest};

use crate::scenario::parse;

/// A sound scenario that uses most of the language.
const SOUND: &str = "\
format: 1
scenario: case
summary: A case.
refs: [\"https://example.org/1\"]
needs: [private-daemon]
since: 6.10
until: 12.0

disks:
  vda: { format: qcow2, size: 16M, cluster-size: 64K }
  vdb: { format: raw, size: 8M }
  sda: { device: cdrom, empty: true }

history:
  - start
  - guest-write: { disk: vda, offset: 0, length: 64K, pattern: 0xA1 }
  - checkpoint-create: { name: c1, disks: [vda] }
  - checkpoint-dump: { name: c1, no-domain: true, as: dump }
  - backup-begin: { mode: push, disks: { vda: { target: full.qcow2 } }, checkpoint: { name: c2 } }
  - await-backup
  - background: { step: { checkpoint-delete: { name: c2 } }, as: deletion }
  - join: { from: deletion }
  - destroy
  - copy-image: { disk: vda, as: before }
  - bitmap-disable: { disk: vda, bitmap: c1 }
  - damage-bitmap: { disk: vda, bitmap: c1, kind: in-use }
  - write-bytes: { disk: vda, anchor: entry, bitmap: c1, offset: 12, bytes: \"00 00 00 03\" }
  - restore-image: { disk: vda, from: before }
  - call: { api: virDomainGetState, flags: 0 }
  - call: { api: virDomainAbortJob, refused: VIR_ERR_OPERATION_INVALID }
  - checkpoint-delete: { name: c1, metadata-only: true }

when:
  backup-begin:
    mode: push
    incremental: c1
    disks: { vda: { target: delta.qcow2, backupmode: incremental } }

then:
  error: VIR_ERR_NO_DOMAIN_CHECKPOINT
  error-domain: VIR_FROM_QEMU
  message: not found
  category: unrecoverable
  decision: redefine-missing-checkpoints-then-retry
  remedy:
    - checkpoint-redefine: { from: dump, edit: [{ replace: \"<parent>\", with: \"\" }] }
";

/// The code, the marked text and the whole report of the only problem.
#[rstest]
// The text.
#[case::tab("history:\n  - start", "history:\n\t- start", "scenario::tab", "")]
#[case::odd_indentation("  - destroy", " - destroy", "scenario::yaml", "")]
#[case::unclosed_bracket("disks: [vda] }", "disks: [vda }", "scenario::yaml", "")]
#[case::unclosed_quote("message: not found", "message: \"not found", "scenario::yaml", "")]
#[case::colon_without_blank("  error: VIR", "  error:VIR", "scenario::yaml", "")]
#[case::anchor("summary: A case.", "summary: &x A case.", "scenario::anchor", "")]
#[case::two_documents("refs: [", "---\nrefs: [", "scenario::yaml", "")]
// The structure.
#[case::other_format("format: 1", "format: 2", "scenario::format", "2")]
#[case::missing_key("summary: A case.\n", "", "scenario::missing_key", "format")]
#[case::unknown_key_at_the_top("refs:", "references:", "scenario::unknown_key", "references")]
#[case::unknown_key("offset: 0", "ofset: 0", "scenario::unknown_key", "ofset")]
#[case::duplicate_key("size: 8M", "size: 8M, size: 9M", "scenario::duplicate_key", "size")]
#[case::duplicate_disk("  vdb: {", "  vda: {", "scenario::duplicate_key", "vda")]
#[case::list_for_map(
    "disks: { vda: { target: full.qcow2 } }",
    "disks: [vda]",
    "scenario::wrong_kind",
    "["
)]
#[case::number_for_text("message: not found", "message: 404", "scenario::wrong_kind", "404")]
#[case::text_for_flag(
    "no-domain: true",
    "no-domain: please",
    "scenario::wrong_kind",
    "please"
)]
#[case::text_for_number("pattern: 0xA1", "pattern: A1", "scenario::wrong_kind", "A1")]
#[case::number_out_of_range("pattern: 0xA1", "pattern: 256", "scenario::out_of_range", "256")]
#[case::not_a_size("size: 8M", "size: 8MB", "scenario::bad_value", "8MB")]
#[case::impossible_size("size: 8M", "size: 99999999T", "scenario::bad_value", "99999999T")]
#[case::not_a_version("since: 6.10", "since: six", "scenario::bad_value", "six")]
#[case::not_a_file(
    "target: full.qcow2",
    "target: ../full.qcow2",
    "scenario::bad_value",
    "../full.qcow2"
)]
#[case::not_bytes("\"00 00 00 03\"", "\"00 0 3\"", "scenario::bad_value", "\"00 0 3\"")]
#[case::no_disks(
    "disks:\n  vda: { format: qcow2, size: 16M, cluster-size: 64K }\n  vdb: { format: raw, size: 8M }\n  sda: { device: cdrom, empty: true }\n",
    "disks: {}\n",
    "scenario::empty",
    "{"
)]
#[case::unknown_step("  - destroy", "  - destory", "scenario::unknown_step", "destory")]
#[case::unknown_step_with_arguments(
    "- guest-write:",
    "- guest-wirte:",
    "scenario::unknown_step",
    "guest-wirte"
)]
#[case::step_without_arguments(
    "  - join: { from: deletion }",
    "  - join",
    "scenario::step_arguments",
    "join"
)]
#[case::step_with_arguments(
    "  - destroy",
    "  - destroy: {}",
    "scenario::step_arguments",
    "destroy"
)]
#[case::two_steps_in_one("  - start\n", "  - { start: {}, pause: {} }\n", "scenario::step", "{")]
#[case::unknown_format("format: raw", "format: rwa", "scenario::unknown_format", "rwa")]
#[case::unknown_mode(
    "begin:\n    mode: push",
    "begin:\n    mode: pusch",
    "scenario::unknown_mode",
    "pusch"
)]
#[case::unknown_damage("kind: in-use", "kind: in_use", "scenario::unknown_damage", "in_use")]
#[case::unknown_anchor("anchor: entry", "anchor: enrty", "scenario::unknown_word", "enrty")]
#[case::unknown_need(
    "[private-daemon]",
    "[private-deamon]",
    "scenario::unknown_need",
    "private-deamon"
)]
#[case::unknown_api(
    "virDomainGetState",
    "virDomainGetSate",
    "scenario::unknown_api",
    "virDomainGetSate"
)]
#[case::unknown_code(
    "VIR_ERR_NO_DOMAIN_CHECKPOINT",
    "VIR_ERR_NO_CHECKPOINT",
    "scenario::unknown_code",
    "VIR_ERR_NO_CHECKPOINT"
)]
#[case::unknown_error_domain(
    "VIR_FROM_QEMU",
    "VIR_FROM_KVM",
    "scenario::unknown_domain",
    "VIR_FROM_KVM"
)]
#[case::unknown_decision(
    "decision: redefine-missing",
    "decision: redefine-mising",
    "scenario::unknown_decision",
    "redefine-mising-checkpoints-then-retry"
)]
#[case::unknown_category(
    "category: unrecoverable",
    "category: fatal",
    "scenario::unknown_category",
    "fatal"
)]
#[case::unknown_result(
    "  error: VIR_ERR_NO_DOMAIN_CHECKPOINT",
    "  result: success",
    "scenario::result",
    "success"
)]
// Disks.
#[case::name_of_a_disk("  vdb: {", "  vd b: {", "scenario::disk_name", "vd b")]
#[case::disk_without_format("format: raw, size: 8M", "size: 8M", "scenario::missing_key", "vdb")]
#[case::empty_disk("size: 8M", "size: 0", "scenario::empty_disk", "0")]
#[case::half_a_sector("size: 8M", "size: 1000", "scenario::alignment", "1000")]
#[case::cluster_size(
    "cluster-size: 64K",
    "cluster-size: 48K",
    "scenario::cluster_size",
    "48K"
)]
#[case::compat_of_a_raw_disk(
    "format: raw,",
    "format: raw, compat: \"1.1\",",
    "scenario::raw_disk",
    "\"1.1\""
)]
#[case::empty_hard_disk(
    "device: cdrom, empty",
    "device: disk, empty",
    "scenario::empty_drive",
    "disk"
)]
#[case::write_to_an_empty_drive(
    "disk: vda, offset: 0",
    "disk: sda, offset: 0",
    "scenario::empty_drive",
    "sda"
)]
// The history.
#[case::unknown_disk(
    "disk: vda, offset: 0",
    "disk: vdc, offset: 0",
    "scenario::unknown_disk",
    "vdc"
)]
#[case::unknown_disk_in_a_list("disks: [vda] }", "disks: [vbd] }", "scenario::unknown_disk", "vbd")]
#[case::beyond_the_end(
    "offset: 0, length: 64K",
    "offset: 16M, length: 64K",
    "scenario::beyond_end",
    "16M"
)]
#[case::empty_write("length: 64K", "length: 0", "scenario::empty_write", "0")]
#[case::unknown_checkpoint(
    "checkpoint-dump: { name: c1",
    "checkpoint-dump: { name: cl",
    "scenario::unknown_checkpoint",
    "cl"
)]
#[case::unknown_dump("from: dump", "from: dumb", "scenario::unknown_dump", "dumb")]
#[case::unknown_copy("from: before", "from: after", "scenario::unknown_copy", "after")]
#[case::never_joined(
    "  - join: { from: deletion }\n",
    "",
    "scenario::not_joined",
    "deletion"
)]
#[case::name_taken(
    "checkpoint: { name: c2 }",
    "checkpoint: { name: c1 }",
    "scenario::name_taken",
    "c1"
)]
#[case::not_running("  - start\n", "", "scenario::impossible_state", "guest-write")]
#[case::image_in_use(
    "  - destroy\n",
    "  - destroy\n  - start\n",
    "scenario::impossible_state",
    "bitmap-disable"
)]
#[case::no_backup_runs(
    "  - await-backup\n",
    "  - await-backup\n  - await-backup\n",
    "scenario::impossible_state",
    "await-backup"
)]
#[case::argument_of_another_call(
    "api: virDomainGetState,",
    "api: virDomainGetState, xml: \"<a/>\",",
    "scenario::argument",
    "\"<a/>\""
)]
#[case::anchor_without_bitmap(
    "anchor: entry, bitmap: c1,",
    "anchor: entry,",
    "scenario::anchor_bitmap",
    "vda"
)]
#[case::damage_without_other(
    "kind: in-use",
    "kind: names-exchanged",
    "scenario::missing_key",
    "c1"
)]
#[case::background_of_a_host_action(
    "step: { checkpoint-delete: { name: c2 } }",
    "step: { recreate-image: { disk: vdb } }",
    "scenario::background",
    "recreate-image"
)]
#[case::empty_edit("replace: \"<parent>\"", "replace: \"\"", "scenario::edit", "\"\"")]
// The call and what must come of it.
#[case::not_a_call(
    "when:\n  backup-begin:\n    mode: push\n    incremental: c1\n    disks: { vda: { target: delta.qcow2, backupmode: incremental } }\n",
    "when: kill-emulator\n",
    "scenario::when",
    "kill-emulator"
)]
#[case::refusal_beside_the_history(
    "when:\n  backup-begin:\n    mode: push\n    incremental: c1\n    disks: { vda: { target: delta.qcow2, backupmode: incremental } }\n",
    "when:\n  call: { api: virDomainAbortJob, refused: VIR_ERR_OPERATION_INVALID }\n",
    "scenario::when",
    "VIR_ERR_OPERATION_INVALID"
)]
#[case::incremental_without_a_base("    incremental: c1\n", "", "scenario::no_base", "incremental")]
#[case::push_without_target(
    "vda: { target: delta.qcow2, ",
    "vda: { ",
    "scenario::backup_file",
    "vda"
)]
#[case::server_of_a_push(
    "    incremental: c1\n",
    "    incremental: c1\n    server: { port: 1 }\n",
    "scenario::server",
    "port"
)]
#[case::decision_of_another_category(
    "category: unrecoverable",
    "category: temporary",
    "scenario::category",
    "temporary"
)]
#[case::no_remedy(
    "category: unrecoverable\n  decision: redefine-missing-checkpoints-then-retry",
    "decision: fix-request",
    "scenario::no_remedy",
    "backup-begin"
)]
#[case::no_repair(
    "category: unrecoverable\n  decision: redefine-missing-checkpoints-then-retry\n  remedy:\n    \
     - checkpoint-redefine: { from: dump, edit: [{ replace: \"<parent>\", with: \"\" }] }",
    "decision: restore-environment-then-retry",
    "scenario::no_remedy",
    "backup-begin"
)]
#[case::no_end_of_the_other_job(
    "category: unrecoverable\n  decision: redefine-missing-checkpoints-then-retry\n  remedy:\n    \
     - checkpoint-redefine: { from: dump, edit: [{ replace: \"<parent>\", with: \"\" }] }",
    "decision: retry-after-job-ends",
    "scenario::no_remedy",
    "backup-begin"
)]
#[case::no_decision(
    "  decision: redefine-missing-checkpoints-then-retry\n",
    "",
    "scenario::missing_key",
    "error"
)]
#[case::no_error(
    "VIR_ERR_NO_DOMAIN_CHECKPOINT",
    "VIR_ERR_OK",
    "scenario::no_error",
    "VIR_ERR_OK"
)]
#[case::empty_message(
    "message: not found",
    "message: \"\"",
    "scenario::empty_message",
    "\"\""
)]
#[case::name_of_the_file("scenario: case", "scenario: other", "scenario::name", "other")]
#[case::versions("until: 12.0", "until: 6.9", "scenario::versions", "6.9")]
fn a_mistake_is_told_at_its_word(
    #[context] context: Context,
    #[case] from: &str,
    #[case] to: &str,
    #[case] code: &str,
    #[case] marked: &str,
) {
    assert!(SOUND.contains(from), "the sound scenario has no `{from}`");
    let text = SOUND.replacen(from, to, 1);
    let diagnostics = parse(Path::new("case.yaml"), &text).unwrap_err();
    let found = diagnostics.problems().iter().map(|problem| {
        let marked = text
            .get(problem.span.clone())
            .unwrap_or("(not in the file)");
        (problem.code, marked)
    });
    let found: Vec<_> = found.collect();
    let report = diagnostics.render(false);
    assert!(found.contains(&(code, marked)), "{found:?}\n{report}");
    let name = context.description.unwrap_or_default();
    insta::assert_snapshot!(name, report, to);
}

#[test]
fn the_sound_scenario_is_sound() {
    let scenarios = parse(Path::new("case.yaml"), SOUND);
    assert_eq!(
        scenarios.map_err(|told| told.render(false)).unwrap().len(),
        1
    );
}

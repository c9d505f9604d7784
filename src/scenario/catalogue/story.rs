//! Problems of the history: what cannot be at that point.

use super::kind::{ProblemKind, kind};

pub(super) const KINDS: &[ProblemKind] = &[
    kind(
        "scenario::impossible_state",
        "a step that cannot succeed at this point",
        "Every step of `history` must succeed, and this one cannot: the domain, or its backup, is \
         in the wrong state. Add the step that is missing before it. A call that is refused on \
         purpose belongs into `when`.",
        "history:\n  - start\n  - resume",
        "history:\n  - start\n  - pause\n  - resume",
    ),
    kind(
        "scenario::unknown_checkpoint",
        "a checkpoint that is not there at this point",
        "No step before this one creates the checkpoint, or one has deleted it. A base that is \
         missing on purpose is a call under test that expects VIR_ERR_NO_DOMAIN_CHECKPOINT.",
        "history:\n  - start\n  - checkpoint-create: { name: c0 }\n  \
         - checkpoint-delete: { name: c9 }",
        "history:\n  - start\n  - checkpoint-create: { name: c0 }\n  \
         - checkpoint-delete: { name: c0 }",
    ),
    kind(
        "scenario::unknown_bitmap",
        "a bitmap that no step has made",
        "Bitmaps bear the names of their checkpoints, or were added by `bitmap-add`. No step \
         before this one makes one of this name.",
        "history:\n  - bitmap-remove: { disk: vda, bitmap: c0 }\n  - start",
        "history:\n  - bitmap-add: { disk: vda, bitmap: c0 }\n  \
         - bitmap-remove: { disk: vda, bitmap: c0 }\n  - start",
    ),
    kind(
        "scenario::unknown_dump",
        "a redefinition of what was not dumped",
        "`checkpoint-redefine` sends an XML that an earlier `checkpoint-dump … as: LABEL` has \
         kept. No step before this one keeps anything under this label.",
        "history:\n  - start\n  - checkpoint-create: { name: c0, disks: [vda] }\n  \
         - checkpoint-redefine: { from: saved }",
        "history:\n  - start\n  - checkpoint-create: { name: c0, disks: [vda] }\n  \
         - checkpoint-dump: { name: c0, as: saved }\n  \
         - checkpoint-redefine: { from: saved }",
    ),
    kind(
        "scenario::unknown_copy",
        "an image is restored that was not kept",
        "`restore-image` puts a file back that an earlier `copy-image … as: LABEL` has kept. No \
         step before this one keeps a copy under this label.",
        "history:\n  - restore-image: { disk: vda, from: before }\n  - start",
        "history:\n  - copy-image: { disk: vda, as: before }\n  \
         - restore-image: { disk: vda, from: before }\n  - start",
    ),
    kind(
        "scenario::unknown_snapshot",
        "a snapshot that is not there at this point",
        "No step before this one takes a snapshot of this name.",
        "history:\n  - start\n  - snapshot-delete: { name: s0 }",
        "history:\n  - start\n  - snapshot-create: { name: s0, kind: external }\n  \
         - snapshot-delete: { name: s0 }",
    ),
    kind(
        "scenario::unknown_background",
        "nothing of this label goes on in the background",
        "`join` waits for a call that an earlier `background … as: LABEL` has issued, and only \
         once.",
        "history:\n  - start\n  - join: { from: pause }",
        "history:\n  - start\n  - background: { step: pause, as: pause }\n  \
         - join: { from: pause }",
    ),
    kind(
        "scenario::background",
        "a step that cannot go on in the background",
        "Only a call of libvirt can be issued without waiting for its answer. What is done to the \
         host or by the guest is done at once.",
        "history:\n  - start\n  - background: { step: kill-emulator, as: kill }\n  \
         - join: { from: kill }",
        "history:\n  - start\n  - background: { step: destroy, as: end }\n  \
         - join: { from: end }",
    ),
    kind(
        "scenario::not_joined",
        "a call in the background is never joined",
        "Its answer would be lost, and it could still go on while the next scenario runs. Add the \
         `join`, at the latest as the last step.",
        "history:\n  - start\n  - background: { step: pause, as: pause }",
        "history:\n  - start\n  - background: { step: pause, as: pause }\n  \
         - join: { from: pause }",
    ),
    kind(
        "scenario::name_taken",
        "a name that is taken",
        "Something of this kind has the name already. Where libvirt must refuse the second one, \
         let it be the call under test.",
        "history:\n  - start\n  - checkpoint-create: { name: c0 }\n  \
         - checkpoint-create: { name: c0 }",
        "history:\n  - start\n  - checkpoint-create: { name: c0 }\n  \
         - checkpoint-create: { name: c2 }",
    ),
    kind(
        "scenario::edit",
        "an edit that replaces nothing",
        "`replace` names the text that is changed in the dump. An empty one is found nowhere and \
         everywhere.",
        "history:\n  - start\n  - checkpoint-create: { name: c0 }\n  \
         - checkpoint-dump: { name: c0, as: saved }\n  \
         - checkpoint-redefine: { from: saved, edit: [{ replace: \"\", with: a }] }",
        "history:\n  - start\n  - checkpoint-create: { name: c0 }\n  \
         - checkpoint-dump: { name: c0, as: saved }\n  \
         - checkpoint-redefine: { from: saved, edit: [{ replace: c0, with: a }] }",
    ),
    kind(
        "scenario::empty_write",
        "a write of nothing",
        "A write has at least one sector, 512 bytes.",
        "history:\n  - start\n  - guest-write: { disk: vda, offset: 0, length: 0, pattern: 1 }",
        "history:\n  - start\n  - guest-write: { disk: vda, offset: 0, length: 512, pattern: 1 }",
    ),
    kind(
        "scenario::anchor_bitmap",
        "a bitmap where none is meant, or none where one is",
        "The anchors `entry`, `table` and `data` belong to one bitmap, which the key `bitmap` \
         names. The others belong to the whole image.",
        "history:\n  - write-bytes: { disk: vda, anchor: entry, offset: 12, bytes: \"00\" }\n  \
         - start",
        "history:\n  - write-bytes: { disk: vda, anchor: extension, offset: 12, bytes: \"00\" }\n  \
         - start",
    ),
    kind(
        "scenario::no_base",
        "an incremental backup without a base, or a full one with one",
        "An incremental part needs a checkpoint since when to copy: on the disk itself, or on the \
         whole backup. A full part has none.",
        "when:\n  backup-begin:\n    mode: push\n    \
         disks: { vda: { target: vda.img, backupmode: incremental } }\nthen:\n  result: ok",
        "when:\n  backup-begin:\n    mode: push\n    \
         disks: { vda: { target: vda.img, backupmode: full } }\nthen:\n  result: ok",
    ),
    kind(
        "scenario::backup_file",
        "the file of a backup does not fit its mode",
        "A push backup writes to `target`, which must stand, since the data is read again from \
         it. A pull backup keeps what the guest overwrites in `scratch`.",
        "when:\n  backup-begin: { mode: pull, disks: { vda: { target: vda.img } } }\n\
         then:\n  result: ok",
        "when:\n  backup-begin: { mode: pull, disks: { vda: { scratch: vda.img } } }\n\
         then:\n  result: ok",
    ),
    kind(
        "scenario::server",
        "an NBD server that cannot be",
        "Only a pull backup has a server, and it listens either on a socket or on one of the \
         scenario's own ports.",
        "when:\n  backup-begin:\n    mode: pull\n    server: { tls: true }\n    \
         disks: { vda: { scratch: vda.img } }\nthen:\n  result: ok",
        "when:\n  backup-begin:\n    mode: pull\n    server: { port: 1, tls: true }\n    \
         disks: { vda: { scratch: vda.img } }\nthen:\n  result: ok",
    ),
];
